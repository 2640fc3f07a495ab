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
  readonly #running: Promise<unknown>;

  constructor(client: SwarmClient, options: PublisherOptions) {
    this.who = options.who;
    this.atATime = options.atATime ?? 1;
    this.#running = Promise.all(Array.from({ length: this.atATime }, () => this.#run(client, options)));
  }

  async stop(): Promise<void> {
    this.#isStopped = true;
    await this.#running;
  }

  async #run(client: SwarmClient, { who, topics, paceMs = 0 }: PublisherOptions): Promise<void> {
    for (let n = 0; !this.#isStopped; n += 1) {
      try {
        const { id, position } = await client.publish(topics[n % topics.length] ?? '', { who, n });
        this.acknowledged.push({ id, position });
      } catch (error) {
        this.failures.push(error);
      }
      if (paceMs > 0) await delay(paceMs);
    }
  }
}
