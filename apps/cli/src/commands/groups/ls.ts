// `swarm groups ls`: the consumer groups of a namespace.
import type { GroupInfo } from '@hypercode/contracts';
import { printList } from '../../output/listing.ts';
import { dim } from '../../output/parts.ts';
import { Table } from '../../output/table.ts';
import { command, flag } from '../../program/command.ts';
import type { CommandContext } from '../../program/context.ts';
import { pageInput, pageOptions } from '../../program/page-options.ts';
import { GROUP_COLUMNS } from './group-columns.ts';

export const groupsLs = command({
  path: ['groups', 'ls'],
  summary: 'List the consumer groups',
  details: 'List the consumer groups, by name. Lag: events after the position of the group, of all topics.',
  calls: ['bus.groups', 'swarm.overview'],
  args: {},
  options: {
    ...pageOptions('groups', 250),
    watch: flag('Go on, and show each group again when it changes'),
  },
  examples: [
    { run: 'swarm groups ls', does: 'Who is behind, and what is dead' },
    { run: 'swarm groups ls --watch', does: 'The groups now, and each one that changes', follows: true },
    { run: 'swarm groups ls --all --json', does: 'All groups, for a script' },
  ],
  async run(context, { options }) {
    if (options.watch) return followGroups(context);
    const client = await context.client();
    await printList(context.output, {
      columns: GROUP_COLUMNS,
      searched: `consumer groups in the namespace ${await context.namespace()}`,
      all: options.all,
      async page(cursor) {
        const { groups, nextCursor } = await client.bus.groups(pageInput(options, cursor, 250));
        return { rows: groups, nextCursor };
      },
    });
  },
});

/** Each group, and again when it changed, at most every two seconds. */
async function followGroups(context: CommandContext): Promise<void> {
  const { output, signal } = context;
  const client = await context.client();
  const onInterruption = (error: Error): void => output.note(dim(`${error.message}; it will be tried again`));
  const table = new Table(output, GROUP_COLUMNS);
  const before = new Map<string, GroupInfo>();
  for await (const { groups } of client.overview({ signal, onInterruption })) {
    for (const group of groups) {
      // An overview that follows another one has the same object for a group that did not change.
      if (before.get(group.group) === group) continue;
      before.set(group.group, group);
      if (output.json) output.object(group);
      else table.add(group);
    }
    table.flush();
    await output.drained();
  }
}
