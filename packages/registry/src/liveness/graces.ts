// When agents are not judged, because the core may not have received or written their signs of life. No clock, no store.
import { batchesOf, batchMsOf } from '../documents/lease-times.ts';

/** A core that completed no check for longer than this many batches of signs was stopped or cut off. */
const BATCHES_MISSED = 3;
/** Signs that wait for longer than this many batches are written too late for the judgement. */
const BATCHES_WAITED = 2;

/** Whether the core has received and written the signs of life. */
export interface Attention {
  /** When the last check was completed, which takes an answer of the database; null when the core has just started. */
  readonly previousCheckAt: number | null;
  /** For how long there have been signs of life that were not written, in milliseconds. */
  readonly unwrittenMs: number;
}

/**
 * Whether a new grace begins `now` for agents whose signs are written each `batchMs`. A core that was stopped, suspended or cut
 * from its database for more than half of such a lease may not have received or written the signs of life meanwhile; nor can
 * silence be measured with a clock that went back as far. Shorter pauses fit between a heartbeat and the judgement, which waits
 * for two batches: once signs of life are written later than that, an agent that seems silent may not be.
 */
export function beginsGrace({ previousCheckAt, unwrittenMs }: Attention, now: number, batchMs: number): boolean {
  const wasInterrupted = previousCheckAt === null || Math.abs(now - previousCheckAt) > BATCHES_MISSED * batchMs;
  return wasInterrupted || unwrittenMs > BATCHES_WAITED * batchMs;
}

/** The graces of one judge. A grace lasts for one lease of the agent that it is for. */
export class Graces {
  readonly #coreLeaseMs: number;
  /** When the last grace began, by batch, in milliseconds since the epoch. */
  readonly #from: Map<number, number>;

  constructor(coreLeaseMs: number) {
    this.#coreLeaseMs = coreLeaseMs;
    this.#from = new Map(batchesOf(coreLeaseMs).map((batchMs) => [batchMs, Infinity]));
  }

  /** To be called with each check, before anything is judged. Whether a grace begins for agents with the core's lease. */
  note(previousCheckAt: number | null, now: number, unwrittenMs: (batchMs: number) => number): boolean {
    const begun = [...this.#from.keys()].filter((batchMs) =>
      beginsGrace({ previousCheckAt, unwrittenMs: unwrittenMs(batchMs) }, now, batchMs),
    );
    for (const batchMs of begun) this.#from.set(batchMs, now);
    return begun.includes(batchMsOf(this.#coreLeaseMs, this.#coreLeaseMs));
  }

  /** When the last grace of an agent with this lease began. */
  from(leaseMs: number): number {
    return this.#from.get(batchMsOf(leaseMs, this.#coreLeaseMs)) ?? Infinity;
  }
}
