// `swarm agents rm`: removes an agent, and ends its tokens.
import { agentName } from '../../connection/names.ts';
import { argument, command, text } from '../../program/command.ts';

export const agentsRm = command({
  path: ['agents', 'rm'],
  summary: 'Remove an agent',
  details: 'Remove an agent. All of its tokens stop working at once.',
  calls: ['registry.deregister'],
  args: { agent: argument('Name of the agent, or the beginning of it', 'agent') },
  options: { reason: text('TEXT', 'Why; watchers receive it') },
  examples: [{ run: 'swarm agents rm mallory --reason "not ours" --yes', does: 'Remove an agent without a question' }],
  async run(context, { args, options }) {
    const { output } = context;
    const client = await context.client();
    const name = await agentName(client, args.agent);
    await context.confirm(`Remove the agent ${name} of the namespace ${await context.namespace()}?`);
    const result = await client.registry.deregister({
      name,
      ...(options.reason !== undefined && { reason: options.reason }),
    });
    if (output.json) output.object(result);
    else output.line(`removed agent ${name}`);
  },
});
