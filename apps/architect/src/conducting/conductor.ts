// Conducts plans: after each fact it decides the next actions and publishes them. Its only memory beside the ledger is
// the actions under way, each until its event has come back from the bus.
import { type AgentDirectory, type ConnectedAgent, SwarmError } from '@hypercode/client';
import { type Clock, sleep } from '@hypercode/clock';
import type { Goal } from '@hypercode/contracts';
import { type Fact, type InvalidEvent, type Plan, planEventId, planIdOf } from '@hypercode/plans';
import type { CoreLink } from '../core-link.ts';
import type { Logger } from '../logger.ts';
import { planGoal } from '../planning/plan-goal.ts';
import type { Planner } from '../planning/planner.ts';
import {
  type Action,
  assignmentKey,
  keyOf,
  planningKey,
  questionKey,
  rejectionKey,
  stallKey,
  voidKey,
  withdrawalKey,
} from '../scheduling/action.ts';
import { ResultChecks } from '../checking/result-checks.ts';
import { SchemaChecks } from '@hypercode/schemas';
import type { ScheduleSettings } from '../scheduling/scene.ts';
import { schedule } from '../scheduling/schedule.ts';
import { announce, type ArchitectBus, conductedEvents, correlationOf } from './announce.ts';
import { Checkpointer } from './checkpointer.ts';
import type { Follower } from './follower.ts';
import type { OfferingAgents } from './offering-agents.ts';
import type { PlanReport } from './plan-report.ts';

export interface ConductorOptions {
  /** The name of the Architect's agent. */
  readonly name: string;
  /** The source of the events that it publishes. */
  readonly self: string;
  readonly agent: Pick<ConnectedAgent, 'client'>;
  /** All agents of the namespace. */
  readonly directory: AgentDirectory;
  /** The same, with the capabilities that tasks may be planned and assigned for. */
  readonly agents: OfferingAgents;
  readonly follower: Follower;
  readonly planners: readonly Planner[];
  readonly settings: ScheduleSettings;
  readonly clock: Clock;
  readonly logger: Logger;
  readonly core: CoreLink;
  readonly report: PlanReport;
}

interface UnderWay {
  readonly action: Action;
  /** When the action may be decided again, if its event was not received by then, in monotonic milliseconds. */
  staleAt: number;
}

/**
 * How many goals are planned at the same time: those for which a model may be asked, and those that bring their steps
 * and are planned at once. A goal that waits for a model delays none that needs no model.
 */
const MAX_PLANNING = { open: 8, steps: 256 };
/** A published event that has not come back after this many milliseconds is published again. */
const RECEIVE_LIMIT_MS = 60_000;
/** Pause before an action is repeated that the core could not take, or refused, in milliseconds. */
const RETRY_MS = 1_000;
const REFUSED_RETRY_MS = 15_000;
/** The same for a rejection, which nothing waits for, in milliseconds. */
const REJECTION_RETRY_MS = 600_000;
/** How long `stop` waits for actions under way, in milliseconds. */
const STOP_LIMIT_MS = 3_000;

export class Conductor {
  readonly #options: ConductorOptions;
  readonly #bus: ArchitectBus;
  readonly #checkpointer: Checkpointer;
  readonly #schemas: SchemaChecks;
  readonly #checks: ResultChecks;
  readonly #underWay = new Map<string, UnderWay>();
  readonly #stuckSince = new Map<string, number>();
  readonly #stopping = new AbortController();
  readonly #performing = new Set<Promise<void>>();
  /** Ends the planning of a goal that has ended, by plan. */
  readonly #planning = new Map<string, AbortController>();
  #isDecisionDue = false;
  #isSynced = false;
  #cancelWake = (): void => {};
  #release: (() => void)[] = [];

  constructor(options: ConductorOptions) {
    this.#options = options;
    this.#bus = options.agent.client.events(conductedEvents);
    const { agents, clock, logger } = options;
    this.#schemas = new SchemaChecks({ clock });
    this.#checks = new ResultChecks({ schemas: this.#schemas, agents, logger, onJudged: () => this.#decideSoon() });
    this.#checkpointer = new Checkpointer({ ...options, client: options.agent.client });
  }

  start(): void {
    const { directory, agents, follower, report, self } = this.#options;
    const decide = (): void => this.#decideSoon();
    this.#release = (['added', 'changed', 'removed'] as const).map((event) => directory.on(event, decide));
    this.#release.push(agents.onPolicy(decide));
    directory.ready.then(
      () => {
        this.#isSynced = true;
        this.#decideSoon();
      },
      () => {},
    );
    follower.start({
      onFact: (fact) => {
        report.received(fact, follower.ledger);
        this.#settle(fact);
        this.#check(fact);
        this.#checkpointer.onFact();
        this.#decideSoon();
      },
      onCaughtUp: () => {
        report.caughtUp(follower.ledger);
        this.#checkpointer.start();
        this.#checks.caughtUp(follower.ledger, self);
        this.#decideSoon();
      },
      onGap: (reason) => this.#checkpointer.onGap(reason),
    });
  }

