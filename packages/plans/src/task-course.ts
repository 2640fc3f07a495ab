// What facts change in the tasks of a plan, and how many tasks each agent has.
import type { CheckpointEntry } from './checkpoint.ts';
import type { TaskFact } from './fact.ts';
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

export class TaskCourse {
  readonly #openTasks = new Map<string, number>();

  openTasksOf(agent: string): number {
    return this.#openTasks.get(agent) ?? 0;
  }

  apply(plan: Plan, fact: TaskFact): void {
    const task = plan.tasks.get(fact.data.taskId);
    if (task === undefined) return;
    const { agent, data, source } = fact;
    const isCurrent = task.assignment?.agent === agent && task.assignment.attempt === data.attempt;
    switch (fact.kind) {
      case 'task.assigned': {
        if (!isOwner(plan, source) || fact.data.attempt <= lastAttemptOf(task)) return;
        const { attempt, incarnation, deadlineAt } = fact.data;
        task.attempts.set(attempt, agent);
        this.#withdraw(plan, task);
        const times = { assignedAt: fact.at, deadlineAt: Date.parse(deadlineAt) };
        return this.#assign(plan, task, { agent, attempt, incarnation, ...times, accepted: false, progress: 0 });
      }
      case 'task.accepted':
        if (isCurrent && task.assignment !== null) task.assignment = { ...task.assignment, accepted: true };
        return;
      case 'task.progress': {
        const { progress } = fact.data;
        if (isCurrent && task.assignment !== null) task.assignment = { ...task.assignment, accepted: true, progress };
        return;
      }
      case 'task.failed':
        if (!isCurrent) return;
        task.failure = { agent, at: fact.at, ...fact.data.error };
        return this.#withdraw(plan, task);
      case 'task.cancelled':
        if (isCurrent && isOwner(plan, source)) this.#withdraw(plan, task);
        return;
      case 'task.completed': {
        // The first result counts, also that of an earlier attempt while another agent has the task.
        if (task.result !== null || task.attempts.get(data.attempt) !== agent) return;
        this.#complete(plan, task, { agent, attempt: data.attempt, output: fact.data.output });
      }
    }
  }

  /**
   * Adds what a checkpoint knows of a task beyond the facts that were read: the facts between the making of a
   * checkpoint and its first part may be missing. An attempt that has ended never begins again, and a result stays.
   */
  restore(plan: Plan, entry: CheckpointEntry): void {
    const task = 'taskId' in entry ? plan.tasks.get(entry.taskId) : undefined;
    if (task === undefined) return;
    if (entry.kind === 'result' && task.result === null) {
      const { agent, attempt, output } = entry;
      this.#complete(plan, task, { agent, attempt, output });
    }
    if (entry.kind !== 'state') return;
    const { attempts, assignment, failure } = entry;
    const last = Math.max(...attempts.map(([attempt]) => attempt));
    const isLater = last > lastAttemptOf(task);
    if (!isLater && (last < lastAttemptOf(task) || assignment !== null)) return;
    this.#withdraw(plan, task);
    task.failure = failure;
    for (const [attempt, agent] of attempts) task.attempts.set(attempt, agent);
    if (isLater && assignment !== null) this.#assign(plan, task, assignment);
  }

  /** The plan is no longer kept, so its tasks count no more. */
  release({ open, tasks }: Plan): void {
    for (const taskId of open) {
      const agent = tasks.get(taskId)?.assignment?.agent;
      if (agent !== undefined) this.#count(agent, -1);
    }
  }

  #complete(plan: Plan, task: Task, result: TaskResult): void {
    const { taskId } = task.spec;
    task.result = result;
    plan.completed += 1;
    // An agent that works on another attempt keeps it until it is notified of the cancellation.
    if (task.assignment?.agent === result.agent && task.assignment.attempt === result.attempt) {
      this.#withdraw(plan, task);
    }
    plan.ready.delete(taskId);
    for (const id of task.dependants) {
      const dependant = plan.tasks.get(id);
      if (dependant === undefined) continue;
      dependant.waitingFor -= 1;
      offer(plan, dependant);
    }
  }

  #assign(plan: Plan, task: Task, assignment: Assignment): void {
    const { taskId } = task.spec;
    task.assignment = assignment;
    plan.ready.delete(taskId);
    plan.open.add(taskId);
    this.#count(assignment.agent, 1);
  }

  /** Ends the open attempt, if there is one. */
  #withdraw(plan: Plan, task: Task): void {
    if (task.assignment === null) return;
    const { taskId } = task.spec;
    this.#count(task.assignment.agent, -1);
    task.assignment = null;
    plan.open.delete(taskId);
    offer(plan, task);
  }

  #count(agent: string, by: 1 | -1): void {
    const count = this.openTasksOf(agent) + by;
    if (count === 0) this.#openTasks.delete(agent);
    else this.#openTasks.set(agent, count);
  }
}

/** Adds the task to those that can be assigned, if it is ready. */
function offer(plan: Plan, task: Task): void {
  if (!hasEnded(plan) && statusOf(task) === 'ready') plan.ready.add(task.spec.taskId);
}
