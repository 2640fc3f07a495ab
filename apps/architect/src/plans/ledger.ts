// All that the Architect knows of plans: a fold over what was said on the bus. The same facts in the same order give the same
// ledger, on whichever process; a fact that was heard before changes nothing.
import type { Json, PlanTask } from '@hypercode/contracts';
import { type CheckpointEntry, type CheckpointPart, tasksOf } from './checkpoint.ts';
import type { Fact } from './fact.ts';
import { planIdOf } from './plan-ids.ts';
import { hasEnded, lastAttemptOf, type Plan, statusOf, type Task } from './plan.ts';

type TaskFact = Extract<Fact, { kind: `task.${string}` }>;
type EndFact = Extract<Fact, { kind: 'plan.completed' | 'plan.failed' | 'plan.cancelled' }>;

/** Plans that have ended and are kept to be looked at; the oldest are forgotten. */
const ENDED_PLANS = 200;

export class Ledger {
  readonly #plans = new Map<string, Plan>();
  /** Ended plans, oldest first. */
  readonly #ended = new Set<string>();
  readonly #openTasks = new Map<string, number>();
  /** Facts about plans whose beginning has not been heard, while a checkpoint may still come; null afterwards. */
  #orphans: Map<string, TaskFact[]> | null = new Map();
  /** Checkpoints of plans that are not known, up to the part that was heard last. */
  readonly #checkpoints = new Map<string, CheckpointPart[]>();

  get plans(): ReadonlyMap<string, Plan> {
    return this.#plans;
  }

  /** Plans that go on, oldest first, and those that have ended while somebody still works for them. */
  *active(): IterableIterator<Plan> {
    for (const plan of this.#plans.values()) if (!hasEnded(plan) || plan.open.size > 0) yield plan;
  }

  /** How many tasks the agent has. */
  openTasksOf(agent: string): number {
    return this.#openTasks.get(agent) ?? 0;
  }

  apply(fact: Fact): void {
    switch (fact.kind) {
      case 'goal.submitted':
        return this.#submit(fact);
      case 'goal.refused': {
        const { refusal, ...goal } = fact.data;
        const planId = planIdOf(goal.goalId);
        if (this.#plans.has(planId)) return;
        this.#plans.set(planId, { ...newPlan({ planId, ...goal, submittedAt: fact.at }), refusal });
        return;
      }
      case 'goal.cancelled': {
        const plan = this.#plans.get(planIdOf(fact.data.goalId));
        if (plan !== undefined && !hasEnded(plan)) plan.cancelReason ??= fact.data.reason;
        return;
      }
      case 'plan.created':
        return this.#create(fact);
      case 'plan.completed':
      case 'plan.failed':
      case 'plan.cancelled':
        return this.#end(fact);
      case 'architect.checkpoint':
        return this.#restore(fact);
      case 'task.assigned':
      case 'task.accepted':
      case 'task.progress':
      case 'task.completed':
      case 'task.failed':
      case 'task.cancelled':
        return this.#hearOfTask(fact);
    }
  }

  /**
   * Everything on the bus has been heard. Plans of which tasks are known but not the beginning are lost; they stand as such, for
   * somebody to say so.
   */
  caughtUp(): void {
    for (const [planId, facts] of this.#orphans ?? []) {
      const assigned = facts.find((fact) => fact.kind === 'task.assigned');
      if (assigned === undefined) continue;
      const { goalId } = assigned.data;
      const { at, source } = assigned;
      const plan = newPlan({ planId, goalId, title: assigned.data.title, submittedAt: at });
      this.#plans.set(planId, { ...plan, status: 'running', owner: source, isLost: true });
    }
    this.#orphans = null;
    this.#checkpoints.clear();
  }

  #submit({ data: goal, at }: Extract<Fact, { kind: 'goal.submitted' }>): void {
    const { goalId, title } = goal;
    const planId = planIdOf(goalId);
    if (this.#plans.has(planId)) return;
    const deadlineAt = goal.deadlineMs === undefined ? null : at + goal.deadlineMs;
    this.#plans.set(planId, { ...newPlan({ planId, goalId, title, submittedAt: at }), goal, deadlineAt });
  }

  #create({ data, at, source }: Extract<Fact, { kind: 'plan.created' }>): void {
    const { planId, goalId, title, planner, missing } = data;
    const known = this.#plans.get(planId);
    if (known !== undefined && known.status !== 'planning') return;
    const deadlineAt = data.deadlineAt === null ? null : Date.parse(data.deadlineAt);
    const plan = known ?? newPlan({ planId, goalId, title, submittedAt: at });
    this.#run({ ...plan, owner: source, planner, missing, deadlineAt, writtenAt: at }, data.tasks);
  }

  #run(plan: Plan, specs: readonly PlanTask[]): Plan {
    const tasks = tasksOf(specs);
    const ready = [...tasks.values()].filter(({ waitingFor }) => waitingFor === 0);
    const running: Plan = {
      ...plan,
      status: 'running',
      goal: null,
      tasks,
      ready: new Set(ready.map(({ spec }) => spec.taskId)),
    };
    this.#plans.set(plan.planId, running);
    return running;
  }

