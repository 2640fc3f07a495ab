// Many SSE watchers in a process of their own, as the bench sees them.
import { type ChildProcess, fork } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import type { Order, Report } from './watcher-process.ts';

const PROGRAM = fileURLToPath(new URL('./watcher-process.ts', import.meta.url));
/** The longest that anything here may take. */
const TIMEOUT_MS = 180_000;

type OpenOrder = Extract<Order, { order: 'open' }>;

export interface WatchTarget {
  /** The address of the server. */
  url: string;
  path: string;
  headers: Record<string, string>;
  /** What counts as one value. */
  mark: string;
}

export interface Arrival {
  atNs: bigint;
  /** Everything that arrived, HTTP's framing included. */
  bytes: number;
  /** Processor time of the watchers' process since the reset. */
  cpuSeconds: number;
}

export class Watchers implements AsyncDisposable {
  readonly #process: ChildProcess;
  #broken: string | null = null;

  private constructor(process: ChildProcess) {
    this.#process = process;
    process.on('message', (report: Report) => {
      if (report.report === 'broken') this.#broken ??= report.reason;
    });
  }

  /** Opens `count` connections and resolves when each has the beginning of its stream. */
  static async open(target: WatchTarget, count: number): Promise<Watchers> {
    const watchers = new Watchers(fork(PROGRAM, { stdio: 'inherit' }));
    try {
      await watchers.more(target, count);
      return watchers;
    } catch (error) {
      await watchers.close();
      throw error;
    }
  }

  async more({ url, path, headers, mark }: WatchTarget, count: number): Promise<void> {
    const { hostname: host, port } = new URL(url);
    const order: OpenOrder = { order: 'open', host, port: Number(port), path, headers, count, mark };
    await this.#ask(order, 'opened');
  }

  async reset(): Promise<void> {
    await this.#ask({ order: 'reset' }, 'reset');
  }

  /** Resolves when each connection has counted `each` values since the reset. */
  async arrival(each: number): Promise<Arrival> {
    const { atNs, bytes, cpuSeconds } = await this.#ask({ order: 'await', each }, 'arrived');
    return { atNs: BigInt(atNs), bytes, cpuSeconds };
  }

  async counted(): Promise<{ total: number; least: number; bytes: number }> {
    return this.#ask({ order: 'count' }, 'counted');
  }

  async close(): Promise<void> {
    if (this.#process.exitCode !== null || this.#process.signalCode !== null) return;
    const ended = once(this.#process, 'exit');
    this.#process.kill('SIGKILL');
    await ended;
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }

  #ask<K extends Report['report']>(order: Order, answer: K): Promise<Extract<Report, { report: K }>> {
    return new Promise((resolve, reject) => {
      const settle = (act: () => void) => {
        clearTimeout(timer);
        this.#process.off('message', onReport);
        this.#process.off('exit', onExit);
        act();
      };
      const onReport = (report: Report) => {
        if (report.report === answer) settle(() => resolve(report as Extract<Report, { report: K }>));
        else if (report.report === 'broken') settle(() => reject(new Error(report.reason)));
      };
      const onExit = () => settle(() => reject(new Error('The process of the watchers has ended')));
      const timer = setTimeout(
        () => settle(() => reject(new Error(`The watchers waited ${TIMEOUT_MS} ms in vain to be ${answer}`))),
        TIMEOUT_MS,
      );
      if (this.#broken !== null) return settle(() => reject(new Error(this.#broken ?? '')));
      this.#process.on('message', onReport);
      this.#process.on('exit', onExit);
      this.#process.send(order);
    });
  }
}
