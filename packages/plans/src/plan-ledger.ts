// All that is known of plans: a fold over the events of the bus.
import type { SwarmEvent } from '@hypercode/contracts';
import { type EndFact, type Fact, factOf, type InvalidEvent, type TaskFact } from './fact.ts';
import { KeptPlans } from './kept-plans.ts';
import { planIdOf } from './plan-ids.ts';
import { hasEnded, isOwner, newPlan, type Plan, withTasks } from './plan.ts';
import { TaskCourse } from './task-course.ts';
import { type PlanFact, UnreadPast } from './unread-past.ts';

/**
 * The same events in the same order give the same ledger in every process, and an event that is applied again changes
 * nothing.
 *
 *   reading the past ──caughtUp()──> following
 *
 * While the past is read, a checkpoint restores a plan whose beginning is no longer on the bus. Afterwards it only
 * shows that the plan was written again.
 *
 * Memory is bounded: the oldest ended plans are forgotten, and of the running plans of other owners those that were
 * written longest ago.
 */
export class PlanLedger {
  readonly #tasks = new TaskCourse();
  readonly #kept: KeptPlans;
  /** Null once the past was read. */
  #past: UnreadPast | null = new UnreadPast();

  /**
   * `self`: the source of the Architect whose running plans are all kept. Default: none, for a reader that conducts no
   * plan.
   */
  constructor(self: string | null = null) {
    this.#kept = new KeptPlans({ self, onForgotten: (plan) => this.#tasks.release(plan) });
  }

  /** By id, oldest first. */
  get plans(): ReadonlyMap<string, Plan> {
    return this.#kept.all;
  }

  /** Plans that have not ended, oldest first, and ended ones with tasks that are still assigned. */
  active(): IterableIterator<Plan> {
    return this.#kept.active();
  }

  /** How many tasks are assigned to the agent. */
  openTasksOf(agent: string): number {
    return this.#tasks.openTasksOf(agent);
  }

  /** Applies an event of `PLAN_TOPICS`. Returns the fact that was read from it; an invalid event changes nothing. */
  apply(event: SwarmEvent): Fact | InvalidEvent {
    const fact = factOf(event);
    if (fact.kind !== null) this.#apply(fact);
    return fact;
  }

  /**
   * All that the bus has kept was applied. A plan that runs, but of which neither the beginning nor a checkpoint is on
   * the bus, is lost: its owner can only end it.
   */
  caughtUp(): void {
    for (const plan of this.#past?.lost() ?? []) {
      this.#kept.put(plan);
      this.#kept.written(plan);
    }
    this.#past = null;
  }

