// `plans watch`: follows a plan to its end.
import { planId } from '../connection/names.ts';
import { argument, command } from '../program/command.ts';
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
    { run: 'swarm plans watch 0190f1d2', does: 'Follow a plan', follows: true },
    { run: 'swarm plans watch 0190f1d2 --json', does: 'Print the plan as JSON whenever it has changed', follows: true },
  ],
  async run(context, { args }) {
    const client = await context.client();
    return followPlan(context, client, { planId: await planId(client, args.plan), isNew: false });
  },
});
