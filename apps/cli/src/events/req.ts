// `events req`: publishes an event and waits for the answer, which has the same correlationId.
import { argument, command, duration, list, optionalArgument } from '../program/command.ts';
import { interrupted, refused } from '../program/exit-codes.ts';
import { showDuration } from '../output/times.ts';
import { printEvent } from './event-lines.ts';
import { dataOf } from './event-data.ts';
import { Outage } from './outage.ts';

const DEFAULT_TIMEOUT_MS = 30_000;

export const eventsReq = command({
  path: ['events', 'req'],
  summary: 'Publish an event and wait for its answer',
  details:
    'The answer is the first other event with the same correlationId. It is waited for from before the question is published, so ' +
    'that none is missed. Ends with 1 when none comes in time.',
  calls: ['bus.subscribe', 'bus.publish'],
  args: {
    topic: argument('The topic of the question', 'topic'),
    data: optionalArgument('Its data, as JSON (default: null)'),
  },
  options: {
    answer: list('PATTERN', 'Topics of the answer (default: all that the token may read)', { completes: 'topic' }),
    timeout: duration('How long to wait for the answer (default: 30s)'),
  },
  examples: [
    {
      run: `swarm events req build.requested '{"branch":"main"}' --answer "build.*" --timeout 1s`,
      does: 'Ask for a build, and wait a second for what comes of it',
      ends: 1,
    },
  ],
  async run(context, { args, options }) {
    const { output, clock, signal } = context;
    const { timeout: timeoutMs = DEFAULT_TIMEOUT_MS, answer } = options;
    const data = dataOf(args.data);
    const client = await context.client();
    const end = new AbortController();
    const outage = new Outage({
      clock,
      signal: AbortSignal.any([signal, end.signal]),
      note: (line) => output.note(line),
    });
    const id = clock.newId();
    const correlationId = clock.newId();
    const answers = client.subscribe({
      topics: answer.length === 0 ? ['>'] : answer,
      signal: outage.signal,
      onInterruption: outage.lost,
    });
    const cancel = clock.schedule(timeoutMs, () => end.abort());
    try {
      let isAsked = false;
      for await (const item of answers) {
        outage.answered();
        // The first value says that the stream is attached.
        if (!isAsked) {
          isAsked = true;
          await client.bus.publish({ id, topic: args.topic, data: data as never, correlationId }, { signal });
        }
        if (item.type !== 'event' || item.event.id === id || item.event.correlationId !== correlationId) continue;
        printEvent(output, item, clock.epochMs());
        return;
      }
    } finally {
      cancel();
    }
    outage.check();
    if (signal.aborted) throw interrupted();
    throw refused(
      `no answer came within ${showDuration(timeoutMs)}`,
      `see what became of the question: swarm events trace ${id}`,
    );
  },
});
