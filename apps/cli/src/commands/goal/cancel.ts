// `swarm goal cancel`: the Architect gives a goal up.
import { goalId } from '../../connection/names.ts';
import { argument, command, text } from '../../program/command.ts';

export const goalCancel = command({
  path: ['goal', 'cancel'],
  summary: 'Cancel a goal',
  details: 'Cancel a goal. The Architect cancels its plan and the tasks that agents work on.',
  calls: ['goals.cancel'],
  args: { goal: argument('Id of the goal, or the beginning of it') },
  options: { reason: text('TEXT', 'Why') },
  examples: [
    {
      run: 'swarm goal cancel 00000000-0000-4000-8000-000000000001 --yes',
      does: 'Give a goal up, without a question',
    },
  ],
  async run(context, { args, options: { reason } }) {
    const { output } = context;
    const client = await context.client();
    const id = await goalId(client, args.goal);
    await context.confirm(`Cancel the goal ${id}?`);
    const result = await client.goals.cancel({ goalId: id, ...(reason !== undefined && { reason }) });
    if (output.json) return output.object(result);
    output.line(`asked the Architect to give up the goal ${result.goalId}`);
  },
});
