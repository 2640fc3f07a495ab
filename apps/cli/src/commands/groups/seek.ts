// `swarm groups seek`: where a consumer group goes on.
import { groupName } from '../../connection/names.ts';
import { parseSince } from '../../output/times.ts';
import { argument, command, flag } from '../../program/command.ts';

export const groupsSeek = command({
  path: ['groups', 'seek'],
  summary: 'Move a group to another place in the log',
  details:
    'Move the position of a group. To an earlier place, events are delivered again; to a later one, events are passed over for good. What is in ' +
    'flight or waiting stays as it is, unless --drop-open is given; dead letters stay.',
  calls: ['groups.seek'],
  args: {
    group: argument('Name of the group, or the beginning of it', 'group'),
    to: argument('earliest, latest, a duration ago such as 10m, an ISO time, or a position'),
  },
  options: { dropOpen: flag('First release what is in flight or waiting; its acks count no more') },
  examples: [
    { run: 'swarm groups seek orders 10m --yes', does: 'Deliver the events of the last ten minutes again' },
    { run: 'swarm groups seek orders latest --yes', does: 'Pass over all that is there now' },
  ],
  async run(context, { args, options }) {
    const { output, clock } = context;
    const client = await context.client();
    const group = await groupName(client, args.group);
    const time = parseSince(args.to, clock.epochMs());
    const to =
      args.to === 'earliest' || args.to === 'latest' ? args.to : time === undefined ? { after: args.to } : { time };
    const drop = options.dropOpen ? ', and drop what is open' : '';
    await context.confirm(
      `Move the group ${group} to ${time ?? args.to}${drop}? Events in between are delivered again, or not at all.`,
    );
    const result = await client.groups.seek({ group, to, dropOpen: options.dropOpen });
    if (output.json) return output.object(result);
    output.line(
      `group ${group} was at ${result.before}, is at ${result.position}; ${result.dropped} open deliveries were dropped`,
    );
  },
});