  /**
   * Begins no action, and waits up to `STOP_LIMIT_MS` for those under way. The next Architect repeats what was not
   * published.
   */
  async stop(): Promise<void> {
    this.#stopping.abort();
    this.#cancelWake();
    for (const release of this.#release) release();
    const patience = new AbortController();
    const settled = Promise.all([this.#checkpointer.stop(), ...this.#performing]);
    await Promise.race([settled, sleep(this.#options.clock, STOP_LIMIT_MS, patience.signal)]);
    patience.abort();
    await this.#options.follower.stop();
    await this.#schemas.close();
  }

  /** Decides once for all that is received in one turn of the event loop. */
  #decideSoon(): void {
    if (this.#isDecisionDue || this.#stopping.signal.aborted) return;
    this.#isDecisionDue = true;
    setImmediate(() => {
      this.#isDecisionDue = false;
      if (!this.#stopping.signal.aborted) this.#decide();
    });
  }

  #decide(): void {
    const { follower, agents, settings, clock, self } = this.#options;
    if (!follower.isCaughtUp || !this.#isSynced || !agents.isPolicyKnown) return;
    const [now, monotonicMs] = [clock.epochMs(), clock.monotonicMs()];
    for (const [key, { staleAt }] of this.#underWay) if (staleAt <= monotonicMs) this.#underWay.delete(key);
    const scene = {
      ledger: follower.ledger,
      self,
      agents,
      underWay: this.#underWay,
      stuckSince: this.#stuckSince,
      checks: this.#checks,
      now,
    };
    const { actions, stuck, wakeAt } = schedule(scene, settings);
    for (const key of this.#stuckSince.keys()) if (!stuck.has(key)) this.#stuckSince.delete(key);
    for (const key of stuck) if (!this.#stuckSince.has(key)) this.#stuckSince.set(key, now);
    for (const action of actions) this.#begin(action);
    let delayMs = wakeAt - now;
    for (const { staleAt } of this.#underWay.values()) delayMs = Math.min(delayMs, staleAt - monotonicMs);
    this.#cancelWake();
    if (delayMs < Infinity) this.#cancelWake = clock.schedule(delayMs, () => this.#decideSoon());
  }

  #begin(action: Action): void {
    if (action.kind === 'plan') {
      const kind = planningKindOf(action.plan);
      if (this.#countPlanning(kind) >= MAX_PLANNING[kind]) return;
    } else if (action.kind === 'fail' || action.kind === 'cancel') {
      this.#planning.get(action.plan.planId)?.abort();
    }
    const begun: UnderWay = { action, staleAt: Infinity };
    this.#underWay.set(keyOf(action), begun);
    const performing = this.#perform(begun).finally(() => this.#performing.delete(performing));
    this.#performing.add(performing);
  }

  #countPlanning(kind: keyof typeof MAX_PLANNING): number {
    let count = 0;
    for (const { action, staleAt } of this.#underWay.values()) {
      // One with a time to go stale waits for its event to come back, and takes no place.
      if (action.kind === 'plan' && staleAt === Infinity && planningKindOf(action.plan) === kind) count += 1;
    }
    return count;
  }

  async #perform(begun: UnderWay): Promise<void> {
    const { clock, core } = this.#options;
    const { action } = begun;
    try {
      if (action.kind === 'plan') await this.#makePlan(action.plan);
      else {
        if (action.kind === 'assign')
          this.#checks.assigned(action.plan, action.task.spec, action.attempt, action.agent);
        await announce(this.#bus, action, this.#options.name);
      }
      core.answered('publishing');
      begun.staleAt = clock.monotonicMs() + RECEIVE_LIMIT_MS;
      // The next goal may be planned.
      if (action.kind === 'plan') this.#decideSoon();
    } catch (thrown) {
      if (this.#stopping.signal.aborted) return;
      const error = SwarmError.from(thrown);
      if (action.kind === 'reject' && !error.retryable) {
        // The check of the rights reports that one is missing.
        begun.staleAt = clock.monotonicMs() + REJECTION_RETRY_MS;
        return;
      }
      const about = action.kind === 'reject' ? { event: action.rejection.eventId } : { planId: action.plan.planId };
      core.refused('publishing', error, { what: `the action "${action.kind}" was refused`, ...about });
      if (isUnpublishable(error) && isNeeded(action)) {
        const { planId } = action.plan;
        const isTask = action.kind === 'assign';
        const what = isTask ? `the task "${action.task.spec.taskId}" cannot be assigned` : 'the plan cannot continue';
        this.#underWay.delete(keyOf(action));
        if (this.#underWay.has(planId)) return;
        return this.#begin({ kind: 'fail', plan: action.plan, reason: `${what}: ${error.message}` });
      }
      begun.staleAt = clock.monotonicMs() + (error.retryable ? (error.retryAfterMs ?? RETRY_MS) : REFUSED_RETRY_MS);
      this.#decideSoon();
    }
  }

  /** Publishes the plan of a goal, or why there is none; nothing once the goal has ended. */
  async #makePlan(plan: Plan): Promise<void> {
    const { planId, goal } = plan;
    if (goal === null) return;
    const ended = new AbortController();
    this.#planning.set(planId, ended);
    try {
      await this.#publishPlan(plan, goal, AbortSignal.any([this.#stopping.signal, ended.signal]));
    } catch (error) {
      if (!ended.signal.aborted) throw error;
    } finally {
      this.#planning.delete(planId);
    }
  }

  async #publishPlan(plan: Plan, goal: Goal, signal: AbortSignal): Promise<void> {
    const { agents, planners } = this.#options;
    const { planId, goalId, title, deadlineAt } = plan;
    const made = await planGoal(goal, [...agents], planners, { signal });
    signal.throwIfAborted();
    const refused = 'refused' in made ? made.refused : await this.#checks.refusalOf(made.tasks, made.planner);
    signal.throwIfAborted();
    if ('refused' in made || refused !== null) {
      const fail = { kind: 'fail', plan, reason: refused ?? 'the plan was refused' } as const;
      return void (await announce(this.#bus, fail, this.#options.name));
    }
    await this.#bus.publish(
      'plan.created',
      {
        planId,
        goalId,
        title,
        tasks: [...made.tasks],
        planner: made.planner,
        missing: [...made.missing],
        deadlineAt: deadlineAt === null ? null : new Date(deadlineAt).toISOString(),
        ...(goal.approval === true ? { approval: true } : {}),
      },
      { id: planEventId(planId, 'created'), ...correlationOf(plan) },
    );
  }

  #check(fact: Fact | InvalidEvent): void {
    const { follower, self } = this.#options;
    if (fact.kind === 'task.completed') {
      const plan = follower.ledger.plans.get(fact.data.planId);
      if (plan?.owner === self) this.#checks.completed(plan, fact.data.taskId);
    } else if (fact.kind === 'plan.completed' || fact.kind === 'plan.failed' || fact.kind === 'plan.cancelled') {
      this.#checks.forget(fact.data.planId);
    }
  }

  /** An action is done when its event has come back. */
  #settle(fact: Fact | InvalidEvent): void {
    if (fact.kind === null) return;
    for (const key of doneBy(fact)) this.#underWay.delete(key);
    // Whoever has published it.
    if (fact.kind === 'plan.failed' || fact.kind === 'plan.cancelled') {
      this.#planning.get(planIdOf(fact.data.goalId))?.abort();
    }
  }
}

/** A goal with steps is planned without waiting for anything. */
const planningKindOf = ({ goal }: Plan): keyof typeof MAX_PLANNING => (goal?.steps === undefined ? 'open' : 'steps');

type Needed = Extract<Action, { kind: 'plan' | 'assign' | 'complete' | 'cancel' }>;

/** Whether the plan cannot go on without it. */
const isNeeded = (action: Action): action is Needed =>
  action.kind === 'plan' || action.kind === 'assign' || action.kind === 'complete' || action.kind === 'cancel';

/** Whether the core will never accept the event as it is. Other refusals, such as those of a policy, can change. */
const isUnpublishable = (error: SwarmError): boolean => error.is('INVALID_INPUT') || error.is('PAYLOAD_TOO_LARGE');

/** The keys of the actions whose event this fact is. */
function doneBy({ kind, data }: Fact): string[] {
  if (kind === 'task.assigned') return [assignmentKey(data.planId, data.taskId, data.attempt)];
  if (kind === 'task.cancelled') {
    const { planId, taskId, attempt, cause } = data;
    const isVoid = cause === 'invalid' || cause === 'refused';
    return [(isVoid ? voidKey : withdrawalKey)(planId, taskId, attempt)];
  }
  if (kind === 'task.stalled') return [stallKey(data.planId, data.taskId, data.attempt)];
  if (kind === 'question.asked') return [questionKey(data.questionId, 'ask')];
  if (kind === 'question.withdrawn') return [questionKey(data.questionId, 'unask')];
  if (kind === 'task.rejected' || kind === 'goal.rejected') return [rejectionKey(data.eventId)];
  if (kind === 'plan.created') return [planningKey(planIdOf(data.goalId))];
  const isEnd = kind === 'plan.completed' || kind === 'plan.failed' || kind === 'plan.cancelled';
  if (!isEnd) return [];
  const planId = planIdOf(data.goalId);
  return [planId, planningKey(planId)];
}
