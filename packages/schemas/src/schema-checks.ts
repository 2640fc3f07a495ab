// Compares values with schemas, one after another, in a thread that is ended when a comparison takes too long.
//
//   none ──check()──> starting ──ready──> waiting ──next──> comparing ──answer──> waiting ──IDLE_MS──> none
//   comparing ──LIMITS.schemaCheckMs──> none; the comparison is tried once more, since a busy machine is slow, too
//   each ──close()──> closed
import { type Clock, systemClock } from '@hypercode/clock';
import { type Json, LIMITS } from '@hypercode/contracts';
import { fileURLToPath } from 'node:url';
import { Worker } from 'node:worker_threads';
import { boundedSchema, hasLongText } from './bounded-schema.ts';
import type { CheckAnswer, CheckRequest, SchemaFault } from './schema-worker.ts';

export interface SchemaResult {
  /** Where the value does not fit, and why; null: what was checked fits. */
  readonly fault: SchemaFault | null;
  /** What was not checked, in words; null: all was. */
  readonly unchecked: string | null;
}

interface Job {
  readonly request: CheckRequest;
  /** How often it took too long. */
  tries: number;
  readonly settle: (answer: Exclude<CheckAnswer, 'ready'>) => void;
}

/** Comparisons that wait; one more is not made. */
const MAX_WAITING = 1_000;
const MAX_TRIES = 2;
/** How long the thread is kept without work, in milliseconds. */
const IDLE_MS = 10_000;
/** How long the thread may take to start, in milliseconds. */
const START_LIMIT_MS = 30_000;
/** Memory of the thread: a schema is small, and a value is at most an event. */
const RESOURCES = { maxOldGenerationSizeMb: 64, maxYoungGenerationSizeMb: 16, stackSizeMb: 4 };

const TOO_LONG = { unchecked: `the comparison took longer than ${LIMITS.schemaCheckMs} ms` };

export class SchemaChecks {
  readonly #clock: Clock;
  readonly #waiting: Job[] = [];
  #worker: Worker | null = null;
  #isReady = false;
  #current: Job | null = null;
  #cancelTimer = (): void => {};
  #isClosed = false;
  readonly #ending = new Set<Promise<unknown>>();

  constructor({ clock = systemClock }: { readonly clock?: Clock } = {}) {
    this.#clock = clock;
  }

  /** Never rejects: what cannot be checked is reported as `unchecked`. */
  async check(schema: Json, value: Json): Promise<SchemaResult> {
    if (schema === true) return { fault: null, unchecked: null };
    const bounded = boundedSchema(schema, { isLong: hasLongText(value) });
    if (bounded.schema === null) return { fault: null, unchecked: bounded.unchecked };
    if (this.#isClosed) return { fault: null, unchecked: 'the process ends' };
    if (this.#waiting.length >= MAX_WAITING) return { fault: null, unchecked: 'too many comparisons wait' };
    const request = { schema: JSON.stringify(bounded.schema), value: JSON.stringify(value) };
    const answer = await new Promise<Exclude<CheckAnswer, 'ready'>>((settle) => {
      this.#waiting.push({ request, tries: 0, settle });
      this.#next();
    });
    if ('unchecked' in answer) return { fault: null, unchecked: answer.unchecked };
    return { fault: answer.fault, unchecked: bounded.unchecked };
  }

  /** What waits is answered as unchecked. */
  async close(): Promise<void> {
    this.#isClosed = true;
    this.#drop();
    const jobs = [...(this.#current === null ? [] : [this.#current]), ...this.#waiting.splice(0)];
    this.#current = null;
    for (const { settle } of jobs) settle({ unchecked: 'the process ends' });
    await Promise.all(this.#ending);
  }

  #next(): void {
    if (this.#current !== null || this.#isClosed) return;
    if (this.#worker === null) {
      if (this.#waiting.length > 0) this.#start();
      return;
    }
    if (!this.#isReady) return;
    this.#cancelTimer();
    const job = this.#waiting.shift();
    if (job === undefined) {
      this.#cancelTimer = this.#clock.schedule(IDLE_MS, () => this.#drop());
      return;
    }
    this.#current = job;
    this.#cancelTimer = this.#clock.schedule(LIMITS.schemaCheckMs, () => this.#tookTooLong(job));
    this.#worker.postMessage(job.request);
  }

  #start(): void {
    const extension = fileURLToPath(import.meta.url).endsWith('.ts') ? 'ts' : 'js';
    const worker = new Worker(new URL(`./schema-worker.${extension}`, import.meta.url), {
      execArgv: [],
      env: {},
      name: 'schemas',
      resourceLimits: RESOURCES,
    });
    worker.unref();
    this.#worker = worker;
    this.#isReady = false;
    this.#cancelTimer = this.#clock.schedule(START_LIMIT_MS, () => this.#lost(worker, 'the thread did not start'));
    worker.on('message', (answer: CheckAnswer) => {
      if (this.#worker !== worker) return;
      if (answer === 'ready') this.#isReady = true;
      else this.#settle(answer);
      this.#next();
    });
    // Such as too little memory.
    worker.on('error', (error) => this.#lost(worker, `the comparison failed: ${error.message}`));
  }

  #settle(answer: Exclude<CheckAnswer, 'ready'>): void {
    this.#cancelTimer();
    const job = this.#current;
    this.#current = null;
    job?.settle(answer);
  }

  #tookTooLong(job: Job): void {
    if (this.#current !== job) return;
    this.#drop();
    this.#current = null;
    job.tries += 1;
    if (job.tries < MAX_TRIES) this.#waiting.unshift(job);
    else job.settle(TOO_LONG);
    this.#next();
  }

  #lost(worker: Worker, reason: string): void {
    if (this.#worker !== worker) return;
    const hadStarted = this.#isReady;
    this.#drop();
    if (this.#current !== null) this.#settle({ unchecked: reason });
    // A thread that does not start will not start for the next comparison.
    else if (!hadStarted) this.#waiting.shift()?.settle({ unchecked: reason });
    this.#next();
  }

  #drop(): void {
    this.#cancelTimer();
    const worker = this.#worker;
    this.#worker = null;
    this.#isReady = false;
    if (worker === null) return;
    const ending = worker.terminate().finally(() => this.#ending.delete(ending));
    this.#ending.add(ending);
  }
}

/** `/lines/0: Instance type "string" is invalid. Expected "number".` */
export const faultInWords = ({ path, message }: SchemaFault): string =>
  `${path === '' ? 'the value' : path}: ${message}`;
