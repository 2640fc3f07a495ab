// How busy an agent is, from the handlers that its consumers run. The activity reaches every watcher of the
// registry, so short peaks are not reported, nor the moments between two events of a backlog.
//
//   ready ──full──> ready, checked again after BUSY_AFTER_MS ──still full, or again──> busy
//   busy ──not full for READY_AFTER_MS on end──> ready
import type { Clock } from '@hypercode/clock';
import { onAbort } from '../transport/on-abort.ts';

const BUSY_AFTER_MS = 250;
const READY_AFTER_MS = 1_000;

export interface Loaded {
  readonly running: number;
  readonly maxInFlight: number;
}

export interface ConsumerLoadOptions {
  readonly clock: Clock;
  /** Ends it. */
  readonly closed: AbortSignal;
  readonly onChange?: (() => void) | undefined;
}

export class ConsumerLoad {
  readonly #clock: Clock;
  readonly #closed: AbortSignal;
  readonly #onChange: () => void;
  readonly #consumers = new Set<Loaded>();
  #activity: 'ready' | 'busy' | undefined;
  #isFull = false;
  /** The last moment at which it was full. */
  #fullAt = -Infinity;
  #cancelCheck: (() => void) | undefined;

  constructor({ clock, closed, onChange = () => {} }: ConsumerLoadOptions) {
    this.#clock = clock;
    this.#closed = closed;
    this.#onChange = onChange;
    onAbort(closed, () => this.#cancelCheck?.());
  }

  /** Undefined as long as there has been no consumer. */
  get activity(): 'ready' | 'busy' | undefined {
    return this.#activity;
  }

  add(consumer: Loaded): void {
    this.#consumers.add(consumer);
    this.#activity ??= 'ready';
    this.weigh();
  }

  remove(consumer: Loaded): void {
    this.#consumers.delete(consumer);
    this.weigh();
  }

  /** To be called whenever a handler begins or ends. */
  weigh(): void {
    const wasFull = this.#isFull;
    this.#isFull = this.#areAllTaken();
    if (!wasFull && !this.#isFull) return;
    this.#fullAt = this.#clock.monotonicMs();
    if (this.#isFull && this.#activity === 'ready') this.#checkAfter(BUSY_AFTER_MS);
    if (!this.#isFull && this.#activity === 'busy') this.#checkAfter(READY_AFTER_MS);
  }

  /** Whether handlers run in every place that the consumers have together. */
  #areAllTaken(): boolean {
    if (this.#consumers.size === 0) return false;
    let free = 0;
    for (const { running, maxInFlight } of this.#consumers) free += maxInFlight - running;
    return free <= 0;
  }

  #checkAfter(delayMs: number): void {
    if (this.#cancelCheck !== undefined || this.#closed.aborted) return;
    this.#cancelCheck = this.#clock.schedule(delayMs, () => {
      this.#cancelCheck = undefined;
      this.#check();
    });
  }

  #check(): void {
    if (this.#activity === 'ready') {
      if (this.#isFull) this.#become('busy');
      return;
    }
    if (this.#isFull) return;
    const remainingMs = this.#fullAt + READY_AFTER_MS - this.#clock.monotonicMs();
    if (remainingMs > 0) this.#checkAfter(remainingMs);
    else this.#become('ready');
  }

  #become(activity: 'ready' | 'busy'): void {
    this.#activity = activity;
    this.#onChange();
  }
}
