// Doing the tasks that are assigned to an agent: takes them from the agent's own consumer group, runs the handler of their
// capability, and publishes the outcome.
//
//   assigned ──its deadline has passed, or it was cancelled──> acknowledged, without an answer
//            ──else──> accepted ──handler returns──> completed
//                               ──handler throws, or the deadline passes──> failed
//                               ──cancelled by the Architect──> no answer: none is expected
//                               ──the agent stops──> given back
//
// The assignment is acknowledged when the answer is on the bus. When the process dies before, the group delivers it again.
// One that comes again while this process works on it settles with that work, and takes no place of it; one that was
// answered is acknowledged.
import { type Json, LIMITS, SwarmError, type TaskAssigned } from '@hypercode/contracts';
import { retryDelay } from '../transport/backoff.ts';
import { abortError, bounded } from '../transport/bounded.ts';
import type { BusCalls } from '../bus/bus-calls.ts';
import { type Clock, sleep, systemClock } from '@hypercode/clock';
import type { ConnectedAgent } from '../presence/connected-agent.ts';
import type { Consumer, Delivery } from '../consuming/consumer.ts';
import { safely } from '../transport/emitter.ts';
import { onAbort } from '../transport/on-abort.ts';
import type { TopicListener } from '../consuming/subscription.ts';
import { taskEventId } from './task-event-id.ts';
import { taskEvents } from './task-events.ts';
import type { TypedEvents } from '../bus/typed-events.ts';

export interface TaskContext {
  /** Aborted when the task is cancelled, at its deadline, and when the agent stops. The result of the handler is not used then. */
  readonly signal: AbortSignal;
  /** Says how far the task is, from 0 to 1. Sent at most four times a second; what comes between is dropped. */
  progress(fraction: number, message?: string): void;
}

/** Gives the task's output; nothing is null. */
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
  /** Receives what a handler threw, and the errors of events that could not be published. */
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

/** A handler throws it to report whether another attempt can help. After any other error the task is tried again. */
export class TaskError extends Error {
  override readonly name = 'TaskError';
  readonly retryable: boolean;

  constructor(message: string, { retryable, cause }: { readonly retryable: boolean; readonly cause?: unknown }) {
    super(message, cause === undefined ? undefined : { cause });
    this.retryable = retryable;
  }
}

/**
 * Works on the tasks that are assigned to `agent`, with one handler for each capability. Answers have the ids of
 * `taskEventId`, so an answer that is repeated is one answer. The role needs `task.{name}.>` both ways, as `worker` has it.
 */
export function serveTasks(
  { agent, client }: Pick<ConnectedAgent, 'agent' | 'client'>,
  handlers: Readonly<Record<string, TaskHandler>>,
  options: ServeTasksOptions = {},
): TaskServer {
  return new AssignedTasks(agent.name, client, handlers, options);
}

const DEFAULT_CONCURRENCY = 4;
const DEFAULT_ACK_DEADLINE_MS = 600_000;
const PROGRESS_GAP_MS = 250;
/** Attempts of which is remembered that they are over, in case they come again. */
const MAX_REMEMBERED = 10_000;

interface Attempt {
  readonly task: TaskAssigned;
  /** The id of the event that assigned it. */
  readonly causationId: string;
  /** Aborted when `end` is set, with the reason in words. */
  readonly signal: AbortSignal;
  /** Why there is nothing more to wait for. */
  end: 'cancelled' | 'deadline' | 'stopped' | null;
}

interface Running {
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
  readonly #events: TypedEvents<typeof taskEvents>;
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

