// Times in slots, so that counting one costs an increment and a percentile is known to a fifth.

/** The upper bound of the first slot in milliseconds; each of the next is a quarter of an octave further, and the last has no bound. */
const FIRST_MS = 0.0625;
const SLOTS_PER_OCTAVE = 4;
const SLOTS = 80;

export class Latencies {
  readonly #slots = new Uint32Array(SLOTS);
  #count = 0;
  #maxMs = 0;

  add(ms: number): void {
    const slot = ms <= FIRST_MS ? 0 : Math.min(Math.ceil(SLOTS_PER_OCTAVE * Math.log2(ms / FIRST_MS)), SLOTS - 1);
    this.#slots[slot] = (this.#slots[slot] ?? 0) + 1;
    this.#count += 1;
    if (ms > this.#maxMs) this.#maxMs = ms;
  }

  /** The time that `share` of all did not exceed, at most a fifth too long; null: none was added. */
  percentile(share: number): number | null {
    if (this.#count === 0) return null;
    let left = Math.ceil(this.#count * share);
    for (const [slot, count] of this.#slots.entries()) {
      left -= count;
      if (left > 0) continue;
      return slot === SLOTS - 1 ? this.#maxMs : Math.min(FIRST_MS * 2 ** (slot / SLOTS_PER_OCTAVE), this.#maxMs);
    }
    return this.#maxMs;
  }
}
