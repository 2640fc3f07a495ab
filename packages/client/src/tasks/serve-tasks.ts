// Doing the tasks that are assigned to an agent: takes them from the agent's own consumer group, runs the handler of their
// capability, and publishes the outcome.
//
//   assigned ──to another process of the agent, its deadline has passed, or it was cancelled──> acknowledged, without an answer
//            ──else──> accepted ──handler returns──> completed
//                               ──handler throws, or the deadline passes──> failed
//                               ──cancelled by the Architect, or assigned anew──> no answer: none is expected
//                               ──the agent stops──> given back
//
// The assignment is acknowledged when the answer is on the bus. When the process dies before, the group delivers it again.
// One that comes again while this process works on it settles with that work, and takes no place of it; one that was
// answered is acknowledged.
//
// An assignment names the incarnation that it is for. The Architect takes back what another process of the agent had, so
// two processes never do the same task. Cancellations are received live; those from the time before are read from the log,
// from the first assignment on, before a task begins.
//
// Progress that the core has taken moves the deadline, unless the assignment excludes it: from then on the task has as long as it had when it was assigned.
import {
  type Json,
  LIMITS,
  SwarmError,
  type TaskAssigned,
  type TaskCancelled,
  type TypedEvent,
} from '@hypercode/contracts';
import { retryDelay } from '../transport/backoff.ts';
import { abortError, bounded } from '../transport/bounded.ts';
import { type Clock, sleep, systemClock } from '@hypercode/clock';
import type { ConnectedAgent } from '../presence/connected-agent.ts';
import type { Consumer, Delivery } from '../consuming/consumer.ts';
import { dependencyOutputs } from './dependency-outputs.ts';
import { safely } from '../transport/emitter.ts';
import { EventWarnings, messageOf, type SwarmLogger } from '../transport/logger.ts';
import { onAbort } from '../transport/on-abort.ts';
import type { LogReader } from '../goals/task-outputs.ts';
import { type AskOptions, type QuestionAnswer, type QuestionInput, Questions } from '../questions/questions.ts';
import { pastCancellations } from './past-cancellations.ts';
import type { SwarmClient } from '../swarm-client.ts';
import { causedBy, type Correlation } from '../publishing/correlation.ts';
import { TaskError } from './task-error.ts';
import type { TopicListener } from '../consuming/subscription.ts';
import { taskEventId } from './task-event-id.ts';
import { taskEvents } from './task-events.ts';
import { v5 as uuidv5 } from 'uuid';
import type { TypedEvents } from '../bus/typed-events.ts';

export interface TaskContext {
  /**
   * Aborted when the task is cancelled or assigned anew, at its deadline, and when the agent stops. The result of the handler is
   * not used then.
   */
  readonly signal: AbortSignal;
  /**
   * Reports how far the task is, from 0 to 1; other fractions are taken as the nearest. Sent at most four times a second, and
   * not in between. A report moves the deadline, unless the assignment excludes it: from then on the task has as long as it had when it was assigned.
   */
  progress(fraction: number, message?: string): void;
  /**
   * Asks people about the task, and waits for the answer. Meanwhile the deadline of the task stands still, for as long as the Architect
   * has patience. Unless `questionId` is given, the same text asked again for this task, also in a later attempt of this agent, is the same
   * question, and gets the same answer. Rejects as `agent.ask`, and when `signal` of the task is aborted, which withdraws the question.
   */
  ask(question: QuestionInput, options?: AskOptions): Promise<QuestionAnswer>;
}

/**
 * Returns the task's output; nothing is null. `dependencies` of the task are the outputs themselves. An output that is no
 * JSON, or larger than an event may be, fails the task, which is not tried again then.
 */
export type TaskHandler = (task: TaskAssigned, context: TaskContext) => Json | void | Promise<Json | void>;

export interface ServeTasksOptions {
  /**
   * Most tasks at a time. Default 4, which is what the Architect hands out; for another number, give the
   * agent the label `max-tasks` as well, which the Architect reads.
   */
  readonly concurrency?: number | undefined;
  /**
   * Milliseconds without an acknowledgement until the group takes this process for dead and delivers the task again.
   * A task may last longer. The group keeps the value that it was made with; another is refused with CONFLICT, with which
   * `closed` rejects. Default 600,000.
   */
  readonly ackDeadlineMs?: number | undefined;
  /** Receives what a handler threw, and the errors of events that could not be published. Default: the agent's logger does. */
  readonly onError?: ((error: unknown, task: TaskAssigned) => void) | undefined;
}

