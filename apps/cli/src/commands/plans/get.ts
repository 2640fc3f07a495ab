// `swarm plans get`: one plan with its tasks, and who had them.
import type { PlanView } from '@hypercode/client';
import { planId } from '../../connection/names.ts';
import { partsOf, red } from '../../output/parts.ts';
import { stateWord } from '../../output/states.ts';
import { printFacts, Table } from '../../output/table.ts';
import { showAgo, showTime } from '../../output/times.ts';
import { argument, command } from '../../program/command.ts';
import { EXIT } from '../../program/exit-codes.ts';

export const plansGet = command({
  path: ['plans', 'get'],
  summary: 'Show one plan, its tasks and their attempts',
  calls: ['plans.get'],
  args: { plan: argument('Id of the plan, or the beginning of it', 'plan') },
  options: {},
  examples: [{ run: 'swarm plans get 4f2a', does: 'How far it is; the id may be shortened', ends: EXIT.no }],
  async run(context, { args }) {
    const { output, clock } = context;
    const client = await context.client();
    const plan = await client.plans.get({ planId: await planId(client, args.plan) });
    if (output.json) return output.object(plan);
    const nowMs = clock.epochMs();
    const missing = plan.missing.length === 0 ? '' : `; no agent offered ${plan.missing.join(', ')}`;
    printFacts(output, [
      ['plan', plan.planId],
      ['goal', `${plan.goalId}: ${plan.title}`],
      ['state', [...partsOf(stateWord(plan.status)), plan.reason === null ? '' : `: ${plan.reason}`, missing]],
      ['submitted', showAgo(plan.submittedAt, nowMs)],
      ['deadline', showTime(plan.deadlineAt)],
      ['ended', showTime(plan.endedAt)],
      ['retries', String(plan.retries)],
    ]);
    if (plan.tasks.length === 0) return;
    output.line();
    const tasks = new Table<PlanView['tasks'][number]>(output, [
      { title: 'task', value: ({ taskId }) => taskId },
      { title: 'state', value: ({ status }) => stateWord(status) },
      { title: 'done', value: ({ progress }) => `${Math.round(progress * 100)}%`, align: 'right' },
      { title: 'agent', value: ({ agent }) => agent ?? '-' },
      { title: 'attempt', value: ({ attempt }) => String(attempt), align: 'right' },
      { title: 'title', value: ({ title }) => title },
      { title: 'error', value: ({ error }) => (error === null ? '' : red(error)), optional: true },
    ]);
    for (const task of plan.tasks) tasks.add(task);
    tasks.flush();
  },
});