  constructor(
    name: string,
    bus: Pick<BusCalls, 'events'>,
    handlers: Readonly<Record<string, TaskHandler>>,
    options: ServeTasksOptions,
    clock: Clock = systemClock,
  ) {
    this.#name = name;
    this.#events = bus.events(taskEvents);
    this.#handlers = handlers;
    this.#options = options;
    this.#clock = clock;
    const { concurrency = DEFAULT_CONCURRENCY, ackDeadlineMs = DEFAULT_ACK_DEADLINE_MS } = options;
    this.#cancellations = this.#events.on(`task.${name}.cancelled`, ({ data }) => {
      const key = keyOf(data);
      this.#remember(key);
      this.#running.get(key)?.cancel(data.reason);
    });
    // What was assigned before the group was there is the agent's, too.
    const group = { group: name, topics: [`task.${name}.assigned`] as const, from: 'earliest' as const };
    this.#consumer = this.#events.consume(
      { ...group, maxInFlight: concurrency, ackDeadlineMs },
      ({ id, data }, delivery) => this.#serve(data, id, delivery),
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
  async #serve(task: TaskAssigned, causationId: string, { leavePlace }: Delivery): Promise<void> {
    // An agent whose policy denies it cancellations works all the same.
    await this.#cancellations.attached.catch(() => {});
    const key = keyOf(task);
    const running = this.#running.get(key);
    if (running !== undefined) {
      leavePlace();
      return running.done;
    }
    const leftMs = Date.parse(task.deadlineAt) - this.#clock.epochMs();
    if (leftMs <= 0 || this.#over.has(key)) return;
    await this.#begin(task, causationId, leftMs).done;
  }

  #begin(task: TaskAssigned, causationId: string, leftMs: number): Running {
    const key = keyOf(task);
    const controller = new AbortController();
    const attempt: Attempt = { task, causationId, signal: controller.signal, end: null };
    const end = (why: NonNullable<Attempt['end']>, reason: SwarmError): void => {
      attempt.end ??= why;
      controller.abort(reason);
    };
    const stopped = this.#stopped.signal;
    const release = onAbort(stopped, () => end('stopped', abortError(stopped)));
    const cancelTimer = this.#clock.schedule(leftMs, () =>
      end('deadline', new SwarmError('UNAVAILABLE', `the task was not done by its deadline, ${task.deadlineAt}`)),
    );
    const running: Running = {
      done: this.#settle(attempt).finally(() => {
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
    const handler = Object.hasOwn(this.#handlers, capability) ? this.#handlers[capability] : undefined;
    if (handler === undefined) return failure(`${this.#name} has no handler for the capability "${capability}"`, true);
    const about = { ...aboutOf(attempt), id: taskEventId(task, 'accepted') };
    await this.#insist(attempt, () =>
      this.#events.publish(`task.${this.#name}.accepted`, attemptOf(task), { ...about, signal }),
    );
    const [progress, endProgress] = this.#progressOf(attempt);
    try {
      const bounds = { timeoutMs: Infinity, signals: [signal] };
      const output = await bounded(this.#clock, bounds, async (ended) => handler(task, { signal: ended, progress }));
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

  async #complete(attempt: Attempt, output: Json): Promise<void> {
    const { task } = attempt;
    const about = { ...aboutOf(attempt), id: taskEventId(task, 'completed') };
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

  #fail(attempt: Attempt, { error }: Failure): Promise<void> {
    const about = { ...aboutOf(attempt), id: taskEventId(attempt.task, 'failed') };
    return this.#insist(attempt, () =>
      this.#events.publish(`task.${this.#name}.failed`, { ...attemptOf(attempt.task), error }, about),
    );
  }

  /** Publishes at least once, and then until the core has taken or refused it, or the attempt has ended. */
  async #insist({ task, signal }: Attempt, publish: () => Promise<unknown>): Promise<void> {
    for (let failures = 1; ; failures += 1) {
      try {
        await publish();
        return;
      } catch (thrown) {
        const error = SwarmError.from(thrown);
        safely(() => this.#options.onError?.(error, task));
        if (!error.retryable || signal.aborted) throw error;
        await sleep(this.#clock, retryDelay(error, failures, this.#clock.random()), signal);
      }
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
      const how = { progress: Math.min(1, Math.max(0, fraction)) };
      const words = message === undefined ? {} : { message: storable(message, LIMITS.reasonLength) };
      this.#events
        .publish(`task.${this.#name}.progress`, { ...attemptOf(task), ...how, ...words }, aboutOf(attempt))
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
const aboutOf = ({ task, causationId }: Attempt) => ({ correlationId: task.goalId, causationId });

const failure = (message: string, retryable: boolean): Failure => ({
  kind: 'failed',
  error: { message: storable(message, LIMITS.taskErrorLength), retryable },
});

function messageOf(thrown: unknown): string {
  try {
    return String(thrown instanceof Error ? thrown.message : thrown);
  } catch {
    return 'the handler threw a value that cannot be converted to text';
  }
}

const storable = (text: string, maxLength: number): string =>
  text.replaceAll('\0', '').slice(0, maxLength).toWellFormed();
