// All that is known of plans: a fold over the events of the bus.
import type { SwarmEvent } from '@hypercode/contracts';
import {
  type EndFact,
  type Fact,
  type InvalidEvent,
  isAnswer,
  isEnd,
  isQuestion,
  readFact,
  type RetryFact,
  type TaskFact,
} from './fact.ts';
import { entryForReading, forReading } from './for-reading.ts';
import { KeptPlans } from './kept-plans.ts';
import type { Lapses } from './lapses.ts';
import { planIdIn, planIdOf } from './plan-ids.ts';
import { applyQuestion, PlanQuestions, refreshHold } from './plan-questions.ts';
import { canBeRetried, retryPlan } from './plan-retry.ts';
import { type Approval, hasEnded, isOwner, newPlan, type Plan, type PlanQuestionRecord, withTasks } from './plan.ts';
import { type Rejection, Rejections } from './rejections.ts';
import { TaskCourse } from './task-course.ts';
import { type PlacedFact, type PlanFact, UnreadPast } from './unread-past.ts';

const WAITING: Approval = { state: 'waiting', by: null, comment: null, question: null, asked: 0 };

/** Rejections that a plan shows: the newest. */
const SHOWN_REJECTIONS = 20;

/**
 * The same events in the same order give the same ledger in every process, and an event that is applied again changes
 * nothing.
 *
 *   reading the past ──caughtUp()──> following
 *
 * While the past is read, a checkpoint restores a plan whose beginning is no longer on the bus. Afterwards it only
 * shows that the plan was written again, except to a reader that does not know the plan.
 *
 * Memory is bounded: the oldest ended plans are forgotten, and of the running plans of other owners those that were
 * written longest ago; of a reader also the oldest goals that have no plan.
 */
export class PlanLedger {
  /** Whether no plan is conducted, but plans are shown. */
  readonly #isReader: boolean;
  readonly #tasks: TaskCourse;
  readonly #questions = new PlanQuestions();
  readonly #rejections = new Rejections();
  readonly #kept: KeptPlans;
  /** Null once the past was read. */
  #past: UnreadPast | null;
  /** Afterwards, checkpoints of plans that a reader does not know: a store that lost its log gets them again. */
  readonly #unknown = new UnreadPast({ isBounded: true });

  /**
   * `self`: the source of the Architect whose running plans are all kept. Default: none, for a reader that conducts no
   * plan: it keeps what views have.
   */
  constructor(self: string | null = null) {
    this.#isReader = self === null;
    this.#tasks = new TaskCourse({ isReader: this.#isReader });
    this.#past = new UnreadPast({ isBounded: this.#isReader });
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

  /** Which agents have let tasks pass. */
  get lapses(): Lapses {
    return this.#tasks.lapses;
  }

  /** Events that could not be understood, and whose publishers were not notified yet. */
  rejections(): IterableIterator<Rejection> {
    return this.#rejections.waiting();
  }

  /** The plan that an event of `PLAN_TOPICS` is about, once it was applied; null when it names none. */
  planIdOf(event: SwarmEvent): string | null {
    const [first, agent = ''] = event.topic.split('.');
    if (first !== 'question') return planIdIn(event);
    const questionId = questionIdIn(event.data);
    return questionId === null ? null : this.#questions.planIdOfQuestion(agent, questionId);
  }

  /**
   * Applies an event of `PLAN_TOPICS`, which stands at `position`. Returns the fact that was read from it; an invalid
   * event changes no plan but what the plan shows of such events.
   */
  apply(event: SwarmEvent, position: string | null = null): Fact | InvalidEvent {
    const { fact, rejection } = readFact(event);
    if (rejection !== null) this.#reject(rejection);
    if (fact.kind === null) return fact;
    const fault = this.#apply(this.#isReader ? forReading(fact) : fact, position);
    if (fault !== null && isAnswer(fact)) {
      const { id: eventId, source, topic } = event;
      const { agent, at, data, correlationId, traceparent } = fact;
      const { planId } = data;
      this.#reject({ eventId, source, topic, reason: fault, at, agent, planId, correlationId, traceparent });
    }
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

  /** Returns what is wrong with an answer; null when nothing is. */
  #apply(fact: Fact, position: string | null): string | null {
    switch (fact.kind) {
      case 'goal.submitted':
        this.#submit(fact);
        return null;
      case 'goal.refused':
        this.#refuse(fact);
        return null;
      case 'goal.rejected':
      case 'task.rejected':
        this.#rejections.published(fact.data.eventId);
        return null;
      case 'goal.cancelled':
        return this.#change(planIdOf(fact.data.goalId), { fact, position });
      case 'plan.created':
        this.#create(fact);
        return null;
      case 'plan.completed':
      case 'plan.failed':
      case 'plan.cancelled':
      case 'plan.retry':
      case 'task.assigned':
      case 'task.accepted':
      case 'task.progress':
      case 'task.completed':
      case 'task.failed':
      case 'task.cancelled':
      case 'task.stalled':
        return this.#change(fact.data.planId, { fact, position });
      case 'question.asked':
      case 'question.answered':
      case 'question.withdrawn': {
        const planId = this.#questions.planIdOf(fact);
        if (planId !== null) this.#change(planId, { fact, position });
        return null;
      }
      case 'architect.checkpoint':
        this.#readCheckpoint(fact);
        return null;
    }
  }

  #reject(rejection: Rejection): void {
    this.#rejections.add(rejection);
    const plan = rejection.planId === null ? undefined : this.#kept.get(rejection.planId);
    if (plan === undefined || plan.rejections.some(({ eventId }) => eventId === rejection.eventId)) return;
    plan.rejections.push(rejection);
    if (plan.rejections.length > SHOWN_REJECTIONS) plan.rejections.shift();
  }

