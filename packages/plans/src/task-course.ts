// What facts change in the tasks of a plan, and how many tasks each agent has.
import { extendsOnProgress, isOutputRef } from '@hypercode/contracts';
import type { CheckpointEntry } from './checkpoint.ts';
import type { TaskFact } from './fact.ts';
import { AT_ONCE_MS, Lapses } from './lapses.ts';
import {
  type Assignment,
  hasEnded,
  isOwner,
  lastAttemptOf,
  type Plan,
  statusOf,
  type Task,
  type TaskResult,
} from './plan.ts';
import { NOT_HELD, releaseAt } from './holds.ts';
import { endQuestions } from './plan-questions.ts';
import {
  type AttemptEnd,
  outcomeOf,
  recordBegin,
  recordEnd,
  recordSign,
  recordStall,
  recordVoid,
  restoreRecord,
} from './task-attempt.ts';

/** The longest output that a view has itself, and the length of all together, in characters of JSON. */
const SHOWN_OUTPUT = 64 * 1024;
const ALL_SHOWN_OUTPUTS = 512 * 1024;

export class TaskCourse {
  readonly #isReader: boolean;
  readonly #openTasks = new Map<string, number>();
  readonly lapses = new Lapses();

  /** `isReader`: nothing is conducted, so outputs that views do not have are not kept. */
  constructor({ isReader }: { readonly isReader: boolean }) {
    this.#isReader = isReader;
  }

  openTasksOf(agent: string): number {
    return this.#openTasks.get(agent) ?? 0;
  }

  /** `position`: of the fact's event, when it is known. Returns what is wrong with an answer; null when nothing is. */
  apply(plan: Plan, fact: TaskFact, position: string | null): string | null {
    const { agent, data } = fact;
    const task = plan.tasks.get(data.taskId);
    if (task === undefined) return plan.tasks.size === 0 ? null : `the plan has no task "${data.taskId}"`;
    this.#change(plan, task, fact, position);
    // An attempt that was restored from a checkpoint of an older Architect may not be known.
    if (task.attempts.get(data.attempt) === agent || task.attempts.size < lastAttemptOf(task)) return null;
    return `attempt ${data.attempt} at the task "${data.taskId}" was not assigned to ${agent}`;
  }

