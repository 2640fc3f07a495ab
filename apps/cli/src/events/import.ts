// `events import`: publishes the events of an export, and after a death goes on where it was.
import { type FileHandle, open, rm } from 'node:fs/promises';
import { resolve } from 'node:path';
import { SwarmError, type SwarmClient } from '@hypercode/client';
import { startProgress } from '../output/progress.ts';
import { argument, command, flag } from '../program/command.ts';
import type { CommandContext } from '../program/context.ts';
import { refused } from '../program/exit-codes.ts';
import { parseExact } from '../output/exact-json.ts';
import {
  importStatePathOf,
  type ImportState,
  type ImportTarget,
  isOf,
  newImport,
  readImport,
  writeImport,
} from './import-state.ts';
import { Outage } from './outage.ts';
import { type Outgoing, type OutgoingEvent, publishInBatches } from './publish-batches.ts';
import { readLines, type TextLine } from './read-lines.ts';

export const eventsImport = command({
  path: ['events', 'import'],
  summary: 'Publish the events of an export',
  details:
    'Events keep their ids, times, data and conversations; their source becomes that of the token, and their positions are new. Events of ' +
    'the core itself (system.>) are left out. Beside the file stands how far the import came, for each swarm: the same command goes on ' +
    'there after an interruption, and does nothing when everything is imported. It stops at an event that the core refuses.',
  calls: ['bus.publishMany', 'bus.find'],
  args: { file: argument('The file of an export', 'file') },
  options: { again: flag('Begin anew, although the file was imported before') },
  examples: [{ run: 'swarm events import all.jsonl', does: 'Publish the events of an export' }],
  async run(context, { args, options }) {
    const client = await context.client();
    // Loaded with the command: the schemas beside it take their time.
    const { agentSource, operatorSource, SYSTEM_TOPIC } = await import('@hypercode/contracts');
    const [{ url }, namespace, me] = await Promise.all([
      context.target(),
      context.namespace(),
      client.whoami({}, { signal: context.signal }),
    ]);
    const source = me.kind === 'agent' ? agentSource(namespace, me.name) : operatorSource(me.name);
    const target = { url, namespace, source };
    const path = resolve(context.surroundings.cwd, args.file);
    const statePath = importStatePathOf(path, target);
    let file: FileHandle;
    try {
      file = await open(path, 'r');
    } catch (error) {
      throw refused(error instanceof Error ? error.message : String(error));
    }
    try {
      if (options.again) await rm(statePath, { force: true });
      const begun = await readImport(statePath);
      if (begun !== null && !(await isOf(file, begun)))
        throw refused(`${args.file} is not the file that was being imported`, '--again begins anew');
      const state = begun ?? (await newImport(file, target));
      await importFile(context, client, {
        ...{ file, path: args.file, statePath, state },
        isResumed: begun !== null,
        isOfCore: (topic) => topic.startsWith(`${SYSTEM_TOPIC}.`),
      });
    } finally {
      await file.close();
    }
  },
});

interface Import {
  readonly file: FileHandle;
  readonly path: string;
  readonly statePath: string;
  readonly state: ImportState;
  readonly isResumed: boolean;
  /** Whether only a core publishes the topic. */
  readonly isOfCore: (topic: string) => boolean;
}

/** Where an event stands in the file. */
interface Note {
  readonly line: TextLine;
}

