// The work that one replica does for the questions of all namespaces: it folds the logs into the table, withdraws what has expired or
// whose agent has left, and publishes outcomes that were claimed and not published.
//
//   idle ──takes the duty──> on duty ──loses it, or the database does not answer──> idle
//   each ──close()──> closed
//
// On duty, each log that is read has a reader:
//
//   reading ──another replica has read on, a failure──> ended; the next tick begins where the table says
import type { Bus } from '@hypercode/bus';
import { type Clock, repeat } from '@hypercode/clock';
import type { PendingQuestion, QuestionFact, Questions } from '@hypercode/operations';
import { questionFactOf } from '@hypercode/operations';

export interface QuestionDutyOptions {
  readonly bus: Pick<Bus, 'subscribe'>;
  readonly questions: Questions;
  readonly isAgent: (namespace: string, name: string) => Promise<boolean>;
  readonly publish: (outcome: PendingQuestion) => Promise<unknown>;
  readonly clock: Clock;
  /** Called with failures; each is tried again with a later tick. */
  readonly onError: (error: unknown) => void;
}

const TICK_MS = 1_000;
const DUTY_MS = 5_000;
/** Ticks between two checks whether the asking agents are still there. */
const TICKS_OF_AGENTS = 2;
/** Ticks between two removals of what is old. */
const TICKS_OF_RETENTION = 600;
/** How long the replica that took an answer has to publish it, in milliseconds. */
const CLAIMED_MS = 2_000;
/** Outcomes that are published in one tick. */
const PUBLISHED = 500;
/** A log in which nothing was said of questions for so long, and that has no open ones, is left, in milliseconds. */
const IDLE_MS = 600_000;

const TOPICS = ['question.*.asked', 'question.*.answered', 'question.*.withdrawn'];
const READER = { kind: 'operator', id: 'core:questions', name: 'questions', readOnly: true } as const;

interface Reader {
  readonly end: AbortController;
  /** Where it has read to; null: nothing yet. */
  position: string | null;
  /** Whether it has reached the end of the log since the last tick that asked. */
  isCaughtUp: boolean;
  readonly running: Promise<void>;
}

export class QuestionDuty {
  readonly #options: QuestionDutyOptions;
  readonly #holder: string;
  readonly #readers = new Map<string, Reader>();
  readonly #endTicks: () => void;
  #ticking: Promise<void> = Promise.resolve();
  #ticks = 0;
  #isOnDuty = false;
  #isClosed = false;

  constructor(options: QuestionDutyOptions) {
    this.#options = options;
    this.#holder = options.clock.newId();
    this.#endTicks = repeat(options.clock, TICK_MS, () => this.#soon(() => this.#tick()));
  }

  /** Another log is to be read: this replica reads it at once, if it is on duty. */
  poke(): void {
    void this.#soon(async () => {
      if (this.#isOnDuty) await this.#readLogs();
    });
  }

  async close(): Promise<void> {
    this.#isClosed = true;
    this.#endTicks();
    await this.#ticking;
    await this.#endReaders();
    if (this.#isOnDuty) await this.#options.questions.leaveDuty(this.#holder).catch(this.#options.onError);
  }

  /** One after another. */
  #soon(work: () => Promise<void>): Promise<void> {
    this.#ticking = this.#ticking.then(async () => {
      if (this.#isClosed) return;
      try {
        await work();
      } catch (error) {
        this.#isOnDuty = false;
        await this.#endReaders();
        this.#options.onError(error);
      }
    });
    return this.#ticking;
  }

  async #tick(): Promise<void> {
    const { questions } = this.#options;
    this.#isOnDuty = await questions.takeDuty(this.#holder, DUTY_MS);
    if (!this.#isOnDuty) return this.#endReaders();
    await this.#readLogs();
    this.#ticks += 1;
    if (this.#ticks % TICKS_OF_RETENTION === 1) await questions.applyRetention();
    // A log with an open question is read.
    if (this.#readers.size === 0) return;
    await questions.withdrawExpired();
    if (this.#ticks % TICKS_OF_AGENTS === 0) await this.#withdrawOfThoseWhoLeft();
    await this.#publishPending();
  }

  async #readLogs(): Promise<void> {
    const { questions } = this.#options;
    const logs = await questions.logs();
    const wanted = new Map(logs.map(({ namespace, position }) => [namespace, position]));
    for (const [namespace, reader] of this.#readers) if (!wanted.has(namespace)) reader.end.abort();
    const idle = [...this.#readers].flatMap(([namespace, { position, isCaughtUp }]) =>
      isCaughtUp && position !== null ? [{ namespace, position }] : [],
    );
    for (const [namespace, position] of wanted) if (!this.#readers.has(namespace)) this.#read(namespace, position);
    if (idle.length > 0 && this.#ticks % TICKS_OF_RETENTION === 2) await questions.leaveIdle(idle, IDLE_MS);
  }

  #read(namespace: string, position: string | null): void {
    const end = new AbortController();
    const reader: Reader = {
      end,
      position,
      isCaughtUp: false,
      running: this.#fold(namespace, position, end.signal)
        .catch((error: unknown) => {
          if (!end.signal.aborted) this.#options.onError(error);
        })
        .finally(() => {
          if (this.#readers.get(namespace) === reader) this.#readers.delete(namespace);
        }),
    };
    this.#readers.set(namespace, reader);
  }

  async #fold(namespace: string, position: string | null, signal: AbortSignal): Promise<void> {
    const { bus, questions, clock } = this.#options;
    const from = position === null ? ('earliest' as const) : { after: position };
    const request = { namespace, topics: TOPICS, from, lastEventId: undefined };
    let before = position;
    for await (const batch of bus.subscribe(READER, request, signal)) {
      const facts: QuestionFact[] = [];
      let after = before;
      let isCaughtUp = false;
      for (const { event: item } of batch) {
        after = item.type === 'gap' ? item.resumedAt : item.position;
        isCaughtUp = item.type === 'bookmark';
        const fact = item.type === 'event' ? questionFactOf(item.event, () => clock.newId()) : null;
        if (fact !== null) facts.push(fact);
      }
      if (after !== null && after !== before) {
        if (!(await questions.fold({ namespace, before, after, facts }))) return;
        before = after;
      }
      const reader = this.#readers.get(namespace);
      if (reader !== undefined) Object.assign(reader, { position: before, isCaughtUp });
      if (facts.length > 0) void this.#soon(() => this.#publishPending());
    }
  }

  async #withdrawOfThoseWhoLeft(): Promise<void> {
    const { questions, isAgent } = this.#options;
    const asking = await questions.asking();
    const there = await Promise.all(asking.map(({ namespace, agent }) => isAgent(namespace, agent)));
    for (const [index, { namespace, agent }] of asking.entries()) {
      if (there[index] === false) await questions.withdrawOf(namespace, agent);
    }
  }

  async #publishPending(): Promise<void> {
    const { questions, publish } = this.#options;
    const pending = await questions.pending(CLAIMED_MS, PUBLISHED);
    if (pending.length === 0) return;
    // Those that wait together travel as one append.
    const tried = await Promise.allSettled(pending.map((outcome) => publish(outcome)));
    const done = pending.filter((_, index) => tried[index]?.status === 'fulfilled');
    if (done.length > 0) await questions.published(done);
    const failed = tried.find(({ status }) => status === 'rejected');
    if (failed !== undefined) throw (failed as PromiseRejectedResult).reason;
  }

  async #endReaders(): Promise<void> {
    const readers = [...this.#readers.values()];
    this.#readers.clear();
    for (const { end } of readers) end.abort();
    await Promise.all(readers.map(({ running }) => running));
  }
}
