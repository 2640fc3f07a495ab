// The stream that stands in for a socket to PostgreSQL: bytes go to PGlite in a worker thread, answers come back.
import { Duplex } from 'node:stream';
import { fileURLToPath } from 'node:url';
import { Worker } from 'node:worker_threads';
import { type PgliteProgram, pgliteProgram } from './pglite-program.ts';
import type { PgliteTask, PgliteWorkerData, PgliteWorkerMessage } from './pglite-worker.ts';

/** PGlite's worker ended, or could not open its files. The next query starts another. */
export class PgliteWorkerError extends Error {
  override readonly name = 'PgliteWorkerError';
}

/**
 * Starts a worker on `pglite-worker` beside this module. Where this is TypeScript source, Node strips the worker's
 * types itself, whatever loader (tsx, vitest) runs this thread; where this is compiled, the worker is as well.
 */
function startWorker(task: PgliteTask, program: PgliteProgram): Worker {
  const workerData: PgliteWorkerData = { ...task, program };
  const extension = fileURLToPath(import.meta.url).endsWith('.ts') ? 'ts' : 'js';
  return new Worker(new URL(`./pglite-worker.${extension}`, import.meta.url), {
    workerData,
    execArgv: [],
    env: {},
    name: 'pglite',
  });
}

/** Where PGlite has its files: in a folder, or in memory, where it begins with a copy of an image. */
export type PgliteFiles = { readonly folder: string } | { readonly image: string };

function workerError(files: PgliteFiles, cause: unknown): PgliteWorkerError {
  const where = 'folder' in files ? `in ${files.folder}` : 'in memory';
  const reason = cause instanceof Error ? cause.message : String(cause);
  return new PgliteWorkerError(`the embedded database ${where} failed: ${reason}`, { cause });
}

/** Creates the database's files in `folder`: all of them, or, when it is interrupted, none. */
export const createPglite = (folder: string): Promise<void> => runTask({ task: 'create', folder });

/** Writes the database in `folder`, which no process uses, to the file `image`: all of it, or nothing. */
export const packPglite = (folder: string, image: string): Promise<void> => runTask({ task: 'pack', folder, image });

async function runTask(data: Extract<PgliteTask, { task: 'create' | 'pack' }>): Promise<void> {
  const program = await pgliteProgram();
  return new Promise((resolve, reject) => {
    startWorker(data, program)
      .on('error', (error) => reject(workerError(data, error)))
      .on('exit', (code) =>
        code === 0 ? resolve() : reject(workerError(data, `the worker thread ended with ${code}`)),
      );
  });
}

/**
 * One connection: its worker starts with `connect()` and ends with the stream. Two workers on the same files would
 * ruin them, so this one starts only when `predecessorGone` has come.
 */
export class PgliteStream extends Duplex {
  /** Resolves when no worker of this stream runs and none will. */
  readonly workerGone: Promise<void>;
  readonly #markGone: () => void;
  readonly #files: PgliteFiles;
  readonly #predecessorGone: Promise<void> | undefined;
  #worker: Worker | undefined;

  constructor(files: PgliteFiles, predecessorGone: Promise<void> | undefined) {
    super();
    const { promise, resolve } = Promise.withResolvers<void>();
    this.workerGone = promise;
    this.#markGone = resolve;
    this.#files = files;
    this.#predecessorGone = predecessorGone;
  }

  connect(): void {
    void this.#start();
  }

  async #start(): Promise<void> {
    await this.#predecessorGone;
    if (this.destroyed) return;
    if ('image' in this.#files && this.#predecessorGone !== undefined) {
      this.destroy(workerError(this.#files, 'what it held was lost with its worker thread'));
      return;
    }
    let program;
    try {
      program = await pgliteProgram();
    } catch (error) {
      this.destroy(workerError(this.#files, error));
      return;
    }
    if (this.destroyed) return;
    const worker = startWorker({ task: 'serve', ...this.#files }, program);
    this.#worker = worker;
    worker.on('message', (message: PgliteWorkerMessage) => {
      if (message === 'ready') this.emit('connect');
      else this.push(Buffer.from(message.buffer, message.byteOffset, message.byteLength));
    });
    worker.on('error', (error) => this.destroy(workerError(this.#files, error)));
    worker.on('exit', (code) => {
      this.#worker = undefined;
      this.#markGone();
      if (code === 0 && this.writableEnded) this.push(null);
      else this.destroy(workerError(this.#files, `the worker thread ended with ${code}`));
    });
  }

  // What the driver expects of a socket.
  setNoDelay(): this {
    return this;
  }

  setKeepAlive(): this {
    return this;
  }

  ref(): this {
    this.#worker?.ref();
    return this;
  }

  unref(): this {
    this.#worker?.unref();
    return this;
  }

  override _read(): void {}

  override _write(chunk: Buffer, _encoding: string, done: (error?: Error | null) => void): void {
    this.#send([chunk]);
    done();
  }

  /** The driver corks the messages of one query, so that they arrive as one and PGlite runs them in one go. */
  override _writev(chunks: { chunk: Buffer }[], done: (error?: Error | null) => void): void {
    this.#send(chunks.map(({ chunk }) => chunk));
    done();
  }

  override _destroy(error: Error | null, done: (error?: Error | null) => void): void {
    const worker = this.#worker;
    if (worker === undefined) {
      this.#markGone();
      done(error);
      return;
    }
    const end = () => done(error);
    worker.terminate().then(end, end);
  }

  #send(chunks: Buffer[]): void {
    // A copy: the driver's buffers are slices of larger ones that it uses again.
    const message = new Uint8Array(chunks.reduce((size, { length }) => size + length, 0));
    let offset = 0;
    for (const chunk of chunks) {
      message.set(chunk, offset);
      offset += chunk.length;
    }
    this.#worker?.postMessage(message, [message.buffer]);
  }
}