async function importFile(context: CommandContext, client: SwarmClient, given: Import): Promise<void> {
  const { output, clock, signal } = context;
  const { file, path, statePath, isResumed, isOfCore } = given;
  let { state } = given;
  const { size } = await file.stat();
  if (state.done && state.offset === size) {
    output.note(`${path} is imported already: ${state.imported} events. --again publishes them again`);
    if (output.json) output.object(resultOf(path, state));
    return;
  }
  if (isResumed) output.note(`going on after line ${state.lines}`);
  const outage = new Outage({ clock, signal, note: (line) => output.note(line) });
  outage.answered();
  const progress = await startProgress(output, size, 'importing');
  const startedMs = clock.monotonicMs();
  const before = state.imported;
  let leftOut = 0;
  const mayPublish = ({ topic }: OutgoingEvent): boolean => {
    if (isOfCore(topic)) leftOut += 1;
    return !isOfCore(topic);
  };
  const source = eventsOf(file, state, mayPublish);
  let found = 0;
  const events = isResumed ? withoutPublished(client, state, source, { outage, onFound: () => (found += 1) }) : source;
  try {
    for await (const results of publishInBatches(client, events, outage)) {
      let { imported, duplicates } = state;
      let line: TextLine | undefined;
      let refusal: { readonly line: TextLine; readonly message: string; readonly code: string } | undefined;
      for (const { outgoing, result } of results) {
        if ('error' in result) {
          refusal = { line: outgoing.note.line, ...result.error };
          break;
        }
        ({ line } = outgoing.note);
        imported += 1;
        if (result.duplicate) duplicates += 1;
      }
      if (line !== undefined) {
        state = { ...state, imported, duplicates, offset: line.end, lines: line.number };
        await writeImport(statePath, state);
      }
      if (refusal !== undefined) {
        throw refused(
          `line ${refusal.line.number} was refused: ${refusal.message} (${refusal.code})`,
          'mend the cause, and start the import again: it goes on with this line',
        );
      }
      const seconds = Math.max(0.001, (clock.monotonicMs() - startedMs) / 1000);
      progress.at(state.offset, `${imported} events, ${Math.round((imported - before) / seconds)} a second`);
    }
  } finally {
    progress.end();
  }
  state = {
    ...state,
    imported: state.imported + found,
    duplicates: state.duplicates + found,
    offset: size,
    done: true,
  };
  await writeImport(statePath, state);
  if (output.json) output.object(resultOf(path, state));
  else
    output.line(
      `${path}: ${state.imported} events are in the log${state.duplicates === 0 ? '' : `, ${state.duplicates} of them from before`}`,
    );
  if (leftOut > 0) output.note(`${leftOut} events of the core itself were left out: only a core publishes them`);
}

const resultOf = (file: string, { imported, duplicates }: ImportState): object => ({ file, imported, duplicates });

async function* eventsOf(
  file: FileHandle,
  { offset, lines }: ImportState,
  isWanted: (event: OutgoingEvent) => boolean,
): AsyncGenerator<Outgoing<Note>> {
  const chunks = file.createReadStream({ start: offset, autoClose: false });
  for await (const line of readLines(chunks, { offset, lines })) {
    const event = eventIn(line);
    if (isWanted(event)) yield { event, length: line.text.length, note: { line } };
  }
}

/** The event of a line as it is published: the core sets source and namespace. */
function eventIn({ text, number, isWhole }: TextLine): OutgoingEvent {
  const value = parsed(text, { number, isWhole });
  if (typeof value === 'object' && value !== null && 'event' in value) {
    const { event } = value;
    if (
      typeof event === 'object' &&
      event !== null &&
      'id' in event &&
      'topic' in event &&
      typeof event.topic === 'string'
    ) {
      const { source: _source, namespace: _namespace, ...kept } = event as Record<string, unknown>;
      return kept as unknown as OutgoingEvent;
    }
  }
  throw refused(`line ${number} is not an event of an export`, 'swarm events pub --file publishes lines of events');
}

function parsed(text: string, { number, isWhole }: Pick<TextLine, 'number' | 'isWhole'>): unknown {
  try {
    return parseExact(text);
  } catch (error) {
    if (!isWhole) throw refused(`line ${number} is cut off`, 'let the export finish, then import again');
    throw refused(`line ${number} is not JSON: ${error instanceof Error ? error.message : ''}`);
  }
}

/**
 * Leaves out what the log has already, of the batch that was under way when the import was interrupted: the window of deduplication may
 * have passed since. Events are published in their order, so the first one that is not there ends the search.
 */
async function* withoutPublished(
  client: SwarmClient,
  { source }: ImportTarget,
  events: AsyncIterable<Outgoing<Note>>,
  { outage, onFound }: { readonly outage: Outage; readonly onFound: () => void },
): AsyncGenerator<Outgoing<Note>> {
  let isSearching = true;
  for await (const outgoing of events) {
    isSearching &&= await isInLog(client, { id: outgoing.event.id, source }, outage);
    if (isSearching) onFound();
    else yield outgoing;
  }
}

async function isInLog(client: SwarmClient, input: { id: string; source: string }, outage: Outage): Promise<boolean> {
  try {
    await outage.call(() => client.bus.find(input, { signal: outage.signal }));
    return true;
  } catch (error) {
    if (SwarmError.from(error).is('NOT_FOUND')) return false;
    throw error;
  }
}
