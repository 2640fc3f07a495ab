// `swarm agents ls`: the agents of a namespace, by name.
import { printList } from '../../output/listing.ts';
import { command, flag, restArguments } from '../../program/command.ts';
import { pageInput, pageOptions } from '../../program/page-options.ts';
import { followAgents } from './follow-agents.ts';
import { agentColumns } from './agent-columns.ts';
import { wrongUsage } from '../../program/exit-codes.ts';
import { AGENT_FILTER, agentFilter, searchedAgents } from './agent-filter.ts';

export const agentsLs = command({
  path: ['agents', 'ls'],
  summary: 'List the agents',
  details: 'List the agents that have all of the given words and match all of the given filters, by name.',
  calls: ['registry.query'],
  args: { words: restArguments('Words that must occur in name, role, description, capabilities or labels') },
  options: {
    ...AGENT_FILTER,
    ...pageOptions('agents'),
    watch: flag('Go on, and show each agent again when it changes'),
  },
  examples: [
    { run: 'swarm agents ls', does: 'All agents' },
    { run: 'swarm agents ls --health unhealthy', does: 'The agents that do not answer' },
    { run: 'swarm agents ls --role worker --watch', does: 'The workers now, and each one that changes', follows: true },
    { run: 'swarm agents ls --role worker --label team=a --all --json', does: 'Workers of a team, for a script' },
  ],
  async run(context, { args, options }) {
    const { output, clock } = context;
    const client = await context.client();
    const words = args.words.length === 0 ? undefined : args.words.join(' ');
    const { limit, all, watch, ...filter } = options;
    if (watch) {
      if (words !== undefined) throw wrongUsage('--watch takes filters, and no words');
      return followAgents(context, agentFilter(filter), { onlyChanges: false });
    }
    await printList(output, {
      columns: agentColumns(clock.epochMs()),
      searched: searchedAgents(filter, { ...(words !== undefined && { words }), namespace: await context.namespace() }),
      all,
      async page(cursor) {
        const { agents, nextCursor } = await client.registry.query(
          {
            ...agentFilter(filter),
            ...(words !== undefined && { text: words }),
            ...pageInput({ limit, all }, cursor),
          },
          { signal: context.signal },
        );
        return { rows: agents, nextCursor };
      },
    });
  },
});
