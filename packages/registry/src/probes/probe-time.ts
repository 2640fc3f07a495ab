// The time of one probe: what it waits for its turns, and what it takes itself, each with its limit.
import type { Clock } from '@hypercode/clock';

export interface ProbeTimeOptions {
  clock: Clock;
  maxWaitMs: number;
  timeoutMs: number;
  onWaitedTooLong: () => void;
  onTimeout: () => void;
}

/** Waiting takes none of a probe's own time, however often it has to. */
export class ProbeTime {
  readonly #options: ProbeTimeOptions;
  #waitedMs = 0;
  #workedMs = 0;
  #stop = (): void => {};

  constructor(options: ProbeTimeOptions) {
    this.#options = options;
  }

  /** What the probe has taken itself, until it last stopped. */
  get workedMs(): number {
    return this.#workedMs;
  }

  wait(): void {
    const { maxWaitMs, onWaitedTooLong } = this.#options;
    this.#begin(maxWaitMs - this.#waitedMs, onWaitedTooLong, (ms) => (this.#waitedMs += ms));
  }

  work(): void {
    const { timeoutMs, onTimeout } = this.#options;
    this.#begin(timeoutMs - this.#workedMs, onTimeout, (ms) => (this.#workedMs += ms));
  }

  /** Ends the waiting or the work that was begun last. */
  stop(): void {
    this.#stop();
    this.#stop = () => {};
  }

  #begin(leftMs: number, onEnd: () => void, add: (ms: number) => void): void {
    this.stop();
    const { clock } = this.#options;
    const began = clock.monotonicMs();
    const cancel = clock.schedule(leftMs, onEnd);
    this.#stop = () => {
      cancel();
      add(clock.monotonicMs() - began);
    };
  }
}