  #submit(fact: Extract<Fact, { kind: 'goal.submitted' }>): void {
    const { data: goal, at } = fact;
    const { goalId, title } = goal;
    const planId = planIdOf(goalId);
    if (this.#isKnown(planId)) return;
    const deadlineAt = goal.deadlineMs === undefined ? null : at + goal.deadlineMs;
    this.#kept.put({
      ...newPlan({ planId, goalId, title, submittedAt: at }, fact),
      goal: this.#isReader ? null : goal,
      deadlineAt,
    });
  }

  #refuse(fact: Extract<Fact, { kind: 'goal.refused' }>): void {
    const { refusal, ...goal } = fact.data;
    const planId = planIdOf(goal.goalId);
    if (this.#isKnown(planId)) return;
    this.#kept.put({ ...newPlan({ planId, ...goal, submittedAt: fact.at }, fact), refusal });
  }

  #isKnown(planId: string): boolean {
    return this.#kept.get(planId) !== undefined || this.#kept.isForgotten(planId);
  }

  #create(fact: Extract<Fact, { kind: 'plan.created' }>): void {
    const { data, at, source } = fact;
    const { planId, goalId, title, planner, missing } = data;
    const known = this.#kept.get(planId);
    if (known === undefined ? this.#kept.isForgotten(planId) : known.status !== 'planning') return;
    const deadlineAt = data.deadlineAt === null ? null : Date.parse(data.deadlineAt);
    const plan = known ?? newPlan({ planId, goalId, title, submittedAt: at }, fact);
    const approval = data.approval === true ? WAITING : null;
    const created = { ...plan, owner: source, planner, missing, deadlineAt, approval, writtenAt: at };
    const running = withTasks(created, data.tasks, fact.id);
    this.#kept.put(running);
    this.#kept.written(running);
  }

  /** A fact of an unknown plan is held back while a checkpoint can still restore the plan. */
  #change(planId: string, placed: PlacedFact): string | null {
    const plan = this.#kept.get(planId);
    if (plan !== undefined) return this.#changePlan(plan, placed);
    if (this.#kept.isForgotten(planId)) return null;
    if (this.#past === null) return `no plan with the id ${planId} is known`;
    this.#past.hold(planId, placed);
    return null;
  }

  #changePlan(plan: Plan, { fact, position }: PlacedFact): string | null {
    if (isQuestion(fact)) {
      applyQuestion(plan, fact);
      this.#kept.changed(plan);
      return null;
    }
    if (isTaskFact(fact)) {
      const fault = this.#tasks.apply(plan, fact, position);
      refreshHold(plan, fact.at);
      this.#kept.changed(plan);
      return fault;
    }
    if (isEnd(fact)) this.#end(plan, fact);
    else if (fact.kind === 'plan.retry') this.#retry(plan, fact);
    else if (!hasEnded(plan) && plan.cancelReason === null) {
      plan.cancelReason = fact.data.reason;
      plan.causationId = fact.id;
    }
    return null;
  }

  #end(plan: Plan, fact: EndFact): void {
    if (hasEnded(plan) || !isOwner(plan, fact.source)) return;
    if (fact.kind === 'plan.failed' && fact.data.retries < plan.retries) return;
    plan.endedAt = fact.at;
    plan.causationId = fact.id;
    // A retry of a plan that could not be made needs its goal.
    if (fact.kind !== 'plan.failed') plan.goal = null;
    plan.ready.clear();
    if (fact.kind === 'plan.completed') {
      plan.status = 'completed';
    } else {
      plan.status = fact.kind === 'plan.failed' ? 'failed' : 'cancelled';
      plan.reason = fact.data.reason;
    }
    this.#kept.ended(plan);
  }

  #retry(plan: Plan, { at, id: causationId }: Pick<RetryFact, 'at' | 'id'>, retries = plan.retries + 1): void {
    if (!canBeRetried(plan)) return;
    retryPlan(plan, { at, retries, causationId });
    this.#kept.retried(plan);
  }

  #readCheckpoint(fact: Extract<Fact, { kind: 'architect.checkpoint' }>): void {
    const isUnknown = this.#isReader && this.#kept.get(fact.data.planId) === undefined;
    const past = this.#past ?? (isUnknown ? this.#unknown : null);
    if (past === null) this.#noteCheckpoint(fact);
    else this.#restore(fact, past);
  }

  /** The plan was written again once the last part of its checkpoint is on the bus. */
  #noteCheckpoint({ data, at, source }: Extract<Fact, { kind: 'architect.checkpoint' }>): void {
    const plan = this.#kept.get(data.planId);
    if (plan?.owner !== source || data.part < data.parts || hasEnded(plan)) return;
    plan.writtenAt = at;
    this.#kept.written(plan);
  }

  #restore(fact: Extract<Fact, { kind: 'architect.checkpoint' }>, past: UnreadPast): void {
    const { data, at, source, id } = fact;
    const { planId } = data;
    if (this.#kept.isForgotten(planId)) return;
    const entries = past.read(data)?.map((entry) => (this.#isReader ? entryForReading(entry) : entry)) ?? null;
    const header = entries?.find((entry) => entry.kind === 'plan');
    if (entries === null || header?.owner !== source) return;
    let plan = this.#kept.get(planId);
    if (plan === undefined || plan.status === 'planning') {
      const { kind: _, lapses: _lapses, ...known } = header;
      const specs = entries.flatMap((entry) => (entry.kind === 'task' ? [entry.spec] : []));
      plan = withTasks({ ...newPlan({ planId, ...known }, fact), ...known }, specs, id);
      this.#kept.put(plan);
    }
    if (plan.owner !== source || header.retries < plan.retries) return;
    // The retry itself may no longer be on the bus.
    if (header.retries > plan.retries) this.#retry(plan, { at: header.retriedAt ?? at, id }, header.retries);
    if (hasEnded(plan)) return;
    plan.writtenAt = at;
    this.#kept.written(plan);
    plan.cancelReason ??= header.cancelReason;
    for (const lapse of header.lapses) this.#tasks.lapses.restore(lapse);
    plan.hold = header.hold;
    plan.approval = header.approval;
    for (const entry of entries) this.#tasks.restore(plan, entry, id);
    for (const question of questionsOf(plan)) this.#questions.remember(question.agent, question.questionId, planId);
    for (const placed of past.take(planId)) this.#change(planId, placed);
  }
}

const isTaskFact = (fact: PlanFact): fact is TaskFact => fact.kind.startsWith('task.');

function* questionsOf({ approval, tasks }: Plan): Generator<PlanQuestionRecord> {
  if (approval !== null && approval.question !== null) yield approval.question;
  for (const { questions } of tasks.values()) yield* questions;
}

function questionIdIn(data: unknown): string | null {
  if (typeof data !== 'object' || data === null || !('questionId' in data)) return null;
  return typeof data.questionId === 'string' ? data.questionId.toLowerCase() : null;
}
