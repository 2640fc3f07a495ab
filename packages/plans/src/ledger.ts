// All that the Architect knows of plans: a fold over what was said on the bus. The same facts in the same order give the same
// ledger, on whichever process; a fact that was heard before changes nothing.
import type { Json, PlanTask } from '@hypercode/contracts';
import { type CheckpointEntry, type CheckpointPart, entriesIn, tasksOf } from './checkpoint.ts';
import type { Fact } from './fact.ts';
import { planIdOf } from './plan-ids.ts';
import { type Assignment, hasEnded, lastAttemptOf, type Plan, statusOf, type Task } from './plan.ts';

type TaskFact = Extract<Fact, { kind: `task.${string}` }>;
type EndFact = Extract<Fact, { kind: 'plan.completed' | 'plan.failed' | 'plan.cancelled' }>;
type CancelFact = Extract<Fact, { kind: 'goal.cancelled' }>;
type Orphan = TaskFact | EndFact | CancelFact;

/** Plans that have ended and are kept to be looked at, and what they may take together; the oldest are forgotten. */
const ENDED_PLANS = 200;
const ENDED_LENGTH = 32 * 1024 * 1024;
/** Running plans of other Architects, which may never end; those that were written down longest ago are forgotten. */
const OTHERS_PLANS = 200;
/** Forgotten plans of which at least the id is remembered. */
const FORGOTTEN_PLANS = 50_000;

export class Ledger {
  /** The source of the Architect whose ledger it is. */
  readonly #self: string;
  readonly #plans = new Map<string, Plan>();
  /** Ended plans, oldest first, with how long each is. */
  readonly #ended = new Map<string, number>();
  #endedLength = 0;
  /** Running plans of other Architects, by when they were last written down. */
  readonly #others = new Set<string>();
  /** Plans that are not kept, so that their goals do not begin again; the oldest first. */
  readonly #forgotten = new Set<string>();
  readonly #openTasks = new Map<string, number>();
  /** Facts about plans whose beginning has not been heard, while a checkpoint may still come; null afterwards. */
  #orphans: Map<string, Orphan[]> | null = new Map();
  /** Checkpoints, up to the part that was heard last, by plan; none once everything on the bus has been heard. */
  readonly #checkpoints = new Map<string, CheckpointPart[]>();

