// Signs of life that are written together: kept in memory, written at an interval.
import { type Clock, repeat } from '@hypercode/clock';
import type { Kysely } from 'kysely';
import type { Schema } from '../schema.ts';
import { type Seen, touchAgents } from './queries/touch-agents.ts';

export interface Sign {
  readonly namespace: string;
  readonly name: string;
  readonly agentId: string;
  /** The process that has given it, where that is the agent itself; undefined: another, such as a probe. */
  incarnation: string | null | undefined;
  /** When it was given last, in monotonic milliseconds. */
  atMs: number;
}

export interface SignBatchOptions {
  db: Kysely<Schema>;
  clock: Clock;
  /** How often it is written, in milliseconds. */
  intervalMs: number;
  /** Called with signs that were written, and awaited before the next are. */
  onWritten: (signs: readonly Sign[]) => Promise<void>;
  onError: (error: unknown) => void;
}

/** Rows in one statement. */
const FLUSH_CHUNK = 5000;

/** Costs one statement for each 5,000 agents that have given a sign since the last; none while there are none. Ends with `close`. */
export class SignBatch {
  readonly #options: SignBatchOptions;
  readonly #endFlushes: () => void;
  #signs = new Map<string, Sign>();
  /** When the first of the signs was noted, and of those that are being written; both monotonic. */
  #notedSince: number | null = null;
  #writingSince: number | null = null;
  #flushing: Promise<void> = Promise.resolve();

  constructor(options: SignBatchOptions) {
    const { clock, intervalMs, onError } = options;
    this.#options = options;
    this.#endFlushes = repeat(clock, intervalMs, () => this.flush().catch(onError));
  }

  /** For how long there have been signs that are not written, in milliseconds. */
  get unwrittenMs(): number {
    const since = this.#writingSince ?? this.#notedSince;
    return since === null ? 0 : this.#options.clock.monotonicMs() - since;
  }

  note({ namespace, name, agentId, incarnation }: Omit<Sign, 'atMs'>): void {
    const atMs = this.#options.clock.monotonicMs();
    this.#notedSince ??= atMs;
    const known = this.#signs.get(agentId);
    if (known === undefined) {
      this.#signs.set(agentId, { namespace, name, agentId, incarnation, atMs });
      return;
    }
    known.atMs = atMs;
    known.incarnation = incarnation ?? known.incarnation;
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
    const { db, clock, onWritten } = this.#options;
    const signs = [...this.#signs.values()];
    this.#signs = new Map();
    this.#writingSince = this.#notedSince;
    this.#notedSince = null;
    for (let from = 0; from < signs.length; from += FLUSH_CHUNK) {
      const now = clock.monotonicMs();
      const chunk = signs.slice(from, from + FLUSH_CHUNK);
      const seen = chunk.map(({ namespace, name, agentId, atMs }): Seen => ({
        namespace,
        name,
        agentId,
        agoMs: Math.max(0, now - atMs),
      }));
      try {
        await touchAgents(db, seen);
      } catch (error) {
        for (const sign of signs.slice(from)) if (!this.#signs.has(sign.agentId)) this.#signs.set(sign.agentId, sign);
        this.#notedSince = this.#writingSince;
        this.#writingSince = null;
        throw error;
      }
      await onWritten(chunk);
    }
    this.#writingSince = null;
  }
}
