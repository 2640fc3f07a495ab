// How far a file was imported into a swarm: kept beside the file, one for each swarm.
import { createHash } from 'node:crypto';
import { type FileHandle } from 'node:fs/promises';
import { readState, writeState } from './resume-state.ts';

const FORMAT = 'swarm-import/1';
/** The beginning of a file tells it from another. */
const HEAD_BYTES = 64 * 1024;

/** Where the events go: the same id of another source is another event. */
export interface ImportTarget {
  readonly url: string;
  readonly namespace: string;
  readonly source: string;
}

export interface ImportState extends ImportTarget {
  readonly format: typeof FORMAT;
  /** Of the first `headBytes` of the file. */
  readonly headSha256: string;
  readonly headBytes: number;
  /** Everything before is in the log. */
  readonly offset: number;
  readonly lines: number;
  readonly imported: number;
  readonly duplicates: number;
  /** The whole file is in the log. */
  readonly done: boolean;
}

const hash = (text: string | Uint8Array): string => createHash('sha256').update(text).digest('hex');

export const importStatePathOf = (path: string, { url, namespace, source }: ImportTarget): string =>
  `${path}.import-${hash(JSON.stringify([url, namespace, source])).slice(0, 8)}.json`;

export async function newImport(file: FileHandle, target: ImportTarget): Promise<ImportState> {
  const { size } = await file.stat();
  const headBytes = Math.min(size, HEAD_BYTES);
  const counts = { offset: 0, lines: 0, imported: 0, duplicates: 0, done: false };
  return { format: FORMAT, ...target, headSha256: await headHash(file, headBytes), headBytes, ...counts };
}

export const readImport = (statePath: string): Promise<ImportState | null> => readState<ImportState>(statePath, FORMAT);

export const writeImport = (statePath: string, state: ImportState): Promise<void> => writeState(statePath, state);

/** Whether it is the file that the state is about, perhaps with more at its end. */
export async function isOf(file: FileHandle, { headBytes, headSha256, offset }: ImportState): Promise<boolean> {
  const { size } = await file.stat();
  return size >= offset && (await headHash(file, headBytes)) === headSha256;
}

async function headHash(file: FileHandle, bytes: number): Promise<string> {
  const head = Buffer.alloc(bytes);
  const { bytesRead } = await file.read(head, 0, bytes, 0);
  return hash(head.subarray(0, bytesRead));
}
