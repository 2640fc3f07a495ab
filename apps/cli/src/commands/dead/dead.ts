// `swarm dead ls|redrive|discard`: events that a group has given up.
import type { DeadLetter, GroupInfo } from '@hypercode/contracts';
import { groupName } from '../../connection/names.ts';
import { printList } from '../../output/listing.ts';
import { counted } from '../../output/counted.ts';
import { showAgo } from '../../output/times.ts';
import { argument, command, flag, optionalArgument, restArguments } from '../../program/command.ts';
import type { CommandContext } from '../../program/context.ts';
import { wrongUsage } from '../../program/exit-codes.ts';
import { pageInput, pageOptions } from '../../program/page-options.ts';

const group = argument('Name of the group, or the beginning of it', 'group');
const deliveries = restArguments('Delivery ids, as swarm dead ls --json shows them');

export const deadLs = command({
  path: ['dead', 'ls'],
  summary: 'List the dead letters of a group, oldest first',
  details: 'List the dead letters of a group, oldest first; without a group, the groups that have some.',
  calls: ['bus.deadLetters', 'bus.groups'],
  args: { group: optionalArgument('Name of the group, or the beginning of it', 'group') },
  options: pageOptions('dead letters'),
  examples: [
    { run: 'swarm dead ls', does: 'Which groups have given something up' },
    { run: 'swarm dead ls orders', does: 'What failed, and why' },
    { run: 'swarm dead ls orders --all --json', does: 'All of it with data and attempts, for a script' },
  ],
  async run(context, { args, options }) {
    const { output, clock } = context;
    const client = await context.client();
    if (args.group === undefined) return listGroupsWithDead(context);
    const name = await groupName(client, args.group);
    const nowMs = clock.epochMs();
    await printList<DeadLetter>(output, {
      columns: [
        { title: 'event', value: ({ event }) => event.id },
        { title: 'topic', value: ({ event }) => event.topic },
        { title: 'died', value: ({ deadAt }) => showAgo(deadAt, nowMs) },
        { title: 'attempts', value: ({ history }) => String(history.length), align: 'right' },
        { title: 'reason', value: ({ reason }) => reason ?? '-' },
        { title: 'source', value: ({ event }) => event.source, optional: true },
      ],
      searched: `dead letters in the group ${name}`,
      all: options.all,
      async page(cursor) {
        const { deadLetters, nextCursor } = await client.bus.deadLetters({
          group: name,
          ...pageInput(options, cursor),
        });
        return { rows: deadLetters, nextCursor };
      },
    });
  },
});

async function listGroupsWithDead(context: CommandContext): Promise<void> {
  const client = await context.client();
  await printList<GroupInfo>(context.output, {
    columns: [
      { title: 'group', value: ({ group: name }) => name },
      { title: 'dead', value: ({ deadLetters }) => String(deadLetters), align: 'right' },
      { title: 'reasons', value: ({ deadByReason }) => deadByReason.map(reasonWords).join(', ') },
    ],
    searched: `dead letters in the namespace ${await context.namespace()}`,
    all: true,
    async page(cursor) {
      const { groups, nextCursor } = await client.bus.groups({ limit: 250, ...(cursor && { cursor }) });
      return { rows: groups.filter(({ deadLetters }) => deadLetters > 0), nextCursor };
    },
  });
}

const reasonWords = ({ reason, count }: GroupInfo['deadByReason'][number]): string =>
  `${count}: ${reason ?? 'none given'}`;

export const deadRedrive = command({
  path: ['dead', 'redrive'],
  summary: 'Deliver dead letters again',
  details: 'Deliver dead letters again, beginning with attempt 1. Give delivery ids, or --all for all of the group.',
  calls: ['bus.redrive'],
  args: { group, deliveries },
  options: { all: flag('All dead letters of the group') },
  examples: [{ run: 'swarm dead redrive orders --all', does: 'Try all of them again' }],
  async run(context, { args, options }) {
    const { client, choice } = await chosen(context, { ...args, ...options });
    const { count } = await client.bus.redrive(choice);
    if (context.output.json) return context.output.object({ count });
    context.output.line(`${counted(count, 'dead letter')} of ${choice.group} will be delivered again`);
  },
});

export const deadDiscard = command({
  path: ['dead', 'discard'],
  summary: 'Discard dead letters for good',
  calls: ['bus.discard'],
  args: { group, deliveries },
  options: { all: flag('All dead letters of the group') },
  examples: [{ run: 'swarm dead discard orders --all --yes', does: 'Give all of them up, without a question' }],
  async run(context, { args, options }) {
    const { client, choice } = await chosen(context, { ...args, ...options });
    const which = options.all ? 'all dead letters' : counted(args.deliveries.length, 'dead letter');
    await context.confirm(`Discard ${which} of the group ${choice.group} for good?`);
    const { count } = await client.bus.discard(choice);
    if (context.output.json) return context.output.object({ count });
    context.output.line(`${counted(count, 'dead letter')} of ${choice.group} discarded`);
  },
});

async function chosen(
  context: CommandContext,
  given: { readonly group: string; readonly deliveries: readonly string[]; readonly all: boolean },
) {
  if (given.all === given.deliveries.length > 0) throw wrongUsage('give either delivery ids or --all');
  const client = await context.client();
  const name = await groupName(client, given.group);
  const choice = given.all ? { group: name, all: true as const } : { group: name, deliveryIds: [...given.deliveries] };
  return { client, choice };
}
