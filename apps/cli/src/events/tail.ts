// `events tail`: the newest events, and with --follow each new one. Goes on after its position when the core dies and comes back.
import type { SwarmClient } from '@hypercode/client';
import type { LoggedEvent } from '@hypercode/contracts';
import { command, flag, integer } from '../program/command.ts';
import type { CommandContext } from '../program/context.ts';
import { interrupted } from '../program/exit-codes.ts';
import { printEvent, type ShownEvent } from './event-lines.ts';
import { Outage } from './outage.ts';
import { type EventFilter, FILTER_OPTIONS, filterOf, PAGE, searched, TOPICS } from './read-filter.ts';

export const eventsTail = command({
  path: ['events', 'tail'],
  summary: 'Show the newest events, and follow new ones',
  details:
    'With --follow it goes on until Ctrl-C. When the core stops answering, it waits and goes on after the last event: none is lost, and ' +
    'none comes twice. Events that the log has removed before they were read are reported on stderr.',
  calls: ['bus.subscribe', 'bus.read'],
  args: { topics: TOPICS },
  options: {
    source: FILTER_OPTIONS.source,
    correlation: FILTER_OPTIONS.correlation,
    causation: FILTER_OPTIONS.causation,
    since: FILTER_OPTIONS.since,
    last: integer('How many events to show at first, without --since (default: 10)', { min: 0, max: 10_000 }),
    follow: flag('Go on with new events', { short: 'f' }),
  },
  examples: [
    { run: 'swarm events tail', does: 'Show the last ten events' },
    {
      run: 'swarm events tail "build.>" --since 10m',
      does: 'Show what has happened to builds in the last ten minutes',
    },
    { run: 'swarm events tail -f --source builder-1', does: 'Follow what one agent publishes', follows: true },
  ],
  async run(context, { args, options }) {
    const client = await context.client();
    const filter = await filterOf(context, { args, options });
    const { output } = context;
    const outage = new Outage({ clock: context.clock, signal: context.signal, note: (line) => output.note(line) });
    const start: TailStart = { filter, last: options.last ?? 10, outage };
    if (options.follow) await follow(context, client, start);
    else await showKept(context, client, start);
  },
});

interface TailStart {
  readonly filter: EventFilter;
  readonly last: number;
  readonly outage: Outage;
}

async function showKept(
  context: CommandContext,
  client: SwarmClient,
  { filter, last, outage }: TailStart,
): Promise<void> {
  let shown = 0;
  const show = async (logged: LoggedEvent): Promise<void> => {
    shown += 1;
    printEvent(context.output, logged, context.clock.epochMs());
    await context.output.drained();
  };
  if (filter.since === undefined) for (const logged of await newest(client, filter, last, outage)) await show(logged);
  else for await (const logged of kept(client, filter, outage)) await show(logged);
  if (shown === 0) context.output.note(`no events of ${searched(filter)}`);
}

async function follow(
  context: CommandContext,
  client: SwarmClient,
  { filter, last, outage }: TailStart,
): Promise<void> {
  const { output, clock } = context;
  const { topics = ['>'], since } = filter;
  const subscription = client.subscribe({
    topics,
    from: since === undefined ? 'latest' : { time: since },
    signal: outage.signal,
    onInterruption: outage.lost,
  });
  const show = async (shown: ShownEvent): Promise<void> => {
    printEvent(output, shown, clock.epochMs());
    await output.drained();
  };
  /** Shown before the stream comes to them: it was attached first, so that nothing is between. */
  const before = new Set<string>();
  let isAttached = false;
  let position = '';
  for await (const item of subscription) {
    outage.answered(position === '' ? '' : `going on after ${position}`);
    if (!isAttached) {
      isAttached = true;
      if (since === undefined) {
        for (const logged of await newest(client, filter, last, outage)) {
          before.add(logged.position);
          await show(logged);
        }
      }
    }
    if (item.type === 'gap') {
      output.note(`events between ${item.after} and ${item.resumedAt} are missing: ${GAP_WORDS[item.reason]}`);
      position = item.resumedAt;
      continue;
    }
    position = item.position;
    if (item.type === 'event' && !before.has(item.position) && matches(filter, item.event)) await show(item);
  }
  outage.check();
  if (context.signal.aborted) throw interrupted();
}

const GAP_WORDS = {
  retention: 'the log had removed them before they were read',
  log_lost: 'the store of the log has lost them',
};

const matches = ({ source: wanted, correlationId, causationId }: EventFilter, event: LoggedEvent['event']): boolean =>
  (wanted === undefined || event.source === wanted) &&
  (correlationId === undefined || event.correlationId === correlationId) &&
  (causationId === undefined || event.causationId === causationId);

/** The newest events that match, the oldest of them first. */
async function newest(client: SwarmClient, filter: EventFilter, count: number, outage: Outage): Promise<LoggedEvent[]> {
  const events: LoggedEvent[] = [];
  for (let before: string | undefined; events.length < count;) {
    const input = { ...filter, order: 'newest' as const, before, limit: Math.min(PAGE, count - events.length) };
    const page = await outage.call(() => client.bus.read(input, { signal: outage.signal }));
    events.push(...page.events);
    if (page.end) break;
    before = page.next;
  }
  return events.toReversed();
}

/** All kept events that match, in the order of the log. */
async function* kept(client: SwarmClient, filter: EventFilter, outage: Outage): AsyncGenerator<LoggedEvent> {
  for (let after: string | undefined; ;) {
    const input = { ...filter, after, limit: PAGE };
    const page = await outage.call(() => client.bus.read(input, { signal: outage.signal }));
    yield* page.events;
    if (page.end) return;
    after = page.next;
  }
}
