// What a test process started must not outlive it, however it ends: also when it is interrupted or killed.
import { spawn } from 'node:child_process';
import { mkdtempSync } from 'node:fs';
import { rm } from 'node:fs/promises';
import { Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

/**
 * Runs `script` (for `sh`, with `args` as $1, $2 …) when this process ends without having called the returned
 * function. A small shell holds the other end of a pipe, which the system closes for us in every case.
 */
export function onDeath(script: string, ...args: string[]): () => void {
  const guard = spawn('/bin/sh', ['-c', `trap '' INT TERM HUP; read -r _ || { ${script}; }`, 'sh', ...args], {
    detached: true,
    cwd: '/',
    stdio: ['pipe', 'ignore', 'ignore'],
  });
  guard.on('error', () => undefined);
  guard.stdin.on('error', () => undefined);
  guard.unref();
  if (guard.stdin instanceof Socket) guard.stdin.unref();
  return () => guard.stdin.end('done\n');
}

/** Ends the process `pid` with `signal` when this process ends. Returns the function to call once it has exited. */
export function guardProcess(pid: number, signal: 'KILL' | 'QUIT' | 'TERM' = 'KILL'): () => void {
  return onDeath('kill -s "$2" "$1"', String(pid), signal);
}

export interface TemporaryFolder {
  path: string;
  remove(): Promise<void>;
}

/** A new folder under the system's temporary folder, removed at the latest when this process ends. */
export function temporaryFolder(purpose: string): TemporaryFolder {
  const path = mkdtempSync(join(tmpdir(), `swarm-${purpose}-`));
  const release = onDeath('for pause in 1 2 4; do sleep "$pause"; rm -rf "$1" && break; done', path);
  return {
    path,
    async remove() {
      await rm(path, { recursive: true, force: true, maxRetries: 5 });
      release();
    },
  };
}