export interface TaskServer {
  /** Tasks that are being worked on. */
  readonly running: number;
  /** Takes no more tasks and waits for those that run, for up to `timeoutMs` (default 10,000). `agent.stop` does so, too. */
  stop(options?: { readonly timeoutMs?: number | undefined }): Promise<void>;
  /** Resolves when it has stopped; rejects with a refusal that no retry can help. */
  readonly closed: Promise<void>;
  [Symbol.asyncDispose](): Promise<void>;
}

/**
 * Works on the tasks that are assigned to `agent`, with one handler for each capability. Answers have the ids of
 * `taskEventId`, so an answer that is repeated is one answer. The role needs `task.{name}.>` both ways, as `worker` has it.
 */
export function serveTasks(
  { agent, client, logger }: Pick<ConnectedAgent, 'agent' | 'client'> & Partial<Pick<ConnectedAgent, 'logger'>>,
  handlers: Readonly<Record<string, TaskHandler>>,
  options: ServeTasksOptions = {},
): TaskServer {
  return new AssignedTasks(agent, client, handlers, { ...options, onError: options.onError ?? warningsOn(logger) });
}

/** One warning for each attempt. */
function warningsOn(logger: SwarmLogger | undefined): ServeTasksOptions['onError'] {
  if (logger === undefined) return undefined;
  const warnings = new EventWarnings(systemClock, logger);
  return (error, task) => {
    const { planId, taskId, attempt, capability } = task;
    const about = { planId, taskId, attempt, capability, error: messageOf(error) };
    warnings.warn(keyOf(task), about, 'a task failed, or could not be reported on');
  };
}

const DEFAULT_CONCURRENCY = 4;
const DEFAULT_ACK_DEADLINE_MS = 600_000;
const PROGRESS_GAP_MS = 250;
/** Attempts of which is remembered that they are over, in case they come again. */
const MAX_REMEMBERED = 10_000;

type AssignedEvent = TypedEvent<typeof taskEvents, `task.${string}.assigned`>;

interface Attempt {
  readonly task: TaskAssigned;
  /** That it was caused by its assignment. */
  readonly correlation: Correlation;
  readonly delivery: Pick<Delivery, 'attempt' | 'position'>;
  /** Aborted when `end` is set, with the reason in words. */
  readonly signal: AbortSignal;
  /** Gives the task as long as it had when it was assigned, from `atMs` on, in milliseconds since the epoch. */
  readonly moveDeadline: (atMs: number) => void;
  /** A question about the task is open: the deadline stands still until the returned function is called. */
  readonly holdDeadline: () => () => void;
  /** Why there is nothing more to wait for. */
  end: 'answered' | 'cancelled' | 'deadline' | 'stopped' | null;
}

interface Running {
  readonly task: TaskAssigned;
  /** Resolves when the assignment is to be acknowledged, rejects when it is to be given back. */
  readonly done: Promise<void>;
  cancel(reason: string): void;
}

interface Failure {
  readonly kind: 'failed';
  readonly error: { readonly message: string; readonly retryable: boolean };
}
type Answer = { readonly kind: 'completed'; readonly output: Json } | Failure;

/** `serveTasks`, on any bus and clock. */
export class AssignedTasks implements TaskServer {
  readonly #name: string;
  readonly #incarnation: string | null;
  readonly #log: LogReader;
  readonly #events: TypedEvents<typeof taskEvents>;
  readonly #questions: Questions;
  readonly #handlers: Readonly<Record<string, TaskHandler>>;
  readonly #options: ServeTasksOptions;
  readonly #clock: Clock;
  readonly #consumer: Consumer;
  readonly #cancellations: TopicListener;
  /** By attempt. */
  readonly #running = new Map<string, Running>();
  /** Attempts that were answered or cancelled; the oldest first. */
  readonly #over = new Set<string>();
  /** Aborted when the consumer does not wait any longer. */
  readonly #stopped = new AbortController();
  /** Resolves when the cancellations after the first assignment were read; undefined before there is one. */
  #past: Promise<void> | undefined;

