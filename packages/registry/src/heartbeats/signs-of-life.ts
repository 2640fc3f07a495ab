// Signs of life of all agents, in batches by the length of the lease.
import type { Clock } from '@hypercode/clock';
import type { Kysely } from 'kysely';
import { batchMsOf } from '../documents/lease-times.ts';
import type { Schema } from '../schema.ts';
import { type Sign, SignBatch } from './sign-batch.ts';

export interface SignsOfLifeOptions {
  db: Kysely<Schema>;
  /** The core's own lease, in milliseconds. */
  leaseMs: number;
  clock: Clock;
  /** Called with signs that were written, but not with those of `close`. */
  onWritten: (signs: readonly Sign[]) => Promise<void>;
  onError: (error: unknown) => void;
}

export type LivingAgent = Pick<Sign, 'namespace' | 'name' | 'agentId'> & {
  /** Given where the agent itself, by this process, has given the sign. */
  readonly incarnation?: string | null | undefined;
};

/** A batch begins with the first sign of an agent with such a lease; there are at most as many as `batchesOf` the core's lease. */
export class SignsOfLife {
  readonly #options: SignsOfLifeOptions;
  readonly #batches = new Map<number, SignBatch>();
  #isClosing = false;

  constructor(options: SignsOfLifeOptions) {
    this.#options = options;
  }

  /** For how long there have been signs of this batch that are not written, in milliseconds. */
  unwrittenMs(batchMs: number): number {
    return this.#batches.get(batchMs)?.unwrittenMs ?? 0;
  }

  /** Notes that the agent, with a lease of `leaseMs`, is alive now. Costs no statement. */
  note({ namespace, name, agentId, incarnation }: LivingAgent, leaseMs: number): void {
    const batchMs = batchMsOf(leaseMs, this.#options.leaseMs);
    const batch = this.#batches.get(batchMs) ?? this.#open(batchMs);
    batch.note({ namespace, name, agentId, incarnation });
  }

  async close(): Promise<void> {
    this.#isClosing = true;
    await Promise.all([...this.#batches.values()].map((batch) => batch.close()));
  }

  #open(intervalMs: number): SignBatch {
    const { db, clock, onWritten, onError } = this.#options;
    const batch = new SignBatch({
      db,
      clock,
      intervalMs,
      onWritten: async (signs) => {
        if (!this.#isClosing) await onWritten(signs);
      },
      onError,
    });
    this.#batches.set(intervalMs, batch);
    return batch;
  }
}
