// Time that stands still until a test moves it: in the database, and in every replica that runs by one of its clocks.
import { HeldClock } from '@hypercode/clock/testing';
import { HeldDatabaseTime } from '@hypercode/stores/testing';
import type { Store } from './swarm.ts';

/** To be released before other tests use the store. */
export class HeldTime {
  readonly #time: HeldDatabaseTime;
  readonly #close: () => Promise<void>;
  readonly #clocks: HeldClock[] = [];

  private constructor(time: HeldDatabaseTime, close: () => Promise<void>) {
    this.#time = time;
    this.#close = close;
  }

  static async hold(store: Store): Promise<HeldTime> {
    const { database, close } = await store.connect();
    return new HeldTime(await HeldDatabaseTime.hold(database), close);
  }

  async release(): Promise<void> {
    await this.#time.release();
    await this.#close();
  }

  /** Milliseconds since the epoch. */
  get now(): number {
    return this.#time.nowMs;
  }

  /** A clock for one process, which has the time of the database; a process that is `stopped` misses what falls due. */
  clock(): HeldClock {
    const clock = new HeldClock();
    clock.jump(this.now - clock.epochMs());
    this.#clocks.push(clock);
    return clock;
  }

  /** Moves on, and runs what falls due on the way, one after the other, each to its end. */
  async advance(ms: number): Promise<void> {
    const end = this.now + ms;
    for (;;) {
      const nextInMs = Math.min(...this.#clocks.filter(({ stopped }) => !stopped).map((clock) => clock.nextInMs));
      if (this.now + nextInMs > end) break;
      await this.#moveTo(this.now + Math.max(0, nextInMs));
      for (const clock of this.#clocks) await clock.advanceThrough(0);
    }
    await this.#moveTo(end);
  }

  /** Moves the database and all clocks to one moment, before anything runs that falls due there. */
  async #moveTo(at: number): Promise<void> {
    const byMs = at - this.now;
    await this.#time.advance(byMs);
    for (const clock of this.#clocks) {
      const { stopped } = clock;
      clock.stopped = true;
      clock.advance(byMs);
      clock.stopped = stopped;
    }
  }
}