  constructor(
    { name, incarnation }: { readonly name: string; readonly incarnation: string | null },
    client: Pick<SwarmClient, 'events' | 'on' | 'publish'> & { readonly bus: LogReader },
    handlers: Readonly<Record<string, TaskHandler>>,
    options: ServeTasksOptions,
    clock: Clock = systemClock,
  ) {
    this.#name = name;
    this.#incarnation = incarnation;
    this.#log = client.bus;
    this.#events = client.events(taskEvents);
    this.#questions = new Questions({ name, bus: client, clock });
    this.#handlers = handlers;
    this.#options = options;
    this.#clock = clock;
    const { concurrency = DEFAULT_CONCURRENCY, ackDeadlineMs = DEFAULT_ACK_DEADLINE_MS } = options;
    this.#cancellations = this.#events.on(`task.${name}.cancelled`, ({ data }) => this.#cancel(data));
    // What was assigned before the group was there is the agent's, too.
    const group = { group: name, topics: [`task.${name}.assigned`] as const, from: 'earliest' as const };
    this.#consumer = this.#events.consume({ ...group, maxInFlight: concurrency, ackDeadlineMs }, (event, delivery) =>
      this.#serve(event, delivery),
    );
    const end = (): void => {
      this.#cancellations.stop();
      this.#stopped.abort(new SwarmError('UNAVAILABLE', 'the worker was stopped'));
    };
    this.#consumer.closed.then(end, end);
  }

  get running(): number {
    return this.#running.size;
  }

  get closed(): Promise<void> {
    return this.#consumer.closed;
  }

  stop(options?: { readonly timeoutMs?: number | undefined }): Promise<void> {
    return this.#consumer.stop(options);
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.stop();
  }

  /** Settles the assignment: acknowledged when this resolves, given back when it rejects. */
  async #serve(event: AssignedEvent, delivery: Delivery): Promise<void> {
    const { data: task } = event;
    const isForAnother =
      task.incarnation !== null && this.#incarnation !== null && task.incarnation !== this.#incarnation;
    if (isForAnother) return;
    // An agent whose policy denies it cancellations works all the same.
    await this.#cancellations.attached.catch(() => {});
    const key = keyOf(task);
    const running = this.#running.get(key);
    if (running !== undefined) {
      delivery.leavePlace();
      return running.done;
    }
    const leftMs = Date.parse(task.deadlineAt) - this.#clock.epochMs();
    if (leftMs <= 0 || this.#over.has(key)) return;
    this.#endEarlierAttempts(task);
    await this.#begin(event, delivery).done;
  }

  #cancel({ reason, ...attempt }: TaskCancelled): void {
    const key = keyOf(attempt);
    this.#remember(key);
    this.#running.get(key)?.cancel(reason);
  }

  /** A task that is assigned anew was taken back before, even if the cancellation has not arrived. */
  #endEarlierAttempts({ planId, taskId, attempt }: TaskAssigned): void {
    for (const { task, ...running } of this.#running.values()) {
      if (task.planId === planId && task.taskId === taskId && task.attempt < attempt) {
        running.cancel(`it was assigned anew, as attempt ${attempt}`);
      }
    }
  }

  #begin(assigned: AssignedEvent, delivery: Delivery): Running {
    const { time, data: task } = assigned;
    const correlation = causedBy(assigned);
    const key = keyOf(task);
    const controller = new AbortController();
    let deadline = Date.parse(task.deadlineAt);
    const spanMs = deadline - Date.parse(time);
    let cancelTimer = (): void => {};
    let held = 0;
    let heldSince = 0;
    const armTimer = (): void => {
      cancelTimer();
      if (held > 0) return;
      cancelTimer = this.#clock.schedule(deadline - this.#clock.epochMs(), () =>
        end(
          'deadline',
          new SwarmError(
            'UNAVAILABLE',
            `timed out: the task was not done by its deadline, ${new Date(deadline).toISOString()}`,
          ),
        ),
      );
    };
    const moveDeadline = (atMs: number): void => {
      if (attempt.end !== null || task.extendOnProgress === false || !(atMs + spanMs > deadline)) return;
      deadline = atMs + spanMs;
      armTimer();
    };
    const holdDeadline = (): (() => void) => {
      if (held === 0) heldSince = this.#clock.epochMs();
      held += 1;
      armTimer();
      return () => {
        held -= 1;
        if (held > 0) return;
        deadline += Math.max(0, this.#clock.epochMs() - heldSince);
        if (attempt.end === null) armTimer();
      };
    };
    const { signal } = controller;
    const attempt: Attempt = { task, correlation, delivery, signal, moveDeadline, holdDeadline, end: null };
    const end = (why: NonNullable<Attempt['end']>, reason: SwarmError): void => {
      attempt.end ??= why;
      controller.abort(reason);
    };
    const stopped = this.#stopped.signal;
    const release = onAbort(stopped, () => end('stopped', abortError(stopped)));
    armTimer();
    const running: Running = {
      task,
      done: this.#settle(attempt).finally(() => {
        // A report of progress that is answered later moves nothing.
        attempt.end ??= 'answered';
        cancelTimer();
        release();
        this.#running.delete(key);
      }),
      cancel: (reason) => end('cancelled', new SwarmError('CONFLICT', `the task was cancelled: ${reason}`)),
    };
    this.#running.set(key, running);
    return running;
  }

  async #settle(attempt: Attempt): Promise<void> {
    try {
      const answer = await this.#answerOf(attempt);
      if (answer.kind === 'completed') await this.#complete(attempt, answer.output);
      else await this.#fail(attempt, answer);
    } catch (error) {
      if (attempt.end !== 'cancelled') throw error;
    }
    this.#remember(keyOf(attempt.task));
  }

  /** Runs the handler. Rejects when there is to be no answer. */
  async #answerOf(attempt: Attempt): Promise<Answer> {
    const { task, signal } = attempt;
    const { capability } = task;
    await this.#readPast(attempt);
    const handler = Object.hasOwn(this.#handlers, capability) ? this.#handlers[capability] : undefined;
    if (handler === undefined) return failure(`${this.#name} has no handler for the capability "${capability}"`, true);
    const about = { ...attempt.correlation, id: taskEventId(task, 'accepted') };
    await this.#insist(attempt, () =>
      this.#events.publish(`task.${this.#name}.accepted`, attemptOf(task), { ...about, signal }),
    );
    const [progress, endProgress] = this.#progressOf(attempt);
    try {
      const bounds = { timeoutMs: Infinity, signals: [signal] };
      const output = await bounded(this.#clock, bounds, async (ended) => {
        const dependencies = await dependencyOutputs(task, this.#log, (read) => this.#insist(attempt, read));
        ended.throwIfAborted();
        const ask: TaskContext['ask'] = (question, options) => this.#ask(attempt, question, options);
        return handler({ ...task, dependencies }, { signal: ended, progress, ask });
      });
      return { kind: 'completed', output: output ?? null };
    } catch (thrown) {
      if (attempt.end === 'deadline') return failure(messageOf(thrown), true);
      if (attempt.end !== null) throw thrown;
      safely(() => this.#options.onError?.(thrown, task));
      return failure(messageOf(thrown), !(thrown instanceof TaskError) || thrown.retryable);
    } finally {
      endProgress();
    }
  }

  /**
   * Waits until the cancellations are known that were published since the assignment. The first assignment stands before all
   * others in the log, except for those that come again, which may be older.
   */
  async #readPast({ task, delivery, signal }: Attempt): Promise<void> {
    const { position, attempt: deliveries } = delivery;
    let read = this.#past;
    if (read === undefined) read = this.#past = this.#cancelPast(position, task, this.#stopped.signal);
    else if (deliveries > 1) read = this.#cancelPast(position, task, signal);
    const past = read;
    await bounded(this.#clock, { timeoutMs: Infinity, signals: [signal] }, () => past);
  }

  /** Cancels what was cancelled after a position. Never rejects: what the core refuses for good is done without. */
  async #cancelPast(after: string, task: TaskAssigned, signal: AbortSignal): Promise<void> {
    const read = async (): Promise<void> => {
      try {
        for await (const cancelled of pastCancellations(this.#log, { name: this.#name, after, signal })) {
          this.#cancel(cancelled);
        }
      } catch (error) {
        if (!signal.aborted) throw error;
      }
    };
    await this.#insist({ task, signal }, read).catch(() => {});
  }

  async #complete(attempt: Attempt, output: Json): Promise<void> {
    const { task } = attempt;
    const about = { ...attempt.correlation, id: taskEventId(task, 'completed') };
    try {
      await this.#insist(attempt, () =>
        this.#events.publish(`task.${this.#name}.completed`, { ...attemptOf(task), output }, about),
      );
    } catch (thrown) {
      const error = SwarmError.from(thrown);
      if (error.retryable) throw error;
      await this.#fail(attempt, failure(`the output cannot be sent: ${error.message}`, false));
    }
  }

  async #fail(attempt: Attempt, { error }: Failure): Promise<void> {
    const about = { ...attempt.correlation, id: taskEventId(attempt.task, 'failed') };
    await this.#insist(attempt, () =>
      this.#events.publish(`task.${this.#name}.failed`, { ...attemptOf(attempt.task), error }, about),
    );
  }

  /** Calls the core at least once, and then until it has done or refused it, or the attempt has ended. */
  async #insist<T>({ task, signal }: Pick<Attempt, 'task' | 'signal'>, call: () => Promise<T>): Promise<T> {
    for (let failures = 1; ; failures += 1) {
      try {
        return await call();
      } catch (thrown) {
        const error = SwarmError.from(thrown);
        safely(() => this.#options.onError?.(error, task));
        if (!error.retryable || signal.aborted) throw error;
        await sleep(this.#clock, retryDelay(error, failures, this.#clock.random()), signal);
      }
    }
  }

  async #ask(
    attempt: Attempt,
    question: QuestionInput,
    { timeoutMs, signal }: AskOptions = {},
  ): Promise<QuestionAnswer> {
    const { task, signal: ended } = attempt;
    const { questionId = uuidv5(JSON.stringify([task.taskId, question.text]), task.planId), ...rest } = question;
    const release = attempt.holdDeadline();
    try {
      const asked = { about: attemptOf(task), ...rest, questionId };
      const signals = signal === undefined ? ended : AbortSignal.any([ended, signal]);
      return await this.#questions.ask(asked, { timeoutMs, signal: signals });
    } finally {
      release();
    }
  }

  /** What the handler is given, and what ends it. */
  #progressOf(attempt: Attempt): [progress: TaskContext['progress'], end: () => void] {
    const { task } = attempt;
    let lastAt = -Infinity;
    let isSending = false;
    let hasEnded = false;
    const progress: TaskContext['progress'] = (fraction, message) => {
      const now = this.#clock.monotonicMs();
      if (hasEnded || isSending || now - lastAt < PROGRESS_GAP_MS) return;
      lastAt = now;
      isSending = true;
      const atMs = this.#clock.epochMs();
      const how = { progress: Math.min(1, Math.max(0, fraction)) };
      const words = message === undefined ? {} : { message: storable(message, LIMITS.reasonLength) };
      this.#events
        .publish(`task.${this.#name}.progress`, { ...attemptOf(task), ...how, ...words }, attempt.correlation)
        .then(() => attempt.moveDeadline(atMs))
        .catch((error: unknown) => safely(() => this.#options.onError?.(error, task)))
        .finally(() => void (isSending = false));
    };
    return [progress, () => void (hasEnded = true)];
  }

  #remember(key: string): void {
    this.#over.add(key);
    if (this.#over.size <= MAX_REMEMBERED) return;
    for (const oldest of this.#over) {
      this.#over.delete(oldest);
      return;
    }
  }
}

const attemptOf = ({ planId, taskId, attempt }: TaskAssigned) => ({ planId, taskId, attempt });
const keyOf = ({ planId, taskId, attempt }: Pick<TaskAssigned, 'planId' | 'taskId' | 'attempt'>): string =>
  `${planId}/${taskId}/${attempt}`;

const failure = (message: string, retryable: boolean): Failure => ({
  kind: 'failed',
  error: { message: storable(message, LIMITS.taskErrorLength), retryable },
});

const storable = (text: string, maxLength: number): string =>
  text.replaceAll('\0', '').slice(0, maxLength).toWellFormed();
