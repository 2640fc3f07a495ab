// Signs of life: kept in memory, written in batches.
import type { Kysely } from 'kysely';
import { type Clock, repeat } from '@hypercode/clock';
import { flushMsOf } from '../documents/lease-times.ts';
import type { Schema } from '../schema.ts';
import { type Seen, touchAgents } from './queries/touch-agents.ts';

export interface SignsOfLifeOptions {
  db: Kysely<Schema>;
  leaseMs: number;
  clock: Clock;
  onError: (error: unknown) => void;
}

/** Rows in one statement. */
const FLUSH_CHUNK = 5000;

interface Sign {
  namespace: string;
  name: string;
  agentId: string;
  atMs: number;
}

export class SignsOfLife {
  readonly #options: SignsOfLifeOptions;
  readonly #endFlushes: () => void;
  #signs = new Map<string, Sign>();
  /** When the first of the signs was noted, and of those that are being written; both monotonic. */
  #notedSince: number | null = null;
  #writingSince: number | null = null;
  #flushing: Promise<void> = Promise.resolve();

  constructor(options: SignsOfLifeOptions) {
    const { clock, leaseMs, onError } = options;
    this.#options = options;
    this.#endFlushes = repeat(clock, flushMsOf(leaseMs), () => this.flush().catch(onError));
  }

  /** For how long there have been signs that are not written, in milliseconds. */
  get unwrittenMs(): number {
    const since = this.#writingSince ?? this.#notedSince;
    return since === null ? 0 : this.#options.clock.monotonicMs() - since;
  }

  /** Notes that the agent is alive now. Costs no statement. */
  note(agent: { namespace: string; name: string; agentId: string }): void {
    const { namespace, name, agentId } = agent;
    const atMs = this.#options.clock.monotonicMs();
    this.#notedSince ??= atMs;
    const known = this.#signs.get(agentId);
    if (known !== undefined) known.atMs = atMs;
    else this.#signs.set(agentId, { namespace, name, agentId, atMs });
  }

  /** Writes the signs noted since the last flush. Rejects when that failed; the next flush writes them. */
  flush(): Promise<void> {
    const flushed = this.#flushing.then(() => this.#write());
    this.#flushing = flushed.catch(() => undefined);
    return flushed;
  }

  async close(): Promise<void> {
    this.#endFlushes();
    await this.flush().catch(this.#options.onError);
  }

  async #write(): Promise<void> {
    const { db, clock } = this.#options;
    const signs = [...this.#signs.values()];
    this.#signs = new Map();
    this.#writingSince = this.#notedSince;
    this.#notedSince = null;
    for (let from = 0; from < signs.length; from += FLUSH_CHUNK) {
      const now = clock.monotonicMs();
      const chunk = signs.slice(from, from + FLUSH_CHUNK);
      const seen: Seen[] = chunk.map(({ atMs, ...agent }) => ({ ...agent, agoMs: Math.max(0, now - atMs) }));
      try {
        await touchAgents(db, seen);
      } catch (error) {
        for (const sign of signs.slice(from)) if (!this.#signs.has(sign.agentId)) this.#signs.set(sign.agentId, sign);
        this.#notedSince = this.#writingSince;
        this.#writingSince = null;
        throw error;
      }
    }
    this.#writingSince = null;
  }
}
