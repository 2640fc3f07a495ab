// `swarm agents history`: what changed of one agent, newest first.
import type { AgentChange } from '@hypercode/contracts';
import { printList } from '../../output/listing.ts';
import { stateWord } from '../../output/states.ts';
import { showTime } from '../../output/times.ts';
import { argument, command } from '../../program/command.ts';
import { pageInput, pageOptions } from '../../program/page-options.ts';

export const agentsHistory = command({
  path: ['agents', 'history'],
  summary: 'List the changes of one agent, newest first',
  calls: ['registry.history'],
  args: { agent: argument('Name of the agent, in full: it may have been removed', 'agent') },
  options: pageOptions('changes'),
  examples: [
    { run: 'swarm agents history ada', does: 'What happened to the agent ada' },
    { run: 'swarm agents history ada --all --json', does: 'All of it, for a script' },
  ],
  async run(context, { args, options }) {
    const client = await context.client();
    await printList<AgentChange>(context.output, {
      columns: [
        { title: 'at', value: ({ at }) => showTime(at) },
        { title: 'revision', value: ({ revision }) => String(revision), align: 'right' },
        { title: 'change', value: ({ change }) => change },
        { title: 'health', value: ({ agent }) => stateWord(agent.status.health) },
        { title: 'circuit', value: ({ agent }) => stateWord(agent.status.circuit) },
        { title: 'version', value: ({ agent }) => agent.version, optional: true },
        { title: 'reason', value: ({ agent }) => agent.status.reason ?? '', optional: true },
      ],
      searched: `changes of the agent ${args.agent} in the namespace ${await context.namespace()}`,
      all: options.all,
      async page(cursor) {
        const { changes, nextCursor } = await client.registry.history({
          name: args.agent,
          ...pageInput(options, cursor),
        });
        return { rows: changes, nextCursor };
      },
    });
  },
});
