// How many events came on each topic, and under each beginning of topics, over the last minutes: what the page saw itself.
import { systemClock } from '@hypercode/clock';

const STEP_MS = 4_000;
const STEPS = 30;
/** Topics beyond these are not counted. */
const MAX_COUNTED = 20_000;

interface Counts {
  /** The step of the newest entry. */
  step: number;
  readonly ring: Uint32Array;
}

export class TopicRates {
  readonly #counts = new Map<string, Counts>();
  readonly #nowMs: () => number;

  /** `nowMs` is a monotonic time. */
  constructor(nowMs: () => number = () => systemClock.monotonicMs()) {
    this.#nowMs = nowMs;
  }

  /** Counts an event for its topic, and for each beginning of it. */
  add(topic: string): void {
    const step = this.#step();
    for (let end = topic.indexOf('.'); ; end = topic.indexOf('.', end + 1)) {
      this.#count(end === -1 ? topic : topic.slice(0, end), step);
      if (end === -1) return;
    }
  }

  /** Events in each step, the oldest first. */
  of(path: string): readonly number[] {
    const counts = this.#counts.get(path);
    const step = this.#step();
    return Array.from({ length: STEPS }, (_, index) => {
      const at = step - STEPS + 1 + index;
      return counts === undefined || at > counts.step || at <= counts.step - STEPS ? 0 : (counts.ring[at % STEPS] ?? 0);
    });
  }

  #step(): number {
    return Math.floor(this.#nowMs() / STEP_MS);
  }

  #count(path: string, step: number): void {
    let counts = this.#counts.get(path);
    if (counts === undefined) {
      if (this.#counts.size >= MAX_COUNTED) return;
      this.#counts.set(path, (counts = { step, ring: new Uint32Array(STEPS) }));
    }
    if (step - counts.step >= STEPS) counts.ring.fill(0);
    else for (let at = counts.step + 1; at <= step; at += 1) counts.ring[at % STEPS] = 0;
    counts.step = step;
    counts.ring[step % STEPS] = (counts.ring[step % STEPS] ?? 0) + 1;
  }
}
