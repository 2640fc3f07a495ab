// A server as a local process: own port, own folder, stopped and started at will.
import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { closeSync, openSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { guardProcess, type TemporaryFolder } from './death-guard.ts';
import { freePort } from './free-port.ts';
import type { Address, Machine } from './server-machine.ts';

const START_ATTEMPTS = 10;
const START_TIMEOUT_MS = 60_000;
const STOP_TIMEOUT_MS = 15_000;

export interface ServerProcessOptions {
  command: string;
  args: (port: number) => string[];
  /** Where the server runs and logs; removed with it. */
  folder: TemporaryFolder;
  /** Whom the server runs as; by default us. */
  identity?: { uid: number; gid: number };
  /** Resolves when the server answers as ours, and rejects when it does not (yet). */
  ping: (address: Address) => Promise<void>;
  stopSignal: 'SIGINT' | 'SIGTERM';
  /** What ends the server when we die: SIGQUIT where it has helpers of its own to end. */
  deathSignal: 'KILL' | 'QUIT';
}

/** Starts the server and resolves when it answers. A port that was taken meanwhile is exchanged for another one. */
export async function startServerProcess(options: ServerProcessOptions): Promise<Machine> {
  const log = join(options.folder.path, 'server.log');
  const address = { host: '127.0.0.1', port: await freePort() };
  let running: ChildProcess | undefined;

  async function launch(): Promise<void> {
    const output = openSync(log, 'a');
    const child = spawn(options.command, options.args(address.port), {
      ...options.identity,
      cwd: options.folder.path,
      env: { PATH: process.env['PATH'] ?? '', LC_ALL: 'C' },
      stdio: ['ignore', output, output],
    });
    closeSync(output);
    const failed = new Promise<Error>((resolve) => child.once('error', resolve));
    if (child.pid === undefined) throw await failed;
    const release = guardProcess(child.pid, options.deathSignal);
    child.once('exit', () => {
      release();
      if (running === child) running = undefined;
    });
    running = child;
    const deadline = performance.now() + START_TIMEOUT_MS;
    while (running === child) {
      const problem = await options.ping(address).then(
        () => undefined,
        (error: unknown) => error,
      );
      if (running === child && problem === undefined) return;
      if (performance.now() > deadline) {
        await end('SIGKILL');
        throw new Error(`${options.command} did not answer within ${START_TIMEOUT_MS} ms`, { cause: problem });
      }
      await delay(25);
    }
    throw new Error(`${options.command} ended at once: ${(await readFile(log, 'utf8')).trim().slice(-500)}`);
  }

  /** Tries again for a while: helpers of a killed server may still hold its memory, and ports may be taken. */
  async function start(portIsFixed: boolean): Promise<void> {
    if (running !== undefined) return;
    for (let attempt = 1; ; attempt++) {
      try {
        return await launch();
      } catch (error) {
        if (attempt === (portIsFixed ? START_ATTEMPTS : 3)) throw error;
        if (!portIsFixed) address.port = await freePort();
        await delay(200);
      }
    }
  }

  async function end(signal: NodeJS.Signals): Promise<void> {
    const child = running;
    if (child === undefined) return;
    const exited = once(child, 'exit');
    const hurry = setTimeout(() => child.kill('SIGKILL'), STOP_TIMEOUT_MS);
    child.kill(signal);
    await exited;
    clearTimeout(hurry);
  }

  await start(false);
  return {
    address,
    start: () => start(true),
    stop: () => end(options.stopSignal),
    kill: () => end('SIGKILL'),
    async remove() {
      await end(options.stopSignal);
      await options.folder.remove();
    },
  };
}
