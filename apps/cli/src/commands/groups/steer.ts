// `swarm groups pause|resume|update|rm`: what operators do with a consumer group.
import { groupName } from '../../connection/names.ts';
import { argument, command, duration, integer, list, text } from '../../program/command.ts';
import { wrongUsage } from '../../program/exit-codes.ts';

const group = argument('Name of the group, or the beginning of it', 'group');
const reason = text('TEXT', 'Why; shown with the group');

export const groupsPause = command({
  path: ['groups', 'pause'],
  summary: 'Pause a group: it hands nothing out',
  details:
    'Pause a group: it hands nothing out until swarm groups resume. What is in flight may still be acknowledged.',
  calls: ['groups.pause'],
  args: { group },
  options: { reason },
  examples: [{ run: 'swarm groups pause orders --reason "the printer burns"', does: 'Hand out nothing for now' }],
  async run(context, { args, options }) {
    const client = await context.client();
    const result = await client.groups.pause({
      group: await groupName(client, args.group),
      ...(options.reason !== undefined && { reason: options.reason }),
    });
    if (context.output.json) return context.output.object(result);
    context.output.line(`group ${result.group} ${result.changed ? 'is paused' : 'was paused already'}`);
  },
});

export const groupsResume = command({
  path: ['groups', 'resume'],
  summary: 'Resume a group that is paused',
  calls: ['groups.resume'],
  args: { group },
  options: { reason },
  examples: [{ run: 'swarm groups resume orders', does: 'Hand out events again' }],
  async run(context, { args, options }) {
    const client = await context.client();
    const result = await client.groups.resume({
      group: await groupName(client, args.group),
      ...(options.reason !== undefined && { reason: options.reason }),
    });
    if (context.output.json) return context.output.object(result);
    context.output.line(`group ${result.group} ${result.changed ? 'is active' : 'was active already'}`);
  },
});

export const groupsUpdate = command({
  path: ['groups', 'update'],
  summary: 'Change the settings of a group',
  details: 'Change the settings of a group. Settings that are not given stay as they are.',
  calls: ['groups.update'],
  args: { group },
  options: {
    topics: list('PATTERN', 'Topics of the group, in place of those that it has'),
    ackDeadline: duration('How long a member has for an event'),
    maxDeliveries: integer('Deliveries of an event before it becomes a dead letter', { max: 1000 }),
  },
  examples: [{ run: 'swarm groups update orders --ack-deadline 2m', does: 'Two minutes for each event' }],
  async run(context, { args, options }) {
    const { topics, ackDeadline, maxDeliveries } = options;
    if (topics.length === 0 && ackDeadline === undefined && maxDeliveries === undefined) {
      throw wrongUsage('nothing to change: give --topics, --ack-deadline or --max-deliveries');
    }
    const client = await context.client();
    const result = await client.groups.update({
      group: await groupName(client, args.group),
      set: {
        ...(topics.length > 0 && { topics: [...topics] }),
        ...(ackDeadline !== undefined && { ackDeadlineMs: ackDeadline }),
        ...(maxDeliveries !== undefined && { maxDeliveries }),
      },
    });
    if (context.output.json) return context.output.object(result);
    context.output.line(
      result.changed
        ? `group ${result.group} has settings of version ${result.settings.version}`
        : 'nothing was different',
    );
  },
});

export const groupsRm = command({
  path: ['groups', 'rm'],
  summary: 'Delete a group, with its dead letters',
  calls: ['groups.delete'],
  args: { group },
  options: { reason },
  examples: [{ run: 'swarm groups rm trial --yes', does: 'Delete a group without a question' }],
  async run(context, { args, options }) {
    const client = await context.client();
    const name = await groupName(client, args.group);
    const { group: info } = await client.groups.get({ group: name, limit: 1 });
    await context.confirm(
      `Delete the group ${name} with its position, ${info.inFlight + info.waiting} open deliveries and ${info.deadLetters} dead letters?`,
    );
    const result = await client.groups.delete({
      group: name,
      ...(options.reason !== undefined && { reason: options.reason }),
    });
    if (context.output.json) return context.output.object(result);
    context.output.line(`deleted group ${name}`);
  },
});
