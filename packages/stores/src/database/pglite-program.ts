// PGlite's program, compiled once in a process. Each worker thread that compiled it for itself would take seconds of a processor: V8
// compiles what runs often a second time, better, and threads that were handed one module share all of that.
import { existsSync } from 'node:fs';
import { readFile } from 'node:fs/promises';

/** A compiled module, which can be sent to a worker thread. */
export type PgliteProgram = object;

/** What is needed of it: TypeScript knows it only with the library of browsers. */
declare const WebAssembly: { compile(bytes: Uint8Array): Promise<PgliteProgram> };

/** Beside this module in a bundle, and else in its package. */
const BESIDE = new URL('./pglite.wasm', import.meta.url);

let compiled: Promise<PgliteProgram> | undefined;

/** Rejects when the file cannot be read; the next call tries again. */
export function pgliteProgram(): Promise<PgliteProgram> {
  compiled ??= compile().catch((error: unknown) => {
    compiled = undefined;
    throw error;
  });
  return compiled;
}

async function compile(): Promise<PgliteProgram> {
  const place = existsSync(BESIDE) ? BESIDE : new URL(import.meta.resolve('@electric-sql/pglite/pglite.wasm'));
  return WebAssembly.compile(await readFile(place));
}
