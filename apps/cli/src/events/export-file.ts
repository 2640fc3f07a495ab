// The file of an export: JSON Lines of logged events. What is written stands in the file itself; beside it, as long as the export is not
// complete, stands what is exported. A line that was cut off by the death of the process is cut away.
import { type FileHandle, open, rm, stat } from 'node:fs/promises';
import { isDeepStrictEqual } from 'node:util';
import type { LoggedEvent } from '@hypercode/contracts';
import { refused } from '../program/exit-codes.ts';
import { exactText } from '../output/exact-json.ts';
import type { EventFilter } from './read-filter.ts';
import { readState, writeState } from './resume-state.ts';

const FORMAT = 'swarm-export/1';
const NEWLINE = 0x0a;
const CHUNK_BYTES = 64 * 1024;

/** What is exported, as it was asked for. */
export interface ExportQuery {
  readonly url: string;
  readonly namespace: string;
  /** The options as they were given: `--since 10m` is another time at each start. */
  readonly given: Readonly<Record<string, string | readonly string[]>>;
}

interface ExportState extends ExportQuery {
  readonly format: typeof FORMAT;
  /** What the options meant at the first start. */
  readonly filter: EventFilter;
}

/** Beside the file, until the export is complete. */
const statePathOf = (path: string): string => `${path}.export.json`;

/**
 *   none ──open()──> under way ──append()…──> complete()
 *   under way ──the process dies──> under way, at the end of the last whole line
 *   complete ──open({ append })──> under way, after its last line
 */
export class ExportFile {
  /** What the options meant when the export was begun. */
  readonly filter: EventFilter;
  /** Of the last event in the file; null: there is none yet. */
  readonly position: string | null;
  /** Events that the file had already. */
  readonly events: number;
  readonly #path: string;
  readonly #file: FileHandle;
  #end: number;

  private constructor(path: string, file: FileHandle, { filter, ...found }: Found & { readonly filter: EventFilter }) {
    this.#path = path;
    this.filter = filter;
    this.#file = file;
    this.#end = found.end;
    this.position = found.position;
    this.events = found.events;
  }

  /** Throws a refusal when the file is there and is not this export. */
  static async open(path: string, query: ExportQuery, { filter, append }: OpenOptions): Promise<ExportFile> {
    const statePath = statePathOf(path);
    const begun = await readState<ExportState>(statePath, FORMAT);
    if (begun !== null && !isDeepStrictEqual(queryOf(begun), query)) {
      throw refused(
        `${path} was begun with other options: ${JSON.stringify(queryOf(begun))}`,
        `give the same options, or export to another file`,
      );
    }
    const state = begun ?? { format: FORMAT, ...query, filter };
    const file = await openFile(path, { isBegun: begun !== null, append });
    try {
      const found = await lastEventOf(file, path);
      await file.truncate(found.end);
      if (begun === null) await writeState(statePath, state);
      return new ExportFile(path, file, { ...found, filter: state.filter });
    } catch (error) {
      await file.close();
      throw error;
    }
  }

  async append(events: readonly LoggedEvent[]): Promise<void> {
    if (events.length === 0) return;
    const bytes = Buffer.from(events.map((logged) => `${exactText(logged)}\n`).join(''));
    for (let written = 0; written < bytes.length;) {
      const { bytesWritten } = await this.#file.write(bytes, written, bytes.length - written, this.#end + written);
      written += bytesWritten;
    }
    this.#end += bytes.length;
  }

  /** Everything that was asked for is in the file. */
  async complete(): Promise<void> {
    await this.#file.datasync();
    await rm(statePathOf(this.#path), { force: true });
  }

  close(): Promise<void> {
    return this.#file.close();
  }
}

interface OpenOptions {
  readonly filter: EventFilter;
  /** Go on with a file that is complete. */
  readonly append: boolean;
}

const queryOf = ({ url, namespace, given }: ExportState): ExportQuery => ({ url, namespace, given });

async function openFile(path: string, { isBegun, append }: { isBegun: boolean; append: boolean }): Promise<FileHandle> {
  try {
    // A file that is there is opened only when it is known to be an export.
    return await open(path, 'wx+', 0o600);
  } catch (error) {
    const isThere = error instanceof Error && 'code' in error && error.code === 'EEXIST';
    if (!isThere) throw refused(error instanceof Error ? error.message : String(error));
  }
  // The process that made the file may have died before it wrote what is exported.
  const { size } = await stat(path);
  if (isBegun || append || size === 0) return open(path, 'r+');
  throw refused(
    `${path} is there already`,
    'if it is a complete export, --append adds what has come since; otherwise export to another file',
  );
}

interface Found {
  readonly position: string | null;
  readonly events: number;
  /** Where the last whole line ends. */
  readonly end: number;
}

/** Reads the file once: how many whole lines it has, and which event is the last. */
async function lastEventOf(file: FileHandle, path: string): Promise<Found> {
  const chunk = Buffer.allocUnsafe(CHUNK_BYTES);
  let events = 0;
  let at = 0;
  /** Where the last whole line begins and ends. */
  let begin = 0;
  let end = 0;
  for (;;) {
    const { bytesRead } = await file.read(chunk, 0, CHUNK_BYTES, at);
    if (bytesRead === 0) break;
    const bytes = chunk.subarray(0, bytesRead);
    for (let found = bytes.indexOf(NEWLINE); found !== -1; found = bytes.indexOf(NEWLINE, found + 1)) {
      events += 1;
      begin = end;
      end = at + found + 1;
    }
    at += bytesRead;
  }
  if (events === 0) return { position: null, events, end };
  const line = Buffer.alloc(end - 1 - begin);
  await file.read(line, 0, line.length, begin);
  try {
    const { position } = JSON.parse(line.toString()) as Partial<LoggedEvent>;
    if (typeof position === 'string') return { position, events, end };
  } catch {
    // It is no event, as below.
  }
  throw refused(`the last line of ${path} is not an event of an export`, 'export to another file');
}
