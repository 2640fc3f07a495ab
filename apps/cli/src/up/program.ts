// One of the programs that `swarm up` runs: started, read line by line, and stopped.
import { type ChildProcess, spawn } from 'node:child_process';
import { createInterface } from 'node:readline';
import type { Clock } from '@hypercode/clock';
import type { Environment } from '../output/terminal.ts';
import { logLine } from './log-line.ts';

/** How long a program may take to end before it is killed, in milliseconds: longer than what it allows itself. */
export const STOP_LIMIT_MS = 22_000;

export interface ProgramOptions {
  readonly name: string;
  /** A module for Node.js. */
  readonly file: string;
  readonly env: Environment;
  readonly clock: Clock;
  /** Called with what the program prints besides the lines that `says` waits for. */
  readonly onLine: (line: string) => void;
}

export interface ProgramEnd {
  readonly name: string;
  /** Its exit code or signal. */
  readonly reason: string;
}

/**
 *   starting ──prints what `says` waits for──> running ──stop()──> stopping: SIGTERM, after the limit SIGKILL ──> ended
 *            ──ends──> ended: `says` rejects with its last line
 *
 * It has a channel to this process. When this process ends in any way, the channel closes and the program stops by itself.
 */
export class Program {
  /** Resolves when it has ended, for whatever reason. */
  readonly ended: Promise<ProgramEnd>;
  readonly #child: ChildProcess;
  readonly #clock: Clock;
  #waiting: { pattern: RegExp; found: (group: string) => void } | undefined;
  #lastError = '';

  constructor({ name, file, env, clock, onLine }: ProgramOptions) {
    this.#clock = clock;
    // A process group of its own: Ctrl-C at the terminal reaches only this process, which decides the order of stopping.
    const child = spawn(process.execPath, [file], { env, stdio: ['ignore', 'pipe', 'pipe', 'ipc'], detached: true });
    this.#child = child;
    this.ended = new Promise((resolve) => {
      child.once('error', (error) => resolve({ name, reason: error.message }));
      // After the last line of its output.
      child.once('close', (code, signal) => resolve({ name, reason: signal ?? `exit code ${code}` }));
    });
    const read = (line: string): void => {
      const [, group] = this.#waiting?.pattern.exec(line) ?? [];
      if (group === undefined) return onLine(logLine(line));
      this.#waiting?.found(group);
      this.#waiting = undefined;
    };
    if (child.stdout !== null) createInterface({ input: child.stdout }).on('line', read);
    if (child.stderr !== null) {
      createInterface({ input: child.stderr }).on('line', (line) => {
        // A start that fails ends with its reason; it is shown once, by the command.
        if (this.#waiting === undefined) onLine(logLine(line));
        else this.#lastError = line;
      });
    }
  }

  /** The group of the first line that matches. Rejects with the last line on stderr when the program ends before. */
  says(pattern: RegExp): Promise<string> {
    return new Promise((found, failed) => {
      this.#waiting = { pattern, found };
      void this.ended.then(({ reason }) => failed(new Error(this.#lastError === '' ? reason : this.#lastError)));
    });
  }

  async stop(): Promise<void> {
    if (this.#child.exitCode === null && this.#child.signalCode === null) this.#child.kill('SIGTERM');
    const cancelKill = this.#clock.schedule(STOP_LIMIT_MS, () => void this.#child.kill('SIGKILL'));
    await this.ended;
    cancelKill();
  }
}
