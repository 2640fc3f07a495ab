// `swarm groups get`: one group, its members, and what it has under way.
import type { GroupMember, OpenDelivery } from '@hypercode/contracts';
import { groupName } from '../../connection/names.ts';
import { bold, partsOf, yellow } from '../../output/parts.ts';
import { countWord } from '../../output/states.ts';
import { printFacts, Table } from '../../output/table.ts';
import { showAgo, showDuration } from '../../output/times.ts';
import { argument, command, integer } from '../../program/command.ts';

export const groupsGet = command({
  path: ['groups', 'get'],
  summary: 'Show one group, its members and its open deliveries',
  calls: ['groups.get'],
  args: { group: argument('Name of the group, or the beginning of it', 'group') },
  options: { limit: integer('How many open deliveries to show (at most 500)', { max: 500 }) },
  examples: [
    { run: 'swarm groups get orders', does: 'Who works for the group, and on what' },
    { run: 'swarm groups get orders --json', does: 'The same for a script' },
  ],
  async run(context, { args, options }) {
    const { output, clock } = context;
    const client = await context.client();
    const group = await groupName(client, args.group);
    const seen = await client.groups.get({ group, limit: options.limit ?? 20 });
    if (output.json) return output.object(seen);
    const nowMs = clock.epochMs();
    const { paused, settings, ...info } = seen.group;
    printFacts(output, [
      ['group', info.group],
      [
        'state',
        paused === null
          ? 'active'
          : [
              yellow('paused'),
              ` by ${paused.by} ${showAgo(paused.at, nowMs)}${paused.reason === null ? '' : `: ${paused.reason}`}`,
            ],
      ],
      ['topics', settings.topics.join(' ')],
      [
        'settings',
        `deadline ${showDuration(settings.ackDeadlineMs)}, ${settings.maxDeliveries} deliveries, version ${settings.version}`,
      ],
      ['made by', `${info.madeBy ?? '-'} ${info.madeAt === null ? '' : showAgo(info.madeAt, nowMs)}`],
      ['owned by', info.ownedBy ?? '-'],
      ['position', `${info.position}, lag ${info.lag}`],
      ['open', `${info.inFlight} in flight, ${info.waiting} waiting for another attempt`],
      [
        'dead letters',
        [...partsOf(countWord(info.deadLetters)), info.deadLetters > 0 ? `: swarm dead ls ${info.group}` : ''],
      ],
    ]);
    output.line();
    output.line(bold(seen.members.length === 0 ? 'No members: no consumer takes events of this group.' : 'Members'));
    const members = new Table<GroupMember>(output, [
      { title: 'consumer', value: ({ consumer }) => consumer },
      { title: 'in flight', value: ({ inFlight }) => String(inFlight), align: 'right' },
      { title: 'last sign', value: ({ lastSignAt }) => showAgo(lastSignAt, nowMs) },
      {
        title: 'state',
        value: ({ passedOver }) => (passedOver ? yellow('passed over: let its deadlines pass') : 'taking part'),
      },
    ]);
    for (const member of seen.members) members.add(member);
    members.flush();
    if (seen.open.length === 0) return;
    output.line();
    output.line(bold(`Open deliveries${seen.nextCursor === null ? '' : ` (the first ${seen.open.length})`}`));
    const open = new Table<OpenDelivery>(output, [
      { title: 'position', value: ({ position }) => position },
      { title: 'topic', value: ({ topic }) => topic },
      { title: 'state', value: ({ state }) => state.replace('_', ' ') },
      { title: 'attempt', value: ({ attempt }) => String(attempt), align: 'right' },
      { title: 'consumer', value: ({ consumer }) => consumer ?? '-', optional: true },
      { title: 'due', value: ({ dueAt }) => showAgo(dueAt, nowMs) },
    ]);
    for (const delivery of seen.open) open.add(delivery);
    open.flush();
  },
});
