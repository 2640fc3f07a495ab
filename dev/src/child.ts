// One program of the swarm: starts it, passes its output on line by line, and stops it.
import { guardProcess } from '@hypercode/testkit/death-guard';
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';

export interface Program {
  /** Stands before each of its lines. */
  readonly name: string;
  readonly command: string;
  readonly args: readonly string[];
  /** The folder that it runs in. */
  readonly cwd: string;
  readonly env: Readonly<Record<string, string | undefined>>;
}

export interface ChildEvents {
  readonly onLine: (line: string) => void;
  /** Called when it ended by itself; `reason` is its exit code, signal or error. */
  readonly onEnd: (reason: string) => void;
}

/** How long a program may take to end before it is killed, in milliseconds. */
const STOP_LIMIT_MS = 25_000;

export class Child {
  readonly #process: ChildProcess;
  readonly #ended: Promise<unknown>;
  #isStopping = false;

  constructor({ command, args, cwd, env }: Program, { onLine, onEnd }: ChildEvents) {
    // A process group of its own: Ctrl+C reaches only the parent, which decides the order of stopping.
    const child = spawn(command, args, { cwd, env, stdio: ['ignore', 'pipe', 'pipe'], detached: true });
    const release = child.pid === undefined ? () => {} : guardProcess(child.pid, 'TERM');
    this.#process = child;
    this.#ended = Promise.race([once(child, 'exit'), once(child, 'error')]);
    for (const input of [child.stdout, child.stderr]) createInterface({ input }).on('line', onLine);
    const end = (reason: string): void => {
      release();
      if (!this.#isStopping) onEnd(reason);
    };
    child.once('error', (error) => end(error.message));
    child.once('exit', (code, signal) => end(signal ?? `exit code ${code}`));
  }

  /** Stops it with SIGTERM, or with SIGKILL when that takes too long. */
  async stop(): Promise<void> {
    this.#isStopping = true;
    const { pid, exitCode, signalCode } = this.#process;
    if (pid === undefined || exitCode !== null || signalCode !== null) return;
    this.#process.kill('SIGTERM');
    const patience = setTimeout(() => this.#process.kill('SIGKILL'), STOP_LIMIT_MS);
    await this.#ended;
    clearTimeout(patience);
  }
}
