// `swarm dead ls|redrive|discard`: events that a group has given up.
import { actOnDeadLetters, type DeadLetterAct } from '@hypercode/client';
import type { DeadLetter, GroupInfo } from '@hypercode/contracts';
import { groupName } from '../../connection/names.ts';
import { printList } from '../../output/listing.ts';
import { counted } from '../../output/counted.ts';
import { showAgo } from '../../output/times.ts';
import { argument, command, flag, optionalArgument, restArguments, text } from '../../program/command.ts';
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

const which = {
  all: flag('All dead letters of the group'),
  reason: text('TEXT', 'Those that died for exactly this reason'),
  noReason: flag('Those for which no reason was given: the deadline of the last attempt passed'),
};

export const deadRedrive = command({
  path: ['dead', 'redrive'],
  summary: 'Deliver dead letters again',
  details:
    'Deliver dead letters again, beginning with attempt 1. Give delivery ids, --reason or --no-reason for those of one reason, or --all for ' +
    'all of the group. Those of one reason are redriven page by page; an event that dies again meanwhile is not redriven twice.',
  calls: ['bus.redrive'],
  args: { group, deliveries },
  options: which,
  examples: [
    { run: 'swarm dead redrive orders --all', does: 'Try all of them again' },
    { run: "swarm dead redrive orders --reason 'no paper'", does: 'Only what failed for this reason' },
  ],
  async run(context, { args, options }) {
    const { name, choice } = await chosen(context, { ...args, ...options });
    const count = await act(context, 'redrive', { name, choice });
    if (context.output.json) return context.output.object({ count });
    context.output.line(`${counted(count, 'dead letter')} of ${name} will be delivered again`);
  },
});

export const deadDiscard = command({
  path: ['dead', 'discard'],
  summary: 'Discard dead letters for good',
  details:
    'Discard dead letters for good. Give delivery ids, --reason or --no-reason for those of one reason, or --all for all of the group.',
  calls: ['bus.discard'],
  args: { group, deliveries },
  options: which,
  examples: [
    { run: 'swarm dead discard orders --all --yes', does: 'Give all of them up, without a question' },
    { run: "swarm dead discard orders --reason 'no paper' --yes", does: 'Only what failed for this reason' },
  ],
  async run(context, { args, options }) {
    const { name, choice } = await chosen(context, { ...args, ...options });
    await context.confirm(`Discard ${wordsOf(choice)} of the group ${name} for good?`);
    const count = await act(context, 'discard', { name, choice });
    if (context.output.json) return context.output.object({ count });
    context.output.line(`${counted(count, 'dead letter')} of ${name} discarded`);
  },
});

/** `reason` null: none was given. */
type Choice = { readonly all: true } | { readonly deliveryIds: string[] } | { readonly reason: string | null };

interface Chosen {
  /** Of the group. */
  readonly name: string;
  readonly choice: Choice;
}

interface Given {
  readonly group: string;
  readonly deliveries: readonly string[];
  readonly all: boolean;
  readonly reason: string | undefined;
  readonly noReason: boolean;
}

async function chosen(
  context: CommandContext,
  { group: given, deliveries: ids, all, reason, noReason }: Given,
): Promise<Chosen> {
  const choices: Choice[] = [
    ...(all ? [{ all } as const] : []),
    ...(ids.length > 0 ? [{ deliveryIds: [...ids] }] : []),
    ...(reason === undefined ? [] : [{ reason }]),
    ...(noReason ? [{ reason: null }] : []),
  ];
  const [choice, ...others] = choices;
  if (choice === undefined || others.length > 0)
    throw wrongUsage('give one of: delivery ids, --reason, --no-reason, --all');
  return { name: await groupName(await context.client(), given), choice };
}

function wordsOf(choice: Choice): string {
  if ('all' in choice) return 'all dead letters';
  if ('deliveryIds' in choice) return counted(choice.deliveryIds.length, 'dead letter');
  return choice.reason === null
    ? 'the dead letters without a reason'
    : `the dead letters with the reason "${choice.reason}"`;
}

/** Gives how many were redriven or discarded. */
async function act(context: CommandContext, what: DeadLetterAct, { name, choice }: Chosen): Promise<number> {
  const client = await context.client();
  if ('reason' in choice) {
    const isWanted = ({ reason }: DeadLetter): boolean => reason === choice.reason;
    return actOnDeadLetters({ client, group: name, act: what, isWanted });
  }
  const { count } = await client.bus[what]({ group: name, ...choice });
  return count;
}
