// Signs of life: kept in memory, written in batches.
import type { Kysely } from 'kysely';
import type { Schema } from '../schema.ts';
import { type Seen, touchAgents } from './queries/touch-agents.ts';

export interface HeartbeatsOptions {
  db: Kysely<Schema>;
  leaseMs: number;
  /** Monotonic milliseconds. */
  monotonicNow: () => number;
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

export class Heartbeats {
  readonly #options: HeartbeatsOptions;
  #signs = new Map<string, Sign>();
  #timer: NodeJS.Timeout | null = null;
  #flushing: Promise<void> = Promise.resolve();
  #closed = false;

  constructor(options: HeartbeatsOptions) {
    this.#options = options;
    this.#schedule();
  }

  /** Notes that the agent is alive now. Costs no statement. */
  beat(agent: { namespace: string; name: string; agentId: string }): void {
    const { namespace, name, agentId } = agent;
    const known = this.#signs.get(agentId);
    if (known !== undefined) known.atMs = this.#options.monotonicNow();
    else this.#signs.set(agentId, { namespace, name, agentId, atMs: this.#options.monotonicNow() });
  }

  /** Writes what was noted since the last flush; on failure it is kept for the next one, and this rejects. */
  flush(): Promise<void> {
    const flushed = this.#flushing.then(() => this.#write());
    this.#flushing = flushed.catch(() => undefined);
    return flushed;
  }

  async close(): Promise<void> {
    this.#closed = true;
    if (this.#timer !== null) clearTimeout(this.#timer);
    await this.flush().catch(this.#options.onError);
  }

  #schedule(): void {
    if (this.#closed) return;
    this.#timer = setTimeout(() => {
      this.flush()
        .catch(this.#options.onError)
        .finally(() => this.#schedule());
    }, this.#options.leaseMs / 6);
  }

  async #write(): Promise<void> {
    const signs = [...this.#signs.values()];
    this.#signs = new Map();
    for (let from = 0; from < signs.length; from += FLUSH_CHUNK) {
      const now = this.#options.monotonicNow();
      const chunk = signs.slice(from, from + FLUSH_CHUNK);
      const seen: Seen[] = chunk.map(({ atMs, ...agent }) => ({ ...agent, agoMs: Math.max(0, now - atMs) }));
      try {
        await touchAgents(this.#options.db, seen);
      } catch (error) {
        for (const sign of signs.slice(from)) if (!this.#signs.has(sign.agentId)) this.#signs.set(sign.agentId, sign);
        throw error;
      }
    }
  }
}
