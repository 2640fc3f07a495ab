// `events find`: the events that have an id.
import { argument, command, text } from '../program/command.ts';
import { sourceOf, printEvent } from './event-lines.ts';

export const eventsFind = command({
  path: ['events', 'find'],
  summary: 'Find an event by its id',
  details: 'Two sources may use one id; then the newest comes first.',
  calls: ['bus.find'],
  args: { id: argument('The whole id of the event') },
  options: {
    source: text('SOURCE', 'Only the event of this source: the name of an agent, or a whole source', {
      completes: 'agent',
    }),
  },
  examples: [
    {
      run: 'swarm events find 0190f1d2-0000-7000-8000-000000000001 --json',
      does: 'Find an event, and print it as JSON',
    },
  ],
  async run(context, { args, options }) {
    const client = await context.client();
    const source = options.source === undefined ? undefined : sourceOf(options.source, await context.namespace());
    const { events } = await client.bus.find({ id: args.id, source }, { signal: context.signal });
    for (const logged of events) printEvent(context.output, logged, context.clock.epochMs());
  },
});
