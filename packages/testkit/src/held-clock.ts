// A clock that stands still until a test moves it, in the shape in which the client takes time and chance.

export class HeldClock {
  #now = 0;
  readonly #timers = new Set<{ at: number; run: () => void }>();

  now = (): number => this.#now;
  /** Waits without jitter, so backoffs are none. */
  random = (): number => 0;
  schedule = (delayMs: number, run: () => void): (() => void) => {
    const timer = { at: this.#now + delayMs, run };
    this.#timers.add(timer);
    return () => void this.#timers.delete(timer);
  };

  /** Timers that have neither run nor been cancelled. */
  get armed(): number {
    return this.#timers.size;
  }

  /** Milliseconds until the next timer; Infinity when there is none. */
  get nextInMs(): number {
    return Math.min(...Array.from(this.#timers, ({ at }) => at)) - this.#now;
  }

  /** Runs what falls due, in its order, also what that schedules. */
  advance(ms: number): void {
    const end = this.#now + ms;
    for (;;) {
      const [next] = [...this.#timers].filter(({ at }) => at <= end).toSorted((a, b) => a.at - b.at);
      if (next === undefined) break;
      this.#timers.delete(next);
      this.#now = next.at;
      next.run();
    }
    this.#now = end;
  }
}