  #apply(fact: Fact): void {
    switch (fact.kind) {
      case 'goal.submitted':
        return this.#submit(fact);
      case 'goal.refused':
        return this.#refuse(fact);
      case 'goal.cancelled':
        return this.#change(planIdOf(fact.data.goalId), fact);
      case 'plan.created':
        return this.#create(fact);
      case 'plan.completed':
      case 'plan.failed':
      case 'plan.cancelled':
      case 'task.assigned':
      case 'task.accepted':
      case 'task.progress':
      case 'task.completed':
      case 'task.failed':
      case 'task.cancelled':
        return this.#change(fact.data.planId, fact);
      case 'architect.checkpoint':
        return this.#past === null ? this.#noteCheckpoint(fact) : this.#restore(fact, this.#past);
    }
  }

  #submit({ data: goal, at }: Extract<Fact, { kind: 'goal.submitted' }>): void {
    const { goalId, title } = goal;
    const planId = planIdOf(goalId);
    if (this.#isKnown(planId)) return;
    const deadlineAt = goal.deadlineMs === undefined ? null : at + goal.deadlineMs;
    this.#kept.put({ ...newPlan({ planId, goalId, title, submittedAt: at }), goal, deadlineAt });
  }

  #refuse({ data: { refusal, ...goal }, at }: Extract<Fact, { kind: 'goal.refused' }>): void {
    const planId = planIdOf(goal.goalId);
    if (this.#isKnown(planId)) return;
    this.#kept.put({ ...newPlan({ planId, ...goal, submittedAt: at }), refusal });
  }

  #isKnown(planId: string): boolean {
    return this.#kept.get(planId) !== undefined || this.#kept.isForgotten(planId);
  }

  #create({ data, at, source }: Extract<Fact, { kind: 'plan.created' }>): void {
    const { planId, goalId, title, planner, missing } = data;
    const known = this.#kept.get(planId);
    if (known === undefined ? this.#kept.isForgotten(planId) : known.status !== 'planning') return;
    const deadlineAt = data.deadlineAt === null ? null : Date.parse(data.deadlineAt);
    const plan = known ?? newPlan({ planId, goalId, title, submittedAt: at });
    const running = withTasks({ ...plan, owner: source, planner, missing, deadlineAt, writtenAt: at }, data.tasks);
    this.#kept.put(running);
    this.#kept.written(running);
  }

  /** A fact of an unknown plan is held back while a checkpoint can still restore the plan. */
  #change(planId: string, fact: PlanFact): void {
    const plan = this.#kept.get(planId);
    if (plan !== undefined) this.#changePlan(plan, fact);
    else if (!this.#kept.isForgotten(planId)) this.#past?.hold(planId, fact);
  }

  #changePlan(plan: Plan, fact: PlanFact): void {
    if (isTaskFact(fact)) return this.#tasks.apply(plan, fact);
    if (isEndFact(fact)) return this.#end(plan, fact);
    if (!hasEnded(plan)) plan.cancelReason ??= fact.data.reason;
  }

  #end(plan: Plan, fact: EndFact): void {
    if (hasEnded(plan) || !isOwner(plan, fact.source)) return;
    plan.endedAt = fact.at;
    plan.goal = null;
    plan.ready.clear();
    if (fact.kind === 'plan.completed') {
      plan.status = 'completed';
    } else {
      plan.status = fact.kind === 'plan.failed' ? 'failed' : 'cancelled';
      plan.reason = fact.data.reason;
    }
    this.#kept.ended(plan);
  }

  /** The plan was written again once the last part of its checkpoint is on the bus. */
  #noteCheckpoint({ data, at, source }: Extract<Fact, { kind: 'architect.checkpoint' }>): void {
    const plan = this.#kept.get(data.planId);
    if (plan?.owner !== source || data.part < data.parts || hasEnded(plan)) return;
    plan.writtenAt = at;
    this.#kept.written(plan);
  }

  #restore({ data, at, source }: Extract<Fact, { kind: 'architect.checkpoint' }>, past: UnreadPast): void {
    const { planId } = data;
    if (this.#kept.isForgotten(planId)) return;
    const entries = past.read(data);
    const header = entries?.find((entry) => entry.kind === 'plan');
    if (entries === null || header?.owner !== source) return;
    let plan = this.#kept.get(planId);
    if (plan === undefined || plan.status === 'planning') {
      const { kind: _, ...known } = header;
      const specs = entries.flatMap((entry) => (entry.kind === 'task' ? [entry.spec] : []));
      plan = withTasks({ ...newPlan({ planId, ...known }), ...known }, specs);
      this.#kept.put(plan);
    }
    if (plan.owner !== source || hasEnded(plan)) return;
    plan.writtenAt = at;
    this.#kept.written(plan);
    plan.cancelReason ??= header.cancelReason;
    for (const entry of entries) this.#tasks.restore(plan, entry);
    for (const fact of past.take(planId)) this.#change(planId, fact);
  }
}

const isTaskFact = (fact: PlanFact): fact is TaskFact => fact.kind.startsWith('task.');
const isEndFact = (fact: PlanFact): fact is EndFact => fact.kind.startsWith('plan.');
