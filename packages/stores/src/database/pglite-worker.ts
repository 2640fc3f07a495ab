// The worker thread in which PGlite runs. It must not import from this package: Node loads it without a bundler or loader.
import {
  closeSync,
  existsSync,
  fsyncSync,
  openSync,
  openAsBlob,
  readdirSync,
  renameSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { dirname, join } from 'node:path';
import { parentPort, workerData } from 'node:worker_threads';
import { PGlite, type PGliteOptions } from '@electric-sql/pglite';
import { NodeFS } from '@electric-sql/pglite/nodefs';
import type { PgliteProgram } from './pglite-program.ts';

/**
 * `create` makes the files in `folder` and ends; `pack` writes them into one file, `image`, and ends; `serve` answers PostgreSQL's
 * protocol until a Terminate message, from the files in `folder`, or in memory from a copy of `image`.
 */
export type PgliteTask =
  | { task: 'create'; folder: string }
  | { task: 'pack'; folder: string; image: string }
  | { task: 'serve'; folder: string }
  | { task: 'serve'; image: string };

/** `program`: PGlite's own, compiled. */
export type PgliteWorkerData = PgliteTask & { readonly program: PgliteProgram };

/** `ready` once, then the bytes that answer each message of bytes. */
export type PgliteWorkerMessage = 'ready' | Uint8Array;

const TERMINATE = 0x58;

/**
 * PGlite's files on disk, with the fsync that it leaves out: with it a commit is answered when it is on the disk, and
 * the files survive a power cut as those of a server do.
 */
class DurableFiles extends NodeFS {
  override async init(...[pglite, options]: Parameters<NodeFS['init']>): ReturnType<NodeFS['init']> {
    const { emscriptenOpts } = await super.init(pglite, options);
    const forwardFsync = (module: { NODEFS: unknown }): void => {
      const { stream_ops: operations } = module.NODEFS as {
        stream_ops: { fsync?: (stream: { nfd: number }) => number };
      };
      operations.fsync = ({ nfd }) => {
        fsyncSync(nfd);
        return 0;
      };
    };
    return { emscriptenOpts: { ...emscriptenOpts, preRun: [...(emscriptenOpts.preRun ?? []), forwardFsync] } };
  }
}

/** How many files of the log a checkpoint keeps for reuse. What checkpoints, and how often, is `PgliteUpkeep`. */
const WAL_SIZE = ['-c', 'max_wal_size=64MB', '-c', 'min_wal_size=32MB'];
/** An analyze has the database to itself: a tenth of the default, of rows too. */
const STATISTICS = ['-c', 'default_statistics_target=10'];

const openFolder = (folder: string): Promise<PGlite> =>
  open({
    fs: new DurableFiles(folder),
    startParams: [
      ...PGlite.defaultStartParams.filter((parameter) => parameter !== '-F'),
      // Emscripten forwards fsync, and swallows fdatasync.
      ...['-c', 'wal_sync_method=fsync'],
      ...WAL_SIZE,
      ...STATISTICS,
    ],
  });

const openCopy = async (image: string): Promise<PGlite> =>
  open({
    loadDataDir: await openAsBlob(image),
    startParams: [...PGlite.defaultStartParams, ...WAL_SIZE, ...STATISTICS],
  });

async function open(options: PGliteOptions): Promise<PGlite> {
  let complaint: string | undefined;
  const pglite = PGlite.create({
    ...options,
    pgliteWasmModule: (workerData as PgliteWorkerData).program,
    onStderr: (line) => {
      if (/(?:FATAL|PANIC): /.test(line)) complaint = line;
      return false;
    },
  });
  try {
    return await pglite;
  } catch (error) {
    // PGlite's own error only says that it stopped; PostgreSQL said why.
    throw complaint === undefined ? error : new Error(complaint, { cause: error });
  }
}

function syncToDisk(path: string): void {
  const descriptor = openSync(path, 'r');
  try {
    fsyncSync(descriptor);
  } finally {
    closeSync(descriptor);
  }
}

/** PGlite writes the files of a new database one by one, so they are made elsewhere and moved here when complete. */
async function create(folder: string): Promise<void> {
  const unfinished = `${folder}.new`;
  rmSync(unfinished, { recursive: true, force: true });
  const pglite = await openFolder(unfinished);
  await pglite.close();
  for (const entry of readdirSync(unfinished, { recursive: true, withFileTypes: true })) {
    if (entry.isFile() || entry.isDirectory()) syncToDisk(join(entry.parentPath, entry.name));
  }
  renameSync(unfinished, folder);
  syncToDisk(dirname(folder));
}

/** Moved into its place when it is complete. */
async function pack(folder: string, image: string): Promise<void> {
  const pglite = await openFolder(folder);
  const files = await pglite.dumpDataDir('none');
  await pglite.close();
  const unfinished = `${image}.${process.pid}`;
  writeFileSync(unfinished, Buffer.from(await files.arrayBuffer()));
  renameSync(unfinished, image);
}

async function openExisting(folder: string): Promise<PGlite> {
  if (!existsSync(join(folder, 'PG_VERSION'))) throw new Error('the files of the database were removed');
  return openFolder(folder);
}

function serve(pglite: PGlite): void {
  parentPort?.on('message', (message: Uint8Array) => {
    void (message[0] === TERMINATE ? pglite.close().then(() => process.exit(0)) : answer(pglite, message));
  });
  parentPort?.postMessage('ready' satisfies PgliteWorkerMessage);
}

async function answer(pglite: PGlite, message: Uint8Array): Promise<void> {
  const parts: Uint8Array[] = [];
  let length = 0;
  await pglite.execProtocolRawStream(message, {
    syncToFs: false,
    onRawData: (part) => {
      // A copy: `part` is a view of PGlite's memory.
      parts.push(part.slice());
      length += part.length;
    },
  });
  const bytes = new Uint8Array(length);
  let offset = 0;
  for (const part of parts) {
    bytes.set(part, offset);
    offset += part.length;
  }
  parentPort?.postMessage(bytes satisfies PgliteWorkerMessage, [bytes.buffer]);
}

const data = workerData as PgliteWorkerData;
switch (data.task) {
  case 'create':
    await create(data.folder);
    process.exit(0);
    break;
  case 'pack':
    await pack(data.folder, data.image);
    process.exit(0);
    break;
  case 'serve':
    serve('image' in data ? await openCopy(data.image) : await openExisting(data.folder));
}
