// `events pub`: publishes one event from arguments, or many from JSON Lines of a file or of stdin.
import { createReadStream } from 'node:fs';
import { stat } from 'node:fs/promises';
import { resolve } from 'node:path';
import { SwarmError, type SwarmClient } from '@hypercode/client';
import { dim } from '../output/parts.ts';
import { startProgress } from '../output/progress.ts';
import { command, flag, optionalArgument, text } from '../program/command.ts';
import type { CommandContext } from '../program/context.ts';
import { EXIT, type ExitCode, wrongUsage } from '../program/exit-codes.ts';
import { parseExact } from '../output/exact-json.ts';
import { dataOf } from './event-data.ts';
import { Outage } from './outage.ts';
import { type Outgoing, type OutgoingEvent, publishInBatches } from './publish-batches.ts';
import { readLines, type TextLine } from './read-lines.ts';

const OPTIONS = {
  file: text('FILE', 'Publish JSON Lines of this file (- for stdin): events, or with TOPIC their data', {
    completes: 'file',
  }),
  text: flag('DATA is a text and not JSON'),
  id: text('UUID', 'Id of the event: publishing it again adds nothing (default: a new one)'),
  correlation: text('ID', 'The conversation that it belongs to (correlationId)'),
  causation: text('ID', 'The event that led to it (causationId)'),
  subject: text('SUBJECT', 'What within the source it is about'),
  mandatory: flag('Refuse it when nobody takes it'),
};

export const eventsPub = command({
  path: ['events', 'pub'],
  summary: 'Publish events',
  details:
    'With --file each line is an event, such as {"topic":"a.b","data":1}; with TOPIC, too, each line is the data of one. Lines are ' +
    'published in their order; one that is refused is reported with its number, and the others are published. Ends with 1 when one was ' +
    'refused.',
  calls: ['bus.publish', 'bus.publishMany'],
  args: {
    topic: optionalArgument('The topic', 'topic'),
    data: optionalArgument('The data, as JSON (default: null)'),
  },
  options: OPTIONS,
  examples: [
    {
      run: `swarm events pub build.requested '{"branch":"main"}' --id 0190f1d2-0000-7000-8000-000000000001`,
      does: 'Publish one event, under an id of its own',
    },
    { run: 'swarm events pub notes.written --text "Hello there"', does: 'Publish a text' },
    { run: 'swarm events pub --file events.jsonl', does: 'Publish the events of a file' },
    {
      run: 'swarm events pub numbers.counted --file - --json',
      does: 'Publish each line of stdin as the data of an event',
    },
  ],
  async run(context, { args, options }) {
    const { file, id, correlation, causation, subject, mandatory } = options;
    const shared = {
      ...(correlation === undefined ? {} : { correlationId: correlation }),
      ...(causation === undefined ? {} : { causationId: causation }),
      ...(subject === undefined ? {} : { subject }),
      ...(mandatory ? { mandatory } : {}),
    };
    if (file !== undefined) {
      if (args.data !== undefined || id !== undefined || options.text)
        throw wrongUsage('--file cannot be given together with DATA, --id or --text: each line has its own');
      return publishFile(context, file, (line) => eventOf(context, args.topic, line, shared));
    }
    if (args.topic === undefined) throw wrongUsage('give a TOPIC, or --file', 'swarm events pub --help shows how');
    const data = options.text ? (args.data ?? '') : dataOf(args.data);
    const event = { ...shared, topic: args.topic, data: data as never, id: id ?? context.clock.newId() };
    return publishOne(context, await context.client(), event);
  },
});

async function publishOne(
  { output, signal }: CommandContext,
  client: SwarmClient,
  event: OutgoingEvent,
): Promise<void> {
  try {
    const result = await client.bus.publish(event, { signal });
    if (output.json) output.object(result);
    else output.line(`${result.duplicate ? 'was published before' : 'published'}: ${result.id} at ${result.position}`);
    if (output.isAttended && !output.json) output.note(dim(`swarm events trace ${result.id} shows what becomes of it`));
  } catch (error) {
    if (SwarmError.from(error).is('UNAVAILABLE'))
      output.note(`it may have been published: to be sure, publish it again with --id ${event.id}`);
    throw error;
  }
}

/** An event that is given as a line. */
function eventOf(
  { clock }: CommandContext,
  topic: string | undefined,
  { text: line, number }: TextLine,
  shared: Partial<OutgoingEvent>,
): OutgoingEvent {
  let value: unknown;
  try {
    value = parseExact(line);
  } catch (error) {
    throw wrongUsage(`line ${number} is not JSON: ${error instanceof Error ? error.message : ''}`);
  }
  if (topic !== undefined) return { ...shared, id: clock.newId(), topic, data: value as never };
  if (typeof value !== 'object' || value === null || Array.isArray(value) || !('topic' in value))
    throw wrongUsage(`line ${number} is no event: it needs a "topic"`, 'with TOPIC, each line is the data of an event');
  return { ...shared, id: clock.newId(), ...value } as OutgoingEvent;
}

async function publishFile(
  context: CommandContext,
  file: string,
  read: (line: TextLine) => OutgoingEvent,
): Promise<ExitCode> {
  const { output, clock, signal, surroundings } = context;
  const path = resolve(surroundings.cwd, file);
  const size = file === '-' ? null : await sizeOf(path);
  const client = await context.client();
  const outage = new Outage({ clock, signal, note: (line) => output.note(line) });
  const progress = await startProgress(output, size, 'publishing');
  const startedMs = clock.monotonicMs();
  const count = { published: 0, duplicate: 0, refused: 0 };
  const rate = (): string => {
    const seconds = Math.max(0.001, (clock.monotonicMs() - startedMs) / 1000);
    return `${count.published} events, ${Math.round(count.published / seconds)} a second`;
  };
  async function* outgoing(): AsyncGenerator<Outgoing<TextLine>> {
    const chunks: AsyncIterable<Uint8Array> = size === null ? surroundings.stdin : createReadStream(path);
    for await (const line of readLines(chunks)) yield { event: read(line), length: line.text.length, note: line };
  }
  try {
    for await (const results of publishInBatches(client, outgoing(), outage)) {
      for (const {
        outgoing: { note: line },
        result,
      } of results) {
        if ('error' in result) {
          count.refused += 1;
          output.note(`line ${line.number} was refused: ${result.error.message} (${result.error.code})`);
        } else {
          count.published += 1;
          if (result.duplicate) count.duplicate += 1;
        }
        if (output.json) output.object(result);
      }
      progress.at(results.at(-1)?.outgoing.note.end ?? 0, rate());
      await output.drained();
    }
  } finally {
    progress.end();
  }
  const { duplicate, refused } = count;
  output.note(
    `published ${rate()}${duplicate === 0 ? '' : `; ${duplicate} were published before`}${refused === 0 ? '' : `; ${refused} were refused`}`,
  );
  return refused === 0 ? EXIT.done : EXIT.no;
}

async function sizeOf(file: string): Promise<number> {
  try {
    return (await stat(file)).size;
  } catch (error) {
    throw wrongUsage(`--file: ${error instanceof Error ? error.message : String(error)}`);
  }
}