  #change(plan: Plan, task: Task, fact: TaskFact, position: string | null): void {
    const { agent, data, source } = fact;
    const { assignment } = task;
    const isCurrent = assignment !== null && assignment.agent === agent && assignment.attempt === data.attempt;
    switch (fact.kind) {
      case 'task.assigned': {
        if (!isOwner(plan, source) || fact.data.attempt <= lastAttemptOf(task)) return;
        const { attempt, incarnation } = fact.data;
        task.attempts.set(attempt, agent);
        task.causationId = fact.id;
        this.#withdraw(plan, task, { at: fact.at, outcome: 'unknown', error: null });
        const deadlineAt = Date.parse(fact.data.deadlineAt);
        const acceptBy = fact.data.acceptBy === undefined ? null : Date.parse(fact.data.acceptBy);
        const spanMs = Math.max(0, deadlineAt - fact.at);
        const times = { assignedAt: fact.at, deadlineAt, spanMs, acceptBy, signAt: fact.at, stalledAt: null };
        const holds = { hold: NOT_HELD, heldBefore: task.heldMs };
        const because = fact.data.because ?? null;
        recordBegin(task.records, { attempt, agent, assignedAt: fact.at, deadlineAt, because });
        return this.#assign(plan, task, {
          agent,
          attempt,
          incarnation,
          ...times,
          ...holds,
          accepted: false,
          progress: 0,
        });
      }
      case 'task.accepted':
        if (isCurrent) this.#continue(task, { ...assignment, accepted: true }, fact.at);
        return;
      case 'task.progress':
        if (isCurrent) this.#continue(task, furthered(task, assignment, fact.data.progress, fact.at), fact.at);
        return;
      case 'task.stalled':
        if (!isCurrent || !isOwner(plan, source)) return;
        task.assignment = { ...assignment, stalledAt: fact.at };
        return recordStall(task.records, assignment.attempt, fact.at);
      case 'task.failed': {
        if (!isCurrent) return;
        const { error } = fact.data;
        task.failure = { agent, at: fact.at, ...error };
        task.failed += 1;
        noteCause(plan, task, fact.id);
        if (fact.at - assignment.assignedAt < AT_ONCE_MS) {
          this.#lapse(task.spec.capability, assignment, { at: fact.at, isPause: error.retryable });
        }
        // The worker gives up at the deadline, too.
        const outcome = fact.at < assignment.deadlineAt ? 'failed' : 'timed_out';
        return this.#withdraw(plan, task, { at: fact.at, outcome, error: error.message });
      }
      case 'task.cancelled': {
        if (!isOwner(plan, source)) return;
        const { cause, reason } = fact.data;
        if (cause === 'invalid' || cause === 'refused')
          return this.#void(plan, task, { agent, attempt: data.attempt, reason, fact });
        if (!isCurrent) return;
        noteCause(plan, task, fact.id);
        if (cause === 'late') task.failed += 1;
        if (cause === 'late' || cause === 'silent') this.#lapse(null, assignment, { at: fact.at, isPause: true });
        const outcome = outcomeOf(cause, fact.at, assignment.deadlineAt);
        return this.#withdraw(plan, task, { at: fact.at, outcome, error: reason });
      }
      case 'task.completed': {
        // The first result counts, also that of an earlier attempt while another agent has the task.
        if (task.result !== null || task.attempts.get(data.attempt) !== agent || task.voided.has(data.attempt)) return;
        this.lapses.clear(agent, task.spec.capability);
        recordEnd(task.records, data.attempt, { at: fact.at, outcome: 'completed', error: null });
        const result = { agent, attempt: data.attempt, output: fact.data.output, position };
        this.#complete(plan, task, result, fact.id);
      }
    }
  }

  /**
   * Adds what a checkpoint knows of a task beyond the facts that were read: the facts between the making of a
   * checkpoint and its first part may be missing. An attempt that has ended never begins again, and a result stays.
   * `causationId`: the event of the checkpoint.
   */
  restore(plan: Plan, entry: CheckpointEntry, causationId: string): void {
    const task = 'taskId' in entry ? plan.tasks.get(entry.taskId) : undefined;
    if (task === undefined) return;
    if (entry.kind === 'result' && task.result === null) {
      const { agent, attempt, output, position } = entry;
      this.#complete(plan, task, { agent, attempt, output, position }, causationId);
    }
    if (entry.kind !== 'state') return;
    for (const record of entry.records) restoreRecord(task.records, record);
    const { attempts, assignment, failure, endedAt } = entry;
    const last = Math.max(...attempts.map(([attempt]) => attempt));
    const isLater = last > lastAttemptOf(task);
    if (!isLater && (last < lastAttemptOf(task) || assignment !== null)) return;
    this.#withdraw(plan, task, endedAt === null ? null : { at: endedAt, outcome: 'unknown', error: null });
    noteCause(plan, task, causationId);
    task.failure = failure;
    // An Architect before this entry was added counted all.
    task.failed = entry.failed ?? attempts.length - (assignment === null ? 0 : 1);
    task.forgiven = entry.forgiven;
    task.endedAt = endedAt;
    task.heldMs = entry.heldMs;
    task.questions.splice(0, Infinity, ...entry.questions);
    for (const attempt of entry.voided) task.voided.add(attempt);
    for (const [attempt, agent] of attempts) task.attempts.set(attempt, agent);
    if (!isLater || assignment === null) return;
    if (task.records.get(assignment.attempt) === undefined) {
      const { attempt, agent, assignedAt, deadlineAt } = assignment;
      recordBegin(task.records, { attempt, agent, assignedAt, deadlineAt, because: null });
    }
    this.#assign(plan, task, { ...assignment, signAt: assignment.signAt ?? assignment.assignedAt });
  }

  /** The plan is no longer kept, so its tasks count no more. */
  release({ open, tasks }: Plan): void {
    for (const taskId of open) {
      const agent = tasks.get(taskId)?.assignment?.agent;
      if (agent !== undefined) this.#count(agent, -1);
    }
  }

  #complete(plan: Plan, task: Task, given: Omit<TaskResult, 'isShown'>, causationId: string): void {
    const { taskId } = task.spec;
    noteCause(plan, task, causationId);
    const result = this.#resultOf(plan, given);
    task.result = result;
    plan.completed += 1;
    // An agent that works on another attempt keeps it until it is notified of the cancellation.
    if (task.assignment?.agent === result.agent && task.assignment.attempt === result.attempt) {
      this.#withdraw(plan, task, null);
    }
    plan.ready.delete(taskId);
    for (const id of task.dependants) {
      const dependant = plan.tasks.get(id);
      if (dependant === undefined) continue;
      dependant.waitingFor -= 1;
      dependant.causationId = causationId;
      offer(plan, dependant);
    }
  }

  /** A result does not count after all: what depends on it waits again, and a review of it begins anew. */
  #void(plan: Plan, task: Task, { agent, attempt, reason, fact }: VoidedResult): void {
    const { result } = task;
    if (hasEnded(plan) || result?.agent !== agent || result.attempt !== attempt) return;
    task.failed += 1;
    task.failure = { agent, at: fact.at, message: reason, retryable: true };
    task.endedAt = fact.at;
    recordVoid(task.records, attempt, reason);
    noteCause(plan, task, fact.id);
    this.#takeResult(plan, task, attempt);
    for (const id of task.dependants) {
      const review = plan.tasks.get(id);
      if (review?.spec.reviews !== task.spec.taskId || review.result === null) continue;
      // It was no failure of the reviewer.
      review.forgiven += 1;
      this.#takeResult(plan, review, review.result.attempt);
    }
    offer(plan, task);
  }

  #takeResult(plan: Plan, task: Task, attempt: number): void {
    if (task.result?.isShown === true) plan.shownLength -= JSON.stringify(task.result.output).length;
    task.result = null;
    task.voided.add(attempt);
    plan.completed -= 1;
    for (const id of task.dependants) {
      const dependant = plan.tasks.get(id);
      if (dependant === undefined) continue;
      dependant.waitingFor += 1;
      plan.ready.delete(id);
    }
  }

  #resultOf(plan: Plan, given: Omit<TaskResult, 'isShown'>): TaskResult {
    const length = JSON.stringify(given.output).length;
    const isShown =
      !isOutputRef(given.output) && length <= SHOWN_OUTPUT && plan.shownLength + length <= ALL_SHOWN_OUTPUTS;
    if (isShown) plan.shownLength += length;
    return { ...given, isShown, output: isShown || !this.#isReader ? given.output : null };
  }

  #assign(plan: Plan, task: Task, assignment: Assignment): void {
    const { taskId } = task.spec;
    task.assignment = assignment;
    plan.ready.delete(taskId);
    plan.open.add(taskId);
    this.#count(assignment.agent, 1);
  }

  /** The agent has begun, or goes on. */
  #continue(task: Task, assignment: Assignment, at: number): void {
    task.assignment = { ...assignment, signAt: at, stalledAt: null };
    recordSign(task.records, assignment.attempt, { at, deadlineAt: assignment.deadlineAt });
  }

  /** Ends the open attempt, if there is one; null: with a result. */
  #withdraw(plan: Plan, task: Task, end: AttemptEnd | null): void {
    if (task.assignment === null) return;
    task.endedAt = end?.at ?? task.endedAt;
    if (end !== null) recordEnd(task.records, task.assignment.attempt, end);
    const { taskId } = task.spec;
    this.#count(task.assignment.agent, -1);
    const { hold, signAt } = task.assignment;
    const at = end?.at ?? signAt;
    task.heldMs += releaseAt(hold, at).heldMs;
    endQuestions(task, at);
    task.assignment = null;
    plan.open.delete(taskId);
    offer(plan, task);
  }

  #lapse(capability: string | null, { agent, incarnation, assignedAt }: Assignment, lapse: LapseOf): void {
    this.lapses.add({ agent, capability, incarnation, ...lapse }, assignedAt);
  }

  #count(agent: string, by: 1 | -1): void {
    const count = this.openTasksOf(agent) + by;
    if (count === 0) this.#openTasks.delete(agent);
    else this.#openTasks.set(agent, count);
  }
}

interface VoidedResult {
  readonly agent: string;
  readonly attempt: number;
  readonly reason: string;
  readonly fact: { readonly id: string; readonly at: number };
}

interface LapseOf {
  readonly at: number;
  readonly isPause: boolean;
}

/** The agent has gone on: from now it has as long as it had in the beginning, whatever time it claims, if the step wants so. */
function furthered({ spec }: Task, assignment: Assignment, progress: number, at: number): Assignment {
  const { deadlineAt, spanMs } = assignment;
  if (!extendsOnProgress(spec)) return { ...assignment, accepted: true, progress };
  const moved = Math.min(at + spanMs, deadlineAt + spanMs);
  return { ...assignment, accepted: true, progress, deadlineAt: Math.max(deadlineAt, moved) };
}

/** An event has moved the task, and the plan with it. */
function noteCause(plan: Plan, task: Task, causationId: string): void {
  task.causationId = causationId;
  if (!hasEnded(plan)) plan.causationId = causationId;
}

/** Adds the task to those that can be assigned, if it is ready. */
function offer(plan: Plan, task: Task): void {
  if (!hasEnded(plan) && statusOf(task) === 'ready') plan.ready.add(task.spec.taskId);
}
