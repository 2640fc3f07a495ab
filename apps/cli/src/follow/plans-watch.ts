// `plans watch`: follows a plan to its end.
import { planId } from '../connection/names.ts';
import { argument, command } from '../program/command.ts';
import { EXIT } from '../program/exit-codes.ts';
import { followPlan } from './follow-plan.ts';

export const plansWatch = command({
  path: ['plans', 'watch'],
  summary: 'Follow a plan to its end',
  details:
    'On a terminal it is a tree that grows; elsewhere each change is a line. Ends with 0 when the plan is completed, with 1 when it failed ' +
    'or was cancelled. Ctrl-C leaves the plan as it is.',
  calls: ['plans.watch'],
  args: { plan: argument('The id of the plan, or its beginning', 'plan') },
  options: {},
  examples: [
    { run: 'swarm plans watch 4f2a', does: 'Follow a plan; its id may be shortened', ends: EXIT.no },
    { run: 'swarm plans watch 4f2a --json', does: 'Print the plan as JSON whenever it has changed', ends: EXIT.no },
  ],
  async run(context, { args }) {
    const client = await context.client();
    return followPlan(context, client, { planId: await planId(client, args.plan), isNew: false });
  },
});
