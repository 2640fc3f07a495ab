// What a process does first that stood still: it takes the answers that came meanwhile, before it gives their events to others.
import { type Clock, sleep } from '@hypercode/clock';

/** How often the process notes that it runs, in milliseconds. */
const BEAT_MS = 250;
/** After a gap longer than this between two notes, it stood still. */
const STALLED_MS = 1000;
/** How long answers are waited for, as long as one came in the last of these: the event loop reads sockets once a turn. */
const TURN_MS = 50;
/** Most turns: answers that never cease hold up nothing for longer. */
const MAX_TURNS = 40;

/**
 * A process may stand still for longer than a deadline: it is stopped, its machine sleeps, or a computation holds its event loop.
 * What its members answered lies in its sockets then, and timers run before sockets are read: claims that went first would hand out
 * again what is done.
 */
export class AfterStall {
  readonly #clock: Clock;
  readonly #closed = new AbortController();
  #cancelBeat = (): void => {};
  #beat: { readonly monotonicMs: number; readonly epochMs: number };
  #answers = 0;
  #underWay = 0;
  #taking: Promise<void> | null = null;

  constructor(clock: Clock) {
    this.#clock = clock;
    this.#beat = this.#now();
    this.#scheduleBeat();
  }

  /** Notes an answer of a member until `settling` settles. */
  async during<T>(settling: Promise<T>): Promise<T> {
    this.#answers += 1;
    this.#underWay += 1;
    try {
      return await settling;
    } finally {
      this.#underWay -= 1;
    }
  }

  /** Null, unless the process has just stood still: then it resolves when no more answers come, after two seconds at the latest. */
  answersTaken(): Promise<void> | null {
    const [last, now] = [this.#beat, this.#now()];
    this.#beat = now;
    // While a machine sleeps, the monotonic clock may stand still, too.
    const gapMs = Math.max(now.monotonicMs - last.monotonicMs, now.epochMs - last.epochMs);
    if (gapMs > STALLED_MS) this.#taking ??= this.#take().finally(() => (this.#taking = null));
    return this.#taking;
  }

  close(): void {
    this.#closed.abort();
    this.#cancelBeat();
  }

  #scheduleBeat(): void {
    this.#cancelBeat = this.#clock.schedule(BEAT_MS, () => {
      void this.answersTaken();
      this.#scheduleBeat();
    });
  }

  async #take(): Promise<void> {
    for (let turn = 0; turn < MAX_TURNS; turn += 1) {
      const answers = this.#answers;
      await sleep(this.#clock, TURN_MS, this.#closed.signal);
      if (this.#closed.signal.aborted || (this.#answers === answers && this.#underWay === 0)) return;
    }
  }

  #now() {
    return { monotonicMs: this.#clock.monotonicMs(), epochMs: this.#clock.epochMs() };
  }
}
