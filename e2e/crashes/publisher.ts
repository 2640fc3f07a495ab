// A program that publishes without pause while cores and stores are killed.
import type { SwarmClient } from '@hypercode/client';
import { setTimeout as delay } from 'node:timers/promises';
import type { SeenEvent } from './event-record.ts';

export interface PublisherOptions {
  readonly who: number;
  /** Taken in turn. */
  readonly topics: readonly string[];
  /** Events that are under way together; default 1. */
  readonly atATime?: number;
  /** Between one event and the next, in milliseconds; default 0. */
  readonly paceMs?: number;
}

/** Publishes each event until it is acknowledged. */
export class Publisher {
  readonly who: number;
  readonly atATime: number;
  readonly acknowledged: SeenEvent[] = [];
  readonly failures: unknown[] = [];
  #isStopped = false;
  readonly #client: SwarmClient;
  readonly #topics: readonly string[];
  readonly #running: Promise<unknown>;
  #bursts: Promise<unknown> = Promise.resolve();

  constructor(client: SwarmClient, options: PublisherOptions) {
    this.#client = client;
    this.#topics = options.topics;
    this.who = options.who;
    this.atATime = options.atATime ?? 1;
    this.#running = Promise.all(Array.from({ length: this.atATime }, () => this.#run(options)));
  }

  /** Publishes so many events at once, besides. */
  burst(count: number): void {
    const events = Array.from({ length: count }, (_, n) => this.#publish(n, { burst: n }));
    this.#bursts = Promise.all([this.#bursts, ...events]);
  }

  async stop(): Promise<void> {
    this.#isStopped = true;
    await this.#running;
    await this.#bursts;
  }

  async #run({ who, paceMs = 0 }: PublisherOptions): Promise<void> {
    for (let n = 0; !this.#isStopped; n += 1) {
      await this.#publish(n, { who, n });
      if (paceMs > 0) await delay(paceMs);
    }
  }

  async #publish(n: number, data: object): Promise<void> {
    try {
      const { id, position } = await this.#client.publish(this.#topics[n % this.#topics.length] ?? '', data);
      this.acknowledged.push({ id, position });
    } catch (error) {
      this.failures.push(error);
    }
  }
}
