// Doing the tasks that are assigned to an agent: takes them from the agent's own consumer group, runs the handler of their
// capability, and says on the bus what came of it.
//
//   assigned ──its deadline has passed──> acknowledged, without an answer: it is with somebody else
//            ──else──> accepted ──handler returns──> completed
//                               ──handler throws, or the deadline passes──> failed
//                               ──cancelled by the Architect──> no answer: nobody waits for it
//
// The assignment is acknowledged when the answer is on the bus. When the process dies before, the group delivers it again.
import { architectEvents, type Json, SwarmError, type TaskAssigned } from '@hypercode/contracts';
import type { ConnectedAgent } from './connected-agent.ts';
import type { Consumer, Delivery } from './consumer.ts';
import { safely } from './emitter.ts';
import { onAbort } from './on-abort.ts';
import type { TopicListener } from './subscription.ts';
import { taskEventId } from './task-event-id.ts';
import type { TypedEvents } from './typed-events.ts';

export interface TaskContext {
  /** Aborted when the task is cancelled, at its deadline, and when the agent stops. */
  readonly signal: AbortSignal;
  /** Says how far the task is, from 0 to 1. Sent at most four times a second; what comes between is dropped. */
  progress(fraction: number, message?: string): void;
}

/** Gives the task's output; nothing is null. */
export type TaskHandler = (task: TaskAssigned, context: TaskContext) => Json | void | Promise<Json | void>;

export interface ServeTasksOptions {
  /** Most tasks at a time. The Architect hands out as many as the agent's label `max-tasks` says. Default 4. */
  readonly concurrency?: number | undefined;
  /** Longest time of a task, in milliseconds; one that takes longer is delivered again. Default 600,000. */
  readonly ackDeadlineMs?: number | undefined;
  /** Told what a handler threw, and what could not be said on the bus. */
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

/** What a handler throws to say whether another attempt can help. Any other error leaves that open: it is tried again. */
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
  agent: Pick<ConnectedAgent, 'agent' | 'client' | 'on'>,
  handlers: Readonly<Record<string, TaskHandler>>,
  options: ServeTasksOptions = {},
): TaskServer {
  return new AssignedTasks(agent, handlers, options);
}

const DEFAULT_CONCURRENCY = 4;
const DEFAULT_ACK_DEADLINE_MS = 600_000;
const PROGRESS_GAP_MS = 250;
const MAX_MESSAGE_LENGTH = 1_000;
/** The longest delay that timers take. */
const MAX_DELAY_MS = 2 ** 31 - 1;

interface Failure {
  readonly kind: 'failed';
  readonly error: { readonly message: string; readonly retryable: boolean };
}
type Answer = { readonly kind: 'completed'; readonly output: Json } | Failure;

class AssignedTasks implements TaskServer {
  readonly #name: string;
  readonly #events: TypedEvents<typeof architectEvents>;
  readonly #handlers: Readonly<Record<string, TaskHandler>>;
  readonly #options: ServeTasksOptions;
  readonly #consumer: Consumer;
  readonly #cancellations: TopicListener;
  /** By attempt: how to end it. */
  readonly #running = new Map<string, AbortController>();
  /** Answers that did not get through: when the assignment comes again, the work is not done again. */
  readonly #unsaid = new Map<string, Answer>();

