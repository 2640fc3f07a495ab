// A clock that stands still until a test moves it.
import { type Clock, systemClock } from '../src/clock.ts';

interface Timer {
  readonly atMs: number;
  readonly run: () => void | Promise<void>;
}

/** Where the epoch stands when a test begins: an ordinary day. */
const START_EPOCH_MS = Date.UTC(2026, 0, 1);

/**
 * Monotonic time begins at 0. `random` is always 0, so waits with jitter have their shortest length; ids are real ones.
 * `stopped` holds a process: what falls due waits until it goes on.
 */
export class HeldClock implements Clock {
  stopped = false;
  #nowMs = 0;
  #epochOffsetMs = START_EPOCH_MS;
  readonly #timers = new Set<Timer>();

  epochMs = (): number => this.#nowMs + this.#epochOffsetMs;
  monotonicMs = (): number => this.#nowMs;
  random = (): number => 0;
  newId = (): string => systemClock.newId();
  schedule = (delayMs: number, run: () => void | Promise<void>): (() => void) => {
    const timer = { atMs: this.#nowMs + Math.max(0, delayMs), run };
    this.#timers.add(timer);
    return () => void this.#timers.delete(timer);
  };

  /** Timers that have neither run nor been cancelled. */
  get armed(): number {
    return this.#timers.size;
  }

  /** Milliseconds until the next timer; Infinity when there is none. */
  get nextInMs(): number {
    return Math.min(...Array.from(this.#timers, ({ atMs }) => atMs)) - this.#nowMs;
  }

  /** Moves on and runs what falls due on the way, in its order, also what that schedules. Does not wait for what it starts. */
  advance(ms: number): void {
    const end = this.#nowMs + ms;
    for (let due = this.#takeDue(end); due !== undefined; due = this.#takeDue(end)) void due.run();
    this.#nowMs = end;
  }

  /** As `advance`, and waits for each piece of work to end before the next one begins. */
  async advanceThrough(ms: number): Promise<void> {
    const end = this.#nowMs + ms;
    for (let due = this.#takeDue(end); due !== undefined; due = this.#takeDue(end)) await due.run();
    this.#nowMs = Math.max(this.#nowMs, end);
  }

  /** Sets the system's time, as an administrator or NTP does: epoch time jumps, and monotonic time goes on. */
  jump(ms: number): void {
    this.#epochOffsetMs += ms;
  }

  /** The next timer until `end`, at whose moment the clock then stands. */
  #takeDue(end: number): Timer | undefined {
    if (this.stopped) return undefined;
    let next: Timer | undefined;
    for (const timer of this.#timers) {
      if (timer.atMs <= end && (next === undefined || timer.atMs < next.atMs)) next = timer;
    }
    if (next === undefined) return undefined;
    this.#timers.delete(next);
    this.#nowMs = Math.max(this.#nowMs, next.atMs);
    return next;
  }
}
