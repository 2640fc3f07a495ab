// `goal submit`: gives the Architect a goal, and with --follow shows its plan as it grows.
import { readFile } from 'node:fs/promises';
import { resolve } from 'node:path';
import { SwarmError } from '@hypercode/client';
import type { ApiInput } from '@hypercode/contracts';
import { command, duration, flag, optionalArgument, text } from '../program/command.ts';
import type { CommandContext } from '../program/context.ts';
import { wrongUsage } from '../program/exit-codes.ts';
import { parseExact } from '../output/exact-json.ts';
import { followPlan } from './follow-plan.ts';

type Goal = ApiInput<'goals.submit'>;

export const goalSubmit = command({
  path: ['goal', 'submit'],
  summary: 'Give the Architect a goal',
  details:
    'With --follow it shows the plan as it grows, and ends as the plan does: with 0 when it is completed, with 1 otherwise. Ctrl-C leaves the ' +
    'plan as it is, and says how to come back.',
  calls: ['goals.submit', 'plans.watch'],
  args: { title: optionalArgument('What is wanted, in words') },
  options: {
    file: text('FILE', 'A goal as JSON, with its steps (- for stdin)', { completes: 'file' }),
    description: text('TEXT', 'More about what is wanted'),
    deadline: duration('How long it may take (default: no limit)'),
    goalId: text('UUID', 'Id of the goal: the same one submitted again is one goal (default: a new one)'),
    follow: flag('Follow the plan to its end', { short: 'f' }),
  },
  examples: [
    { run: 'swarm goal submit "Write the release notes"', does: 'Submit a goal' },
    {
      run: 'swarm goal submit --file goal.json --follow',
      does: 'Submit a goal with its steps, and follow its plan',
      follows: true,
    },
  ],
  async run(context, { args, options }) {
    const { output, clock, signal } = context;
    const { file, description, deadline: deadlineMs, goalId, follow } = options;
    const given = file === undefined ? {} : await goalOf(context, file);
    const goal = {
      ...given,
      ...(args.title === undefined ? {} : { title: args.title }),
      ...(description === undefined ? {} : { description }),
      ...(deadlineMs === undefined ? {} : { deadlineMs }),
      // With an id, a goal whose answer was lost can be submitted again.
      goalId: goalId ?? given.goalId ?? clock.newId(),
    };
    if (goal.title === undefined) throw wrongUsage('give the title of the goal, or --file');
    const client = await context.client();
    let submitted: Awaited<ReturnType<typeof client.goals.submit>>;
    try {
      submitted = await client.goals.submit({ ...goal, title: goal.title }, { signal });
    } catch (error) {
      if (SwarmError.from(error).is('UNAVAILABLE'))
        output.note(`it may have been submitted: to be sure, submit it again with --goal-id ${goal.goalId}`);
      throw error;
    }
    const { planId, eventId, position } = submitted;
    if (!follow) {
      if (output.json) output.object({ goalId: submitted.goalId, planId, eventId, position });
      else output.line(`goal ${submitted.goalId} is submitted; its plan: swarm plans watch ${planId}`);
      return;
    }
    output.note(`goal ${submitted.goalId} is submitted`);
    return followPlan(context, client, { planId, isNew: true });
  },
});

async function goalOf({ surroundings }: CommandContext, file: string): Promise<Partial<Goal>> {
  let json = '';
  try {
    if (file === '-') for await (const chunk of surroundings.stdin) json += String(chunk);
    else json = await readFile(resolve(surroundings.cwd, file), 'utf8');
  } catch (error) {
    throw wrongUsage(`--file: ${error instanceof Error ? error.message : String(error)}`);
  }
  try {
    const goal = parseExact(json);
    if (typeof goal === 'object' && goal !== null && !Array.isArray(goal)) return goal;
  } catch {
    // As what is JSON and no object.
  }
  throw wrongUsage('--file: a goal is a JSON object, such as {"title":"…","steps":[…]}');
}