  constructor(
    { agent, client }: Pick<ConnectedAgent, 'agent' | 'client'>,
    handlers: Readonly<Record<string, TaskHandler>>,
    options: ServeTasksOptions,
  ) {
    this.#name = agent.name;
    this.#events = client.events(architectEvents);
    this.#handlers = handlers;
    this.#options = options;
    const { concurrency = DEFAULT_CONCURRENCY, ackDeadlineMs = DEFAULT_ACK_DEADLINE_MS } = options;
    this.#cancellations = this.#events.on(`task.${this.#name}.cancelled`, ({ data }) => {
      this.#running.get(keyOf(data))?.abort(new SwarmError('CONFLICT', `the task was cancelled: ${data.reason}`));
    });
    // What was assigned before the group was there is the agent's, too.
    const group = { group: this.#name, topics: [`task.${this.#name}.assigned`] as const, from: 'earliest' as const };
    this.#consumer = this.#events.consume(
      { ...group, maxInFlight: concurrency, ackDeadlineMs },
      ({ id, data }, delivery) => this.#serve(data, id, delivery),
    );
    const stopListening = (): void => this.#cancellations.stop();
    this.#consumer.closed.then(stopListening, stopListening);
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

  /** Settles the assignment: acknowledged when this returns, given back when it throws. */
  async #serve(task: TaskAssigned, causationId: string, delivery: Delivery): Promise<void> {
    const key = keyOf(task);
    // The group takes an attempt that lasts for too long for lost; whoever works on it answers.
    if (Date.parse(task.deadlineAt) <= Date.now() || this.#running.has(key)) return;
    const unsaid = this.#unsaid.get(key);
    const answer = unsaid ?? (await this.#attempt(task, causationId, delivery));
    if (answer === null) return;
    this.#unsaid.set(key, answer);
    await this.#answer(task, causationId, answer);
    this.#unsaid.delete(key);
  }

  /** Runs the handler; null when nobody waits for an answer. */
  async #attempt(task: TaskAssigned, causationId: string, delivery: Delivery): Promise<Answer | null> {
    const { capability } = task;
    const handler = Object.hasOwn(this.#handlers, capability) ? this.#handlers[capability] : undefined;
    if (handler === undefined) return failure(`${this.#name} does not know how to "${capability}"`, true);
    const about = aboutOf('accepted', task, causationId);
    await this.#events.publish(`task.${this.#name}.accepted`, attemptOf(task), about);
    const key = keyOf(task);
    const controller = new AbortController();
    const deadline = new SwarmError('UNAVAILABLE', `the task's deadline has passed, ${task.deadlineAt}`);
    const leftMs = Math.min(Date.parse(task.deadlineAt) - Date.now(), MAX_DELAY_MS);
    const timer = setTimeout(() => controller.abort(deadline), leftMs);
    const release = onAbort(delivery.signal, () => controller.abort(delivery.signal.reason));
    this.#running.set(key, controller);
    const { signal } = controller;
    try {
      const output = await handler(task, { signal, progress: this.#progressOf(task) });
      if (signal.aborted) throw signal.reason;
      return { kind: 'completed', output: output ?? null };
    } catch (thrown) {
      // Given back: another process of this agent may have more time.
      if (delivery.signal.aborted) throw delivery.signal.reason;
      safely(() => this.#options.onError?.(thrown, task));
      if (signal.aborted) return signal.reason === deadline ? failure(deadline.message, true) : null;
      const retryable = !(thrown instanceof TaskError) || thrown.retryable;
      return failure(thrown instanceof Error ? thrown.message : String(thrown), retryable);
    } finally {
      clearTimeout(timer);
      release();
      this.#running.delete(key);
    }
  }

  async #answer(task: TaskAssigned, causationId: string, answer: Answer): Promise<void> {
    if (answer.kind === 'failed') return this.#fail(task, causationId, answer);
    try {
      const completed = { ...attemptOf(task), output: answer.output };
      await this.#events.publish(`task.${this.#name}.completed`, completed, aboutOf('completed', task, causationId));
    } catch (thrown) {
      const error = SwarmError.from(thrown);
      safely(() => this.#options.onError?.(error, task));
      if (!error.is('INVALID_INPUT') && !error.is('PAYLOAD_TOO_LARGE')) throw error;
      await this.#fail(task, causationId, failure(`the output can not be sent: ${error.message}`, false));
    }
  }

  async #fail(task: TaskAssigned, causationId: string, { error }: Failure): Promise<void> {
    const failed = { ...attemptOf(task), error };
    await this.#events.publish(`task.${this.#name}.failed`, failed, aboutOf('failed', task, causationId));
  }

  #progressOf(task: TaskAssigned): TaskContext['progress'] {
    let lastAt = -Infinity;
    return (fraction, message) => {
      const now = performance.now();
      if (now - lastAt < PROGRESS_GAP_MS) return;
      lastAt = now;
      const progress = Math.min(1, Math.max(0, fraction));
      this.#events
        .publish(
          `task.${this.#name}.progress`,
          { ...attemptOf(task), progress, ...(message === undefined ? {} : { message }) },
          { correlationId: task.goalId },
        )
        .catch((error: unknown) => safely(() => this.#options.onError?.(error, task)));
    };
  }
}

const attemptOf = ({ planId, taskId, attempt }: TaskAssigned) => ({ planId, taskId, attempt });
const keyOf = ({ planId, taskId, attempt }: Pick<TaskAssigned, 'planId' | 'taskId' | 'attempt'>): string =>
  `${planId}/${taskId}/${attempt}`;

const aboutOf = (kind: 'accepted' | Answer['kind'], task: TaskAssigned, causationId: string) => ({
  id: taskEventId(task, kind),
  correlationId: task.goalId,
  causationId,
});

const failure = (message: string, retryable: boolean): Failure => ({
  kind: 'failed',
  error: { message: message.slice(0, MAX_MESSAGE_LENGTH).toWellFormed().replaceAll('\0', ''), retryable },
});
