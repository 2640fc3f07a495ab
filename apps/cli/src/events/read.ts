// `events read`: a page of the log, in either order, by topic, time, source and conversation.
import { command, flag, integer, text } from '../program/command.ts';
import { printEvent } from './event-lines.ts';
import { Outage } from './outage.ts';
import { FILTER_OPTIONS, filterOf, PAGE, searched, TOPICS } from './read-filter.ts';

export const eventsRead = command({
  path: ['events', 'read'],
  summary: 'Read events of the log',
  details: 'Reading takes nothing from a group. Without --all it prints one page, and says how to go on.',
  calls: ['bus.read'],
  args: { topics: TOPICS },
  options: {
    ...FILTER_OPTIONS,
    newest: flag('The newest first'),
    after: text('POSITION', 'Only events after this position'),
    before: text('POSITION', 'Only events before this position'),
    limit: integer('Most events to print (default: 50)'),
    all: flag('Print every event that matches'),
  },
  examples: [
    { run: 'swarm events read --newest --limit 5', does: 'Read the five newest events' },
    {
      run: 'swarm events read "build.>" --since 1h --all --json',
      does: 'Read an hour of builds, one JSON object a line',
    },
  ],
  async run(context, { args, options }) {
    const { output, clock, signal } = context;
    const client = await context.client();
    const filter = await filterOf(context, { args, options });
    const outage = new Outage({ clock, signal, note: (line) => output.note(line) });
    const order = options.newest ? 'newest' : 'oldest';
    const most = options.all ? Infinity : (options.limit ?? 50);
    let { after, before } = options;
    let shown = 0;
    for (;;) {
      const input = { ...filter, order, after, before, limit: Math.min(PAGE, most - shown) } as const;
      const { events, next, end } = await outage.call(() => client.bus.read(input, { signal }));
      for (const logged of events) {
        printEvent(output, logged, clock.epochMs());
        await output.drained();
      }
      shown += events.length;
      if (end) break;
      if (shown >= most) {
        output.note(
          `there may be more: go on with --${order === 'newest' ? 'before' : 'after'} ${next}, or give --all`,
        );
        break;
      }
      if (order === 'newest') before = next;
      else after = next;
    }
    if (shown === 0) output.note(`no events of ${searched(filter)}`);
  },
});
