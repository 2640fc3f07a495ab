// Concurrent writes become few: what arrives while a batch is under way goes into the next one together.
import { SwarmError } from '@hypercode/contracts';

/** What a batch, or what waits, comes to. */
export interface Weight {
  readonly count: number;
  readonly length: number;
}

/**
 * How far a failed batch reaches:
 * - `item`: one of its items may be the cause, and writing the others again is safe: each is written alone.
 * - `batch`: the whole batch fails.
 * - `lane`: the store is unavailable: the batch fails, and so does everything that waits.
 */
export type FailureScope = 'item' | 'batch' | 'lane';

export interface BatchLaneOptions<T, R> {
  /**
   * Writes a batch. Settles or fails its jobs, and returns those that have to be written again, which then come first in a
   * later batch. When it rejects, the jobs that are not settled fail, as far as `scopeOf` the error reaches.
   */
  write: (batch: readonly Job<T, R>[]) => Promise<readonly Job<T, R>[]>;
  weigh: (item: T) => Weight;
  /** Items with the same key keep their order and are never in two batches under way. Default: all items keep their order. */
  keyOf?: (item: T) => string;
  /** Most in one batch. A single item may exceed it. */
  maxBatch: Weight;
  /** Most that may wait; more is refused at once. */
  maxWaiting: Weight;
  /** A second batch begins with at least this count; less waits for the first to end, and for company. */
  minOverlapping: number;
  scopeOf: (error: unknown) => FailureScope;
  /** What the caller of a failed item is given; default: the error as it is. */
  meaningOf?: (error: unknown) => unknown;
}

/** Batches of a lane under way at a time: while the store works on one, the next is on its way. */
const MAX_UNDER_WAY = 2;

/** One item, until its caller has an answer. */
export class Job<T, R> {
  readonly item: T;
  readonly weight: Weight;
  /** Written by itself, after a batch that it was in failed. */
  isAlone = false;
  readonly #resolve: (result: R) => void;
  readonly #reject: (error: unknown) => void;
  #isSettled = false;

  constructor(
    item: T,
    weight: Weight,
    { resolve, reject }: { resolve: (result: R) => void; reject: (error: unknown) => void },
  ) {
    this.item = item;
    this.weight = weight;
    this.#resolve = resolve;
    this.#reject = reject;
  }

  get isSettled(): boolean {
    return this.#isSettled;
  }

  settle(result: R): void {
    this.#isSettled = true;
    this.#resolve(result);
  }

  fail(error: unknown): void {
    this.#isSettled = true;
    this.#reject(error);
  }
}

/**
 * States of a lane:
 * - idle: nothing waits and no batch is under way. An item begins a batch with everything that arrives in the same turn of
 *   the event loop.
 * - writing: one batch is under way, and what arrives waits for it to end.
 * - overlapping: enough waited for a second batch to be worth it. There is never a third.
 *
 * Nothing waits for a store that does not answer, and nothing of it is written later: a caller whose item failed may
 * repeat the call.
 */
export class BatchLane<T, R> {
  readonly #options: BatchLaneOptions<T, R>;
  readonly #onIdle: () => void;
  #waiting: Job<T, R>[] = [];
  #waitingCount = 0;
  #waitingLength = 0;
  /** Keys of items under way. */
  readonly #busy = new Set<string>();
  #underWay = 0;
  #isScheduled = false;

  constructor(options: BatchLaneOptions<T, R>, onIdle: () => void = () => undefined) {
    this.#options = options;
    this.#onIdle = onIdle;
  }

  get isIdle(): boolean {
    return this.#underWay === 0 && this.#waiting.length === 0;
  }

