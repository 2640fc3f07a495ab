// `events trace`: what became of an event, and what to do about it.
import type { SwarmClient } from '@hypercode/client';
import type { EventTrace } from '@hypercode/contracts';
import { argument, command, text } from '../program/command.ts';
import { sourceOf } from './event-lines.ts';
import { traceLines } from './trace-lines.ts';
import type { Around } from './what-to-do.ts';
import { groupsNow } from './who-takes.ts';

const UUID = /^[\da-f]{8}(?:-[\da-f]{4}){3}-[\da-f]{12}$/i;

export const eventsTrace = command({
  path: ['events', 'trace'],
  summary: 'Show what became of an event, and what to do about it',
  details:
    'Draws a tree: what led to the event, which rule let it in, what became of it in each group (who had it, when, and why not), which ' +
    'streams have had it, and which events followed from it. The last line says what to do. Tracing changes nothing.',
  calls: ['bus.trace'],
  args: { event: argument('The id of the event, or its position') },
  options: {
    source: text('SOURCE', 'When several sources have used the id: the name of an agent, or a whole source', {
      completes: 'agent',
    }),
  },
  examples: [
    { run: 'swarm events trace 0190f1d2-0000-7000-8000-000000000001', does: 'Find out why an event did not arrive' },
  ],
  async run(context, { args, options }) {
    const { output, clock, signal } = context;
    const client = await context.client();
    const source = options.source === undefined ? undefined : sourceOf(options.source, await context.namespace());
    const input = UUID.test(args.event) ? { id: args.event, source } : { position: args.event };
    const trace = await client.bus.trace(input, { signal });
    if (output.json) return output.object(trace);
    for (const line of traceLines(trace, clock.epochMs(), await aroundOf(client, trace))) output.line(line);
  },
});

/** What the advice needs besides the trace: is the group paused that has yet to come to it, and is the topic mistyped? */
async function aroundOf(client: SwarmClient, { event, groups, streams }: EventTrace): Promise<Around> {
  const unread = groups.filter(({ state }) => state === 'unread').map(({ group }) => group);
  const isTaken =
    groups.some(({ state }) => state !== 'not_matching' && state !== 'before_group') ||
    streams.list.some(({ state }) => state !== 'not_matching');
  const preview = isTaken ? null : await client.bus.preview({ topic: event.event.topic }).catch(() => null);
  return { groups: await groupsNow(client, unread), similar: preview?.similar ?? [] };
}
