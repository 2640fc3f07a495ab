// `swarm agents ls`: the agents of a namespace, by name.
import { printList } from '../../output/listing.ts';
import { command, flag, integer, restArguments } from '../../program/command.ts';
import { agentColumns } from './agent-columns.ts';
import { AGENT_FILTER, agentFilter, searchedAgents } from './agent-filter.ts';

export const agentsLs = command({
  path: ['agents', 'ls'],
  summary: 'List the agents',
  details: 'List the agents that have all of the given words and match all of the given filters, by name.',
  calls: ['registry.query'],
  args: { words: restArguments('Words that must occur in name, role, description, capabilities or labels') },
  options: {
    ...AGENT_FILTER,
    limit: integer('Agents on the page that is shown', { max: 500 }),
    all: flag('Show all pages'),
  },
  examples: [
    { run: 'swarm agents ls', does: 'All agents' },
    { run: 'swarm agents ls --health unhealthy', does: 'The agents that do not answer' },
    { run: 'swarm agents ls --role worker --label team=a --all --json', does: 'Workers of a team, for a script' },
  ],
  async run(context, { args, options }) {
    const { output, clock } = context;
    const client = await context.client();
    const words = args.words.length === 0 ? undefined : args.words.join(' ');
    const { limit, all, ...filter } = options;
    await printList(output, {
      columns: agentColumns(clock.epochMs()),
      searched: searchedAgents(filter, { ...(words !== undefined && { words }), namespace: await context.namespace() }),
      all,
      async page(cursor) {
        const { agents, nextCursor } = await client.registry.query(
          {
            ...agentFilter(filter),
            ...(words !== undefined && { text: words }),
            limit: limit ?? (all ? 500 : 50),
            ...(cursor !== undefined && { cursor }),
          },
          { signal: context.signal },
        );
        return { rows: agents, nextCursor };
      },
    });
  },
});
