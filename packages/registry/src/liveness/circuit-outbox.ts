// Hands every change of a circuit on, at least once, whichever replica committed it and whichever was killed meanwhile.
import { type Clock, repeat } from '@hypercode/clock';
import { SwarmError } from '@hypercode/contracts';
import type { Kysely } from 'kysely';
import type { Schema } from '../schema.ts';
import { type CircuitChange, claimCircuitChanges } from './queries/claim-circuit-changes.ts';
import { deleteCircuitChanges } from './queries/delete-circuit-changes.ts';

export interface CircuitOutboxOptions {
  db: Kysely<Schema>;
  clock: Clock;
  /** Resolves once the change was taken. After a failure it is called again, unless no retry can help. */
  deliver: (change: CircuitChange) => Promise<void>;
  onError: (error: unknown) => void;
}

/** How often a replica checks for changes that others have left, in milliseconds. Its own changes wait for no poll. */
export const OUTBOX_POLL_MS = 2000;
/** How long one replica has to deliver what it claimed, in milliseconds: longer than a store of events may take. */
export const OUTBOX_CLAIM_MS = 5000;
/** Most changes delivered at a time. */
const LIMIT = 200;

/**
 * A transactional outbox. The commit that changes a circuit also writes the change into the table `circuit_news`, so a core
 * that is killed after it loses none. Phases of a change:
 *
 * - due: any replica may claim it.
 * - claimed: for OUTBOX_CLAIM_MS. Delivered, or refused for good → deleted. The claim ends first → due again.
 *
 * So a change is delivered at least once, and in the order of commits but for those that are delivered late. Ended by `close`.
 */
export class CircuitOutbox {
  readonly #options: CircuitOutboxOptions;
  readonly #endPolls: () => void;
  #checking: Promise<void> | null = null;
  #checkAgain = false;
  #closed = false;

  constructor(options: CircuitOutboxOptions) {
    this.#options = options;
    this.#endPolls = repeat(options.clock, OUTBOX_POLL_MS, () => this.check());
    void this.check();
  }

  /** Delivers what is due, now. Never rejects. */
  check(): Promise<void> {
    this.#checkAgain = true;
    this.#checking ??= this.#deliverDue()
      .catch(this.#options.onError)
      .finally(() => {
        this.#checking = null;
        // A call came after the last claim.
        if (this.#checkAgain && !this.#closed) void this.check();
      });
    return this.#checking;
  }

  /** Waits for the deliveries that are under way. Another replica delivers the rest, or this one when it starts again. */
  async close(): Promise<void> {
    this.#closed = true;
    this.#endPolls();
    await this.#checking;
  }

  async #deliverDue(): Promise<void> {
    const { db } = this.#options;
    while (this.#checkAgain && !this.#closed) {
      this.#checkAgain = false;
      const claimed = await claimCircuitChanges(db, { forMs: OUTBOX_CLAIM_MS, limit: LIMIT });
      const done = await Promise.all(claimed.map((change) => this.#deliver(change)));
      await deleteCircuitChanges(
        db,
        claimed.filter((_, place) => done[place]),
      );
      if (claimed.length === LIMIT) this.#checkAgain = true;
    }
  }

  /** Whether there is no reason to deliver it again. */
  async #deliver(change: CircuitChange): Promise<boolean> {
    const { deliver, onError } = this.#options;
    try {
      await deliver(change);
      return true;
    } catch (error) {
      onError(error);
      return error instanceof SwarmError && !error.retryable;
    }
  }
}