  constructor(self: string) {
    this.#self = self;
  }

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
        if (this.#isKnown(planId)) return;
        this.#plans.set(planId, { ...newPlan({ planId, ...goal, submittedAt: fact.at }), refusal });
        return;
      }
      case 'goal.cancelled':
        return this.#cancel(fact);
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
      if (facts.some((fact) => isEnd(fact) && fact.source === source)) continue;
      const plan = newPlan({ planId, goalId, title: assigned.data.title, submittedAt: at });
      this.#plans.set(planId, { ...plan, status: 'running', owner: source, isLost: true });
      this.#noteOther(planId, source);
    }
    this.#orphans = null;
    this.#checkpoints.clear();
  }

  #submit({ data: goal, at }: Extract<Fact, { kind: 'goal.submitted' }>): void {
    const { goalId, title } = goal;
    const planId = planIdOf(goalId);
    if (this.#isKnown(planId)) return;
    const deadlineAt = goal.deadlineMs === undefined ? null : at + goal.deadlineMs;
    this.#plans.set(planId, { ...newPlan({ planId, goalId, title, submittedAt: at }), goal, deadlineAt });
  }

  #isKnown(planId: string): boolean {
    return this.#plans.has(planId) || this.#forgotten.has(planId);
  }

  #cancel(fact: CancelFact): void {
    const planId = planIdOf(fact.data.goalId);
    const plan = this.#plans.get(planId);
    if (plan === undefined) return this.#keep(planId, fact);
    if (!hasEnded(plan)) plan.cancelReason ??= fact.data.reason;
  }

  #create({ data, at, source }: Extract<Fact, { kind: 'plan.created' }>): void {
    const { planId, goalId, title, planner, missing } = data;
    const known = this.#plans.get(planId);
    if (known === undefined ? this.#forgotten.has(planId) : known.status !== 'planning') return;
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
    this.#noteOther(plan.planId, plan.owner);
    return running;
  }

  #end(fact: EndFact): void {
    const { planId } = fact.data;
    const plan = this.#plans.get(planId);
    if (plan === undefined) return this.#keep(planId, fact);
    if (hasEnded(plan) || !isOwner(plan, fact)) return;
    plan.endedAt = fact.at;
    plan.goal = null;
    plan.ready.clear();
    if (fact.kind === 'plan.completed') {
      plan.status = 'completed';
    } else {
      plan.status = fact.kind === 'plan.failed' ? 'failed' : 'cancelled';
      plan.reason = fact.data.reason;
    }
    this.#others.delete(planId);
    const length = lengthOf(plan);
    this.#ended.set(planId, length);
    this.#endedLength += length;
    this.#forgetOld();
  }

  /** Forgets the oldest plans that have ended, but not the last, and none of whose tasks somebody still has: they are to be told. */
  #forgetOld(): void {
    for (const [planId, length] of this.#ended) {
      const isTooMuch = this.#ended.size > ENDED_PLANS || this.#endedLength > ENDED_LENGTH;
      if (!isTooMuch || this.#ended.size === 1) return;
      if ((this.#plans.get(planId)?.open.size ?? 0) > 0) continue;
      this.#endedLength -= length;
      this.#ended.delete(planId);
      this.#forget(planId);
    }
  }

  /** The running plan was written down; where another Architect sees it through, it is kept for as long as there is room. */
  #noteOther(planId: string, owner: string | null): void {
    if (owner === this.#self) return;
    this.#others.delete(planId);
    this.#others.add(planId);
    for (const oldest of this.#others) {
      if (this.#others.size <= OTHERS_PLANS) return;
      const plan = this.#plans.get(oldest);
      for (const taskId of plan?.open ?? []) {
        const agent = plan?.tasks.get(taskId)?.assignment?.agent;
        if (agent !== undefined) this.#count(agent, -1);
      }
      this.#others.delete(oldest);
      this.#forget(oldest);
    }
  }

  #forget(planId: string): void {
    this.#plans.delete(planId);
    this.#forgotten.add(planId);
    for (const oldest of this.#forgotten) {
      if (this.#forgotten.size <= FORGOTTEN_PLANS) return;
      this.#forgotten.delete(oldest);
    }
  }

  #hearOfTask(fact: TaskFact): void {
    const { planId, taskId } = fact.data;
    const plan = this.#plans.get(planId);
    if (plan === undefined) return this.#keep(planId, fact);
    const task = plan.tasks.get(taskId);
    if (task !== undefined) this.#changeTask(plan, task, fact);
  }

  /** For the checkpoint that may say which plan it is. */
  #keep(planId: string, fact: Orphan): void {
    if (this.#forgotten.has(planId)) return;
    const orphans = this.#orphans?.get(planId);
    if (orphans === undefined) this.#orphans?.set(planId, [fact]);
    else orphans.push(fact);
  }

  #changeTask(plan: Plan, task: Task, fact: TaskFact): void {
    const { agent, data } = fact;
    const isCurrent = task.assignment?.agent === agent && task.assignment.attempt === data.attempt;
    switch (fact.kind) {
      case 'task.assigned': {
        if (!isOwner(plan, fact) || fact.data.attempt <= lastAttemptOf(task)) return;
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
        if (isCurrent && isOwner(plan, fact)) this.#withdraw(plan, task);
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

  #assign(plan: Plan, task: Task, assignment: Assignment): void {
    const { taskId } = task.spec;
    task.assignment = assignment;
    plan.ready.delete(taskId);
    plan.open.add(taskId);
    this.#count(assignment.agent, 1);
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

  #restore({ data, at, source }: Extract<Fact, { kind: 'architect.checkpoint' }>): void {
    const { planId, checkpointId, part, parts } = data;
    if (this.#orphans === null) {
      const known = this.#plans.get(planId);
      if (known?.owner !== source || part < parts || hasEnded(known)) return;
      known.writtenAt = at;
      return this.#noteOther(planId, source);
    }
    if (this.#forgotten.has(planId)) return;
    const before = part === 1 ? [] : (this.#checkpoints.get(planId) ?? []);
    const isNext = before.length === part - 1 && before.every((other) => other.checkpointId === checkpointId);
    if (!isNext) return;
    const heard = [...before, data];
    this.#checkpoints.set(planId, heard);
    if (part < parts) return;
    this.#checkpoints.delete(planId);
    const entries = entriesIn(heard);
    const header = entries?.find((entry) => entry.kind === 'plan');
    if (entries === null || header?.owner !== source) return;
    let plan = this.#plans.get(planId);
    if (plan === undefined || plan.status === 'planning') {
      const { kind: _, ...known } = header;
      const specs = entries.flatMap((entry) => (entry.kind === 'task' ? [entry.spec] : []));
      plan = this.#run({ ...newPlan({ planId, ...known }), ...known }, specs);
    }
    if (plan.owner !== source || hasEnded(plan)) return;
    plan.writtenAt = at;
    this.#noteOther(planId, source);
    plan.cancelReason ??= header.cancelReason;
    for (const entry of entries) {
      const task = 'taskId' in entry ? plan.tasks.get(entry.taskId) : undefined;
      if (task !== undefined) this.#catchUp(plan, task, entry);
    }
    const orphans = this.#orphans.get(planId) ?? [];
    this.#orphans.delete(planId);
    for (const fact of orphans) this.apply(fact);
  }

  /**
   * What a checkpoint knows of a task beyond what was heard: facts between the making of a checkpoint and its first part may be
   * gone. An attempt that has ended never begins again, and a result stays.
   */
  #catchUp(plan: Plan, task: Task, entry: CheckpointEntry): void {
    if (entry.kind === 'result' && task.result === null) {
      const { agent, attempt, output } = entry;
      this.#complete(plan, task, { agent, attempt, output });
    }
    if (entry.kind !== 'state') return;
    const { attempts, assignment, failure } = entry;
    const last = Math.max(...attempts.map(([attempt]) => attempt));
    const isNews = last > lastAttemptOf(task);
    if (!isNews && (last < lastAttemptOf(task) || assignment !== null)) return;
    this.#withdraw(plan, task);
    task.failure = failure;
    for (const [attempt, agent] of attempts) task.attempts.set(attempt, agent);
    if (isNews && assignment !== null) this.#assign(plan, task, assignment);
  }
}

const isEnd = ({ kind }: Orphan): boolean => kind.startsWith('plan.');

/** A plan is its maker's: what others say of its course is not heard. Before it is made, whoever says so first ends it. */
const isOwner = ({ owner }: Plan, { source }: Fact): boolean => owner === null || owner === source;

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
});

/** What a plan takes of memory, more or less: its inputs and outputs, in characters of JSON. */
const lengthOf = ({ tasks }: Plan): number => {
  let length = 0;
  for (const { spec, result } of tasks.values()) {
    length += JSON.stringify(spec).length + JSON.stringify(result?.output ?? null).length;
  }
  return length;
};
