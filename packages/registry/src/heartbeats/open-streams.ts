// Lets all replicas know which silent agents have a stream open here: such an agent is not replaced.
import { type Clock, repeat } from '@hypercode/clock';
import type { Kysely } from 'kysely';
import { flushMsOf } from '../documents/lease-times.ts';
import type { Schema } from '../schema.ts';
import { noteStreams, type StreamingAgent } from './queries/note-streams.ts';

export interface OpenStreamsOptions {
  db: Kysely<Schema>;
  leaseMs: number;
  clock: Clock;
  /** The agents that have a stream open on this replica now. */
  streaming: () => StreamingAgent[];
  onError: (error: unknown) => void;
}

/** Agents in one statement. */
const CHUNK = 1000;

/**
 * Notes them as often as signs of life are written, and only those that have been silent for a lease, so it writes nothing
 * while all agents send heartbeats. Ends with `close`.
 */
export class OpenStreams {
  readonly #options: OpenStreamsOptions;
  readonly #end: () => void;
  #running: Promise<void> = Promise.resolve();

  constructor(options: OpenStreamsOptions) {
    this.#options = options;
    const { clock, leaseMs, onError } = options;
    this.#end = repeat(clock, flushMsOf(leaseMs), () => (this.#running = this.#note().catch(onError)));
  }

  async close(): Promise<void> {
    this.#end();
    await this.#running;
  }

  async #note(): Promise<void> {
    const { db, leaseMs, streaming } = this.#options;
    const agents = streaming();
    for (let from = 0; from < agents.length; from += CHUNK) {
      await noteStreams(db, agents.slice(from, from + CHUNK), leaseMs);
    }
  }
}
