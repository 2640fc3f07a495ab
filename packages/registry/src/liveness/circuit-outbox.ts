// Tells what became of circuits until it was heard, whichever replica committed it and whoever died meanwhile.
import { SwarmError } from '@hypercode/contracts';
import type { Kysely } from 'kysely';
import { type Clock, repeat } from '../clock.ts';
import type { Schema } from '../schema.ts';
import { type CircuitNews, claimCircuitNews } from './queries/claim-circuit-changes.ts';
import { deleteCircuitNews } from './queries/delete-circuit-changes.ts';

export interface NewsOfCircuitsOptions {
  db: Kysely<Schema>;
  clock: Clock;
  /** Resolves once it is heard. What fails is told again, unless it never can be heard. */
  tell: (news: CircuitNews) => Promise<void>;
  onError: (error: unknown) => void;
}

/** How often a replica looks for what others have left, in milliseconds. Its own news waits for no look. */
export const NEWS_POLL_MS = 2000;
/** How long one replica has to tell what it took, in milliseconds: longer than a store of events is waited for. */
export const NEWS_CLAIM_MS = 5000;
/** Told together. */
const LIMIT = 200;

/**
 * The commit that changes a circuit writes down that it has to be told (`circuit_news`), so a core that dies after it leaves
 * nothing out. A replica claims what is due, tells it, and deletes it; what it could not tell, or was told by one that died
 * before it could delete it, is due again when the claim ends. So it is told at least once, and in the order of commits but
 * for what was told late.
 */
export class NewsOfCircuits {
  readonly #options: NewsOfCircuitsOptions;
  readonly #endLooks: () => void;
  #looking: Promise<void> | null = null;
  #lookAgain = false;
  #closed = false;

  constructor(options: NewsOfCircuitsOptions) {
    this.#options = options;
    this.#endLooks = repeat(options.clock, NEWS_POLL_MS, () => this.look());
    void this.look();
  }

  /** Tells what is due, now. Never rejects. */
  look(): Promise<void> {
    this.#lookAgain = true;
    this.#looking ??= this.#tellAll()
      .catch(this.#options.onError)
      .finally(() => {
        this.#looking = null;
        // Asked for in the very end.
        if (this.#lookAgain && !this.#closed) void this.look();
      });
    return this.#looking;
  }

  /** Waits for what is being told. The rest is told by another replica, or by this one when it starts again. */
  async close(): Promise<void> {
    this.#closed = true;
    this.#endLooks();
    await this.#looking;
  }

  async #tellAll(): Promise<void> {
    const { db } = this.#options;
    while (this.#lookAgain && !this.#closed) {
      this.#lookAgain = false;
      const claimed = await claimCircuitNews(db, { forMs: NEWS_CLAIM_MS, limit: LIMIT });
      const done = await Promise.all(claimed.map((news) => this.#tell(news)));
      await deleteCircuitNews(
        db,
        claimed.filter((_, place) => done[place]),
      );
      if (claimed.length === LIMIT) this.#lookAgain = true;
    }
  }

  /** Whether there is no reason to tell it again. */
  async #tell(news: CircuitNews): Promise<boolean> {
    const { tell, onError } = this.#options;
    try {
      await tell(news);
      return true;
    } catch (error) {
      onError(error);
      return error instanceof SwarmError && !error.retryable;
    }
  }
}