  #end(fact: EndFact): void {
    const plan = this.#plans.get(fact.data.planId);
    if (plan === undefined) {
      this.#orphans?.delete(fact.data.planId);
      this.#checkpoints.delete(fact.data.planId);
      return;
    }
    if (hasEnded(plan)) return;
    plan.endedAt = fact.at;
    plan.goal = null;
    plan.ready.clear();
    if (fact.kind === 'plan.completed') {
      plan.status = 'completed';
      plan.outputs = fact.data.outputs;
    } else {
      plan.status = fact.kind === 'plan.failed' ? 'failed' : 'cancelled';
      plan.reason = fact.data.reason;
    }
    this.#ended.add(plan.planId);
    this.#forgetOld();
  }

  /** Forgets the oldest plans that have ended, but none of whose tasks somebody still has: they are to be told. */
  #forgetOld(): void {
    for (const planId of this.#ended) {
      if (this.#ended.size <= ENDED_PLANS) return;
      if ((this.#plans.get(planId)?.open.size ?? 0) > 0) continue;
      this.#ended.delete(planId);
      this.#plans.delete(planId);
    }
  }

  #hearOfTask(fact: TaskFact): void {
    const { planId, taskId } = fact.data;
    const plan = this.#plans.get(planId);
    if (plan === undefined) {
      const orphans = this.#orphans?.get(planId);
      if (orphans === undefined) this.#orphans?.set(planId, [fact]);
      else orphans.push(fact);
      return;
    }
    const task = plan.tasks.get(taskId);
    if (task !== undefined) this.#changeTask(plan, task, fact);
  }

  #changeTask(plan: Plan, task: Task, fact: TaskFact): void {
    const { agent, data } = fact;
    const isCurrent = task.assignment?.agent === agent && task.assignment.attempt === data.attempt;
    switch (fact.kind) {
      case 'task.assigned': {
        if (fact.data.attempt <= lastAttemptOf(task)) return;
        const { attempt, incarnation, deadlineAt } = fact.data;
        task.attempts.set(attempt, agent);
        this.#withdraw(plan, task);
        plan.ready.delete(data.taskId);
        plan.open.add(data.taskId);
        this.#count(agent, 1);
        const times = { assignedAt: fact.at, deadlineAt: Date.parse(deadlineAt) };
        task.assignment = { agent, attempt, incarnation, ...times, accepted: false, progress: 0 };
        return;
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
        if (isCurrent) this.#withdraw(plan, task);
        return;
      case 'task.completed': {
        // Whoever had an attempt may bring the result, also when somebody else has another by now. The first one counts.
        if (task.result !== null || task.attempts.get(data.attempt) !== agent) return;
        this.#complete(plan, task, { agent, attempt: data.attempt, output: fact.data.output });
      }
    }
  }

  #complete(plan: Plan, task: Task, result: { agent: string; attempt: number; output: Json }): void {
    const { taskId } = task.spec;
    task.result = result;
    plan.completed += 1;
    // An agent that works on another attempt keeps it until it is told that nobody waits for it.
    if (task.assignment?.agent === result.agent && task.assignment.attempt === result.attempt) {
      this.#withdraw(plan, task);
    }
    plan.ready.delete(taskId);
    for (const id of task.dependants) {
      const dependant = plan.tasks.get(id);
      if (dependant === undefined) continue;
      dependant.waitingFor -= 1;
      this.#offer(plan, dependant);
    }
  }

  /** Nobody has the task any more. */
  #withdraw(plan: Plan, task: Task): void {
    if (task.assignment === null) return;
    const { taskId } = task.spec;
    this.#count(task.assignment.agent, -1);
    task.assignment = null;
    plan.open.delete(taskId);
    this.#offer(plan, task);
  }

  #offer(plan: Plan, task: Task): void {
    if (!hasEnded(plan) && statusOf(task) === 'ready') plan.ready.add(task.spec.taskId);
  }

  #count(agent: string, by: 1 | -1): void {
    const count = this.openTasksOf(agent) + by;
    if (count === 0) this.#openTasks.delete(agent);
    else this.#openTasks.set(agent, count);
  }

  #restore({ data, at }: Extract<Fact, { kind: 'architect.checkpoint' }>): void {
    const { planId, checkpointId, part, parts } = data;
    const known = this.#plans.get(planId);
    if (known !== undefined) {
      if (part === parts) known.writtenAt = at;
      return;
    }
    if (this.#orphans === null) return;
    const before = part === 1 ? [] : (this.#checkpoints.get(planId) ?? []);
    const isNext = before.length === part - 1 && before.every((other) => other.checkpointId === checkpointId);
    if (!isNext) return;
    const heard = [...before, data];
    this.#checkpoints.set(planId, heard);
    if (part < parts) return;
    this.#checkpoints.delete(planId);
    this.#rebuild(
      planId,
      heard.flatMap(({ entries }) => entries),
      at,
    );
    const orphans = this.#orphans.get(planId) ?? [];
    this.#orphans.delete(planId);
    for (const fact of orphans) this.apply(fact);
  }

  #rebuild(planId: string, entries: readonly CheckpointEntry[], at: number): void {
    const header = entries.find((entry) => entry.kind === 'plan');
    if (header === undefined) return;
    const { kind: _, ...known } = header;
    const specs = entries.flatMap((entry) => (entry.kind === 'task' ? [entry.spec] : []));
    const plan = this.#run({ ...newPlan({ planId, ...known }), ...known, writtenAt: at }, specs);
    for (const entry of entries) {
      if (entry.kind !== 'state' && entry.kind !== 'result') continue;
      const task = plan.tasks.get(entry.taskId);
      if (task === undefined) continue;
      if (entry.kind === 'result') {
        this.#complete(plan, task, { agent: entry.agent, attempt: entry.attempt, output: entry.output });
        continue;
      }
      for (const [attempt, agent] of entry.attempts) task.attempts.set(attempt, agent);
      task.failure = entry.failure;
      if (entry.assignment === null) continue;
      task.assignment = entry.assignment;
      plan.ready.delete(entry.taskId);
      plan.open.add(entry.taskId);
      this.#count(entry.assignment.agent, 1);
    }
  }
}

interface PlanStart {
  readonly planId: string;
  readonly goalId: string;
  readonly title: string;
  readonly submittedAt: number;
}

const newPlan = ({ planId, goalId, title, submittedAt }: PlanStart): Plan => ({
  planId,
  goalId,
  title,
  submittedAt,
  status: 'planning',
  goal: null,
  refusal: null,
  owner: null,
  planner: null,
  missing: [],
  deadlineAt: null,
  cancelReason: null,
  isLost: false,
  tasks: new Map(),
  ready: new Set(),
  open: new Set(),
  completed: 0,
  writtenAt: submittedAt,
  endedAt: null,
  reason: null,
  outputs: {},
});
