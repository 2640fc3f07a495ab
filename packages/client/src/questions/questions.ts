// Asking people, and waiting for the answer.
//
//   attaching ──the listener receives answers──> asking ──asked is in the log──> waiting ──answered──> done
//                                                                                ──withdrawn──> QuestionError
//   waiting ──events are missing──> asking: the same question asked again is the same, and the core answers again
//   each ──signal, timeoutMs──> the question is withdrawn
//
// An agent has one listener for all of its questions, from the first one that waits to the last.
import { type Clock, sleep, systemClock } from '@hypercode/clock';
import { type Json, type QuestionAsked, SwarmError, type SwarmEvent } from '@hypercode/contracts';
import type { BusCalls } from '../bus/bus-calls.ts';
import type { TopicListener } from '../consuming/subscription.ts';
import { retryDelay } from '../transport/backoff.ts';
import { abortError } from '../transport/bounded.ts';
import { isRecord } from '../transport/json.ts';
import { onAbort } from '../transport/on-abort.ts';
import { QuestionError } from './question-error.ts';

/** A question to people. With `options`, the answer is the `id` of one; with `schema`, it fits that JSON Schema. */
export interface QuestionInput extends Omit<QuestionAsked, 'questionId' | 'expiresAt'> {
  /**
   * An agent that asks with an id that it has asked with before asks the same question: it gets the answer, also if that was given
   * while no process of the agent waited. Default: a new one; in a task, one that follows from the task and the text.
   */
  readonly questionId?: string | undefined;
}

export interface AskOptions {
  /** Milliseconds until the question is withdrawn. Default: it waits for as long as the agent lives. */
  readonly timeoutMs?: number | undefined;
  /** Withdraws the question. */
  readonly signal?: AbortSignal | undefined;
}

export interface QuestionAnswer {
  readonly questionId: string;
  /** The `id` of an option, or what the schema asked for. */
  readonly answer: Json;
  readonly comment: string | null;
  /** Who answered, as the source of events is written. */
  readonly by: string;
}

export interface QuestionsOptions {
  /** Of the agent. */
  readonly name: string;
  readonly bus: Pick<BusCalls, 'on' | 'publish'>;
  readonly clock?: Clock | undefined;
}

interface Waiting {
  readonly questionId: string;
  readonly ask: () => Promise<void>;
  readonly settle: (answer: QuestionAnswer) => void;
  readonly fail: (error: Error) => void;
}

export class Questions {
  readonly #name: string;
  readonly #bus: Pick<BusCalls, 'on' | 'publish'>;
  readonly #clock: Clock;
  readonly #waiting = new Set<Waiting>();
  #listener: TopicListener | null = null;

  constructor({ name, bus, clock = systemClock }: QuestionsOptions) {
    this.#name = name;
    this.#bus = bus;
    this.#clock = clock;
  }

  /**
   * Resolves with the first answer. Rejects with a QuestionError when the question was withdrawn, with the refusal of the core, and when
   * `signal` is aborted.
   */
  async ask(
    { questionId = this.#clock.newId(), ...question }: QuestionInput,
    { timeoutMs, signal }: AskOptions = {},
  ): Promise<QuestionAnswer> {
    if (signal?.aborted === true) throw abortError(signal);
    const ended = new AbortController();
    const { promise, resolve, reject } = Promise.withResolvers<QuestionAnswer>();
    const expiry = timeoutMs === undefined ? {} : { expiresAt: timeAt(this.#clock.epochMs() + timeoutMs) };
    const data = { questionId, ...question, ...expiry } as unknown as Json;
    const waiting: Waiting = {
      questionId,
      ask: () => this.#insist('asked', data, ended.signal),
      settle: resolve,
      fail: reject,
    };
    const withdraw = (error: Error, reason: string): void => {
      reject(error);
      this.#withdraw(waiting, reason);
    };
    const release =
      signal === undefined ? () => {} : onAbort(signal, () => withdraw(abortError(signal), 'the agent no longer asks'));
    const cancelTimer =
      timeoutMs === undefined
        ? () => {}
        : this.#clock.schedule(timeoutMs, () => {
            const reason = 'it was not answered in time';
            withdraw(new QuestionError(questionId, reason), reason);
          });
    // What ends the question also ends the attaching and the asking.
    promise.catch(() => {});
    try {
      const { attached } = this.#enter(waiting);
      await Promise.race([attached, promise]);
      const asking = waiting.ask();
      asking.catch(reject);
      return await promise;
    } finally {
      ended.abort(new SwarmError('UNAVAILABLE', 'the question has ended'));
      release();
      cancelTimer();
      this.#leave(waiting);
    }
  }

  #enter(waiting: Waiting): TopicListener {
    this.#waiting.add(waiting);
    if (this.#listener !== null) return this.#listener;
    const topics = [`question.${this.#name}.answered`, `question.${this.#name}.withdrawn`];
    const listener = this.#bus.on(topics, (event) => this.#receive(event), {
      // The questions that wait are rejected with what ends the listener.
      onError: () => {},
      onGap: () => {
        for (const { ask, fail } of this.#waiting) ask().catch(fail);
      },
    });
    this.#listener = listener;
    const failAll = (error: unknown): void => {
      if (this.#listener !== listener) return;
      this.#listener = null;
      for (const { fail } of this.#waiting) fail(SwarmError.from(error));
    };
    listener.closed.then(() => failAll(new SwarmError('UNAVAILABLE', 'the agent was stopped')), failAll);
    return listener;
  }

  #leave(waiting: Waiting): void {
    this.#waiting.delete(waiting);
    if (this.#waiting.size > 0 || this.#listener === null) return;
    const listener = this.#listener;
    this.#listener = null;
    listener.stop();
  }

  /** Best effort: a question with a time ends by itself, and one of an agent that leaves is withdrawn by the core. */
  #withdraw({ questionId, ...self }: Waiting, reason: string): void {
    for (const other of this.#waiting) if (other.questionId === questionId && other.fail !== self.fail) return;
    this.#bus.publish(`question.${this.#name}.withdrawn`, { questionId, reason }).catch(() => {});
  }

  #receive({ topic, source, namespace, data }: SwarmEvent): void {
    // An agent does not answer itself, whatever its policy allows.
    const isOwn = source === `/agents/${namespace}/${this.#name}`;
    if (!isRecord(data) || typeof data['questionId'] !== 'string') return;
    const { questionId, answer, comment, by, reason } = data;
    const isAnswer = topic.endsWith('.answered');
    if (isAnswer && (isOwn || answer === undefined)) return;
    for (const waiting of this.#waiting) {
      if (waiting.questionId !== questionId) continue;
      if (!isAnswer)
        waiting.fail(new QuestionError(questionId, typeof reason === 'string' ? reason : 'no reason given'));
      else {
        waiting.settle({
          questionId,
          answer: answer as Json,
          comment: typeof comment === 'string' ? comment : null,
          by: typeof by === 'string' ? by : source,
        });
      }
    }
  }

  /** Until the core has taken or refused it. */
  async #insist(kind: 'asked', data: Json, signal: AbortSignal): Promise<void> {
    for (let failures = 1; ; failures += 1) {
      try {
        await this.#bus.publish(`question.${this.#name}.${kind}`, data, { signal });
        return;
      } catch (thrown) {
        const error = SwarmError.from(thrown);
        if (signal.aborted) return;
        if (!error.retryable) throw error;
        await sleep(this.#clock, retryDelay(error, failures, this.#clock.random()), signal);
        if (signal.aborted) return;
      }
    }
  }
}

const timeAt = (ms: number): string => new Date(ms).toISOString();