  /** RATE_LIMITED when too much waits; else as `write` settles it. */
  submit(item: T): Promise<R> {
    const { weigh, maxWaiting } = this.#options;
    const weight = weigh(item);
    return new Promise((resolve, reject) => {
      const count = this.#waitingCount + weight.count;
      const length = this.#waitingLength + weight.length;
      if (count > maxWaiting.count || length > maxWaiting.length) {
        reject(new SwarmError('RATE_LIMITED', 'too many writes are waiting', { retryAfterMs: 1000 }));
        if (this.isIdle) this.#onIdle();
        return;
      }
      this.#waiting.push(new Job(item, weight, { resolve, reject }));
      this.#count(weight, 1);
      if (this.#isScheduled || !this.#mayBegin()) return;
      this.#isScheduled = true;
      // What arrives in the same turn of the event loop belongs into the same batch.
      setImmediate(() => {
        this.#isScheduled = false;
        this.#begin();
      });
    });
  }

  #mayBegin(): boolean {
    if (this.#underWay === 0) return this.#waiting.length > 0;
    return this.#underWay < MAX_UNDER_WAY && this.#waitingCount >= this.#options.minOverlapping;
  }

  #begin(): void {
    while (this.#mayBegin()) {
      const batch = this.#take();
      // All that waits has a key under way.
      if (batch.length === 0) break;
      void this.#run(batch);
    }
    if (this.isIdle) this.#onIdle();
  }

  /** The next batch: in order, without keys that are busy, and alone what has to be alone. */
  #take(): Job<T, R>[] {
    const { keyOf, maxBatch } = this.#options;
    const batch: Job<T, R>[] = [];
    const left: Job<T, R>[] = [];
    /** Keys of which an item was left: those that follow are left, too. */
    const leftKeys = new Set<string>();
    let count = 0;
    let length = 0;
    let index = 0;
    for (; index < this.#waiting.length; index += 1) {
      const job = this.#waiting[index];
      if (job === undefined || batch[0]?.isAlone === true) break;
      const isFull = count + job.weight.count > maxBatch.count || length + job.weight.length > maxBatch.length;
      if (batch.length > 0 && isFull) break;
      const mustWait = batch.length > 0 && job.isAlone;
      const key = keyOf?.(job.item);
      if (key === undefined ? mustWait : mustWait || this.#busy.has(key) || leftKeys.has(key)) {
        if (key === undefined) break;
        leftKeys.add(key);
        left.push(job);
        continue;
      }
      batch.push(job);
      count += job.weight.count;
      length += job.weight.length;
    }
    if (left.length === 0) this.#waiting.splice(0, index);
    else this.#waiting = [...left, ...this.#waiting.slice(index)];
    this.#count({ count, length }, -1);
    if (keyOf !== undefined) for (const { item } of batch) this.#busy.add(keyOf(item));
    return batch;
  }

  async #run(batch: Job<T, R>[]): Promise<void> {
    const { write, keyOf } = this.#options;
    this.#underWay += 1;
    const again = await write(batch).catch((error: unknown) => this.#failed(batch, error));
    if (keyOf !== undefined) for (const { item } of batch) this.#busy.delete(keyOf(item));
    if (again.length > 0) this.#waiting = [...again, ...this.#waiting];
    for (const { weight } of again) this.#count(weight, 1);
    this.#underWay -= 1;
    this.#begin();
  }

  /** Returns the jobs that are written again, each alone. */
  #failed(batch: readonly Job<T, R>[], error: unknown): readonly Job<T, R>[] {
    const open = batch.filter(({ isSettled }) => !isSettled);
    const scope = this.#options.scopeOf(error);
    if (scope === 'item' && open.length > 1) {
      for (const job of open) job.isAlone = true;
      return open;
    }
    const failed = scope === 'lane' ? [...open, ...this.#waiting.splice(0)] : open;
    if (scope === 'lane') [this.#waitingCount, this.#waitingLength] = [0, 0];
    const meaning = this.#options.meaningOf?.(error) ?? error;
    for (const job of failed) job.fail(meaning);
    return [];
  }

  #count({ count, length }: Weight, sign: 1 | -1): void {
    this.#waitingCount += sign * count;
    this.#waitingLength += sign * length;
  }
}
