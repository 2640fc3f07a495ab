// Events that could not be understood, until their publishers are notified.

export interface Rejection {
  readonly eventId: string;
  /** The publisher of the event. */
  readonly source: string;
  readonly topic: string;
  readonly reason: string;
  /** When it was published, in milliseconds since the epoch. */
  readonly at: number;
  /** Whose answer it is; null for a goal. */
  readonly agent: string | null;
  /** The plan that the answer is about; null when that cannot be read. */
  readonly planId: string | null;
  /** The conversation of the event, and its trace. */
  readonly correlationId: string;
  readonly traceparent: string | undefined;
}

/** Rejections that wait to be published. Agents can publish faster than that; of more, the oldest are not answered. */
const WAITING = 100;

export class Rejections {
  /** Oldest first. */
  readonly #waiting = new Map<string, Rejection>();

  /** Those that were not published, as far as was read. */
  waiting(): IterableIterator<Rejection> {
    return this.#waiting.values();
  }

  add(rejection: Rejection): void {
    this.#waiting.set(rejection.eventId, rejection);
    for (const oldest of this.#waiting.keys()) {
      if (this.#waiting.size <= WAITING) return;
      this.#waiting.delete(oldest);
    }
  }

  /** The publisher of the event was notified. */
  published(eventId: string): void {
    this.#waiting.delete(eventId);
  }
}
