// How late the timers of this process are.
import { monitorEventLoopDelay } from 'node:perf_hooks';

const RESOLUTION_MS = 20;
const NS_PER_MS = 1e6;

/** Measures from its construction until it is closed. Keeps no process alive. */
export class EventLoopDelay {
  readonly #histogram = monitorEventLoopDelay({ resolution: RESOLUTION_MS });

  constructor() {
    this.#histogram.enable();
  }

  /** By how much 99 of 100 timers were late at most since the last `reset`, in milliseconds. */
  get p99Ms(): number {
    if (this.#histogram.count === 0) return 0;
    // It measures from one tick to the next, and a tick that is in time takes the resolution.
    const lateMs = this.#histogram.percentile(99) / NS_PER_MS - RESOLUTION_MS;
    return Math.max(0, Math.round(lateMs * 100) / 100);
  }

  reset(): void {
    this.#histogram.reset();
  }

  close(): void {
    this.#histogram.disable();
  }
}
