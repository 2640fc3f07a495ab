// Which plans have changed since a watcher was sent them, and when the watcher is sent them next.

/** Least time between two views of one plan to one watcher, in milliseconds. */
const PAUSE_MS = 500;

/** Times are monotonic, in milliseconds. What it holds is bounded by the plans that its caller names. */
export class PendingViews {
  /** When each plan is due, in the order in which they changed. */
  readonly #dueAt = new Map<string, number>();
  /** When each plan was last taken; of those taken in the last `PAUSE_MS`, and perhaps of some before. */
  readonly #takenAt = new Map<string, number>();

  /** The plan has changed. */
  add(planId: string, now: number): void {
    if (this.#dueAt.has(planId)) return;
    this.#dueAt.set(planId, Math.max(now, (this.#takenAt.get(planId) ?? -Infinity) + PAUSE_MS));
  }

  /** The plan that changed first of those that are due, which then waits for its next change; null when none is due. */
  take(now: number): string | null {
    for (const [planId, dueAt] of this.#dueAt) {
      if (dueAt > now) continue;
      this.#dueAt.delete(planId);
      this.#takenAt.delete(planId);
      this.#takenAt.set(planId, now);
      this.#forget(now);
      return planId;
    }
    return null;
  }

  /** When the next plan is due; Infinity when none has changed. */
  get nextAt(): number {
    return Math.min(Infinity, ...this.#dueAt.values());
  }

  /** Every plan is to be sent again. */
  clear(): void {
    this.#dueAt.clear();
    this.#takenAt.clear();
  }

  #forget(now: number): void {
    for (const [planId, takenAt] of this.#takenAt) {
      if (takenAt + PAUSE_MS > now) return;
      this.#takenAt.delete(planId);
    }
  }
}
