// The Architect as its HTTP routes use it: submits goals, reads and cancels plans. An active one conducts the plans; a
// standby follows the bus until the name is free.
import { type AgentDirectory, type ConnectedAgent, type SwarmClient, SwarmError } from '@hypercode/client';
import type { Clock } from '@hypercode/clock';
import {
  agentSource,
  type CancelledGoal,
  type Goal,
  GoalSubmission,
  invalidInput,
  type RetriedPlan,
  type SubmittedGoal,
} from '@hypercode/contracts';
import { SWARM_AGENT, SWARM_CLIENT, SWARM_DIRECTORY } from '@hypercode/nestjs';
import {
  assertPlannable,
  goalEventId,
  hasEnded,
  nextRetryOf,
  type Plan,
  planEventId,
  type PlanFilter,
  planIdOf,
  type PlanLedger,
} from '@hypercode/plans';
import { type BeforeApplicationShutdown, Inject, Injectable, type OnApplicationBootstrap } from '@nestjs/common';
import type { ServerResponse } from 'node:http';
import type { ArchitectConfig } from './config/parse-config.ts';
import { type ArchitectBus, conductedEvents } from './conducting/announce.ts';
import { Conductor } from './conducting/conductor.ts';
import { Follower } from './conducting/follower.ts';
import { OfferingAgents } from './conducting/offering-agents.ts';
import { PlanReport } from './conducting/plan-report.ts';
import { inWords, needed, RightsCheck } from './conducting/rights-check.ts';
import type { CoreLink } from './core-link.ts';
import { writePlans } from './http/plan-stream.ts';
import type { Logger } from './logger.ts';
import type { ArchitectMetrics } from './metrics.ts';
import type { Planner } from './planning/planner.ts';
import { Seat } from './standby/seat.ts';

export const VERSION = '0.1.0';

/** `active`: conducts plans. `standby`: waits until the name is free. */
export type Mode = 'active' | 'standby';

export interface ArchitectOptions {
  readonly config: ArchitectConfig;
  readonly mode: Mode;
  readonly planners: readonly Planner[];
  readonly clock: Clock;
  readonly logger: Logger;
  readonly core: CoreLink;
  readonly metrics: ArchitectMetrics;
  /** Called by a standby when the name is free. */
  readonly onSeatFree: () => void;
}

export const ARCHITECT_OPTIONS = Symbol('ARCHITECT_OPTIONS');

/**
 * Longest time for which an answer waits until its event has come back from the bus, in milliseconds, so that a caller
 * who reads the plan next finds it.
 */
const RECEIVE_LIMIT_MS = 2_000;
/** When a caller may retry while the bus is being read, in milliseconds. */
const RETRY_AFTER_MS = 500;

@Injectable()
export class Architect implements OnApplicationBootstrap, BeforeApplicationShutdown {
  readonly #options: ArchitectOptions;
  readonly #bus: ArchitectBus;
  readonly #follower: Follower;
  readonly #work: Conductor | Seat;
  readonly #rights: RightsCheck;
  readonly #stopping = new AbortController();

  constructor(
    @Inject(SWARM_AGENT) agent: ConnectedAgent,
    @Inject(SWARM_CLIENT) client: SwarmClient,
    @Inject(SWARM_DIRECTORY) directory: AgentDirectory,
    @Inject(ARCHITECT_OPTIONS) options: ArchitectOptions,
  ) {
    const { config, mode, planners, clock, logger, core, metrics, onSeatFree } = options;
    const { name } = config;
    const self = agentSource(config.namespace, name);
    this.#options = options;
    this.#bus = client.events(conductedEvents);
    this.#follower = new Follower({ self, client, clock, logger, core });
    const follower = this.#follower;
    const agents = new OfferingAgents(directory);
    this.#rights = new RightsCheck({ agent, clock, logger, core, onPolicy: (policy) => agents.enforce(policy) });
    const report = new PlanReport({ logger, metrics });
    metrics.read({
      mode,
      get isCaughtUp() {
        return follower.isCaughtUp;
      },
      get ledger() {
        return follower.ledger;
      },
    });
    agent.on('registered', () => core.answered('registration'));
    this.#work =
      mode === 'standby'
        ? new Seat({ name, directory, follower, clock, logger, onFree: onSeatFree })
        : new Conductor({
            ...{ name, self, agent, directory, agents, follower, planners, clock, logger, core, report },
            settings: config,
          });
  }

  get mode(): Mode {
    return this.#options.mode;
  }

  /** Whether all that the bus has kept is known. */
  get isCaughtUp(): boolean {
    return this.#follower.isCaughtUp;
  }

  /** Why the policy does not let it work, in words that name each right; null when it does. */
  async missingRights(): Promise<string | null> {
    const missing = await this.#rights.missing();
    if (missing === null) return 'the core has not said what the policy allows';
    const lacking = needed(missing);
    return lacking.length === 0 ? null : `the policy denies ${inWords(lacking)}`;
  }

  onApplicationBootstrap(): void {
    this.#work.start();
    this.#rights.start();
  }

  async beforeApplicationShutdown(): Promise<void> {
    this.#stopping.abort();
    await Promise.all([this.#work.stop(), this.#rights.stop()]);
  }

  /**
   * Publishes `goal.submitted`. Rejects with INVALID_INPUT for an invalid goal or steps that are no valid plan, and as
   * `publish`.
   */
  async submit(input: unknown): Promise<SubmittedGoal> {
    const { error, data } = GoalSubmission.safeParse(input);
    if (error !== undefined) throw invalidInput(error);
    const { goalId = this.#options.clock.newId(), ...rest } = data;
    const goal: Goal = { goalId, ...rest };
    assertPlannable(goal);
    const planId = planIdOf(goalId);
    const { id: eventId, ...published } = await this.#bus.publish('goal.submitted', goal, {
      id: goalEventId(goalId),
      correlationId: goalId,
    });
    await this.#received(({ plans }) => plans.has(planId));
    return { goalId, planId, eventId, ...published };
  }

  /** Publishes `goal.cancelled`. */
  async cancelGoal(goalId: string, reason: string | undefined): Promise<CancelledGoal> {
    const correlationId = this.#follower.ledger.plans.get(planIdOf(goalId))?.correlationId ?? goalId;
    const { id: eventId, position } = await this.#bus.publish('goal.cancelled', { goalId, reason }, { correlationId });
    return { goalId, eventId, position };
  }

  /** By id, oldest first. Throws UNAVAILABLE while the bus is being read. */
  plans(): ReadonlyMap<string, Plan> {
    if (!this.isCaughtUp) throw this.#notYet();
    return this.#follower.ledger.plans;
  }

  /** Throws NOT_FOUND, and UNAVAILABLE while the bus is being read. */
  plan(planId: string): Plan {
    if (!this.isCaughtUp) throw this.#notYet();
    const plan = this.#follower.ledger.plans.get(planId);
    if (plan === undefined) throw new SwarmError('NOT_FOUND', `there is no plan "${planId}"`);
    return plan;
  }

  /** Publishes `goal.cancelled`. Rejects with NOT_FOUND, and with CONFLICT when the plan has completed or failed. */
  async cancel(planId: string, reason: string | undefined): Promise<Plan> {
    const plan = this.plan(planId);
    if (plan.status === 'cancelled') return plan;
    if (hasEnded(plan)) throw new SwarmError('CONFLICT', `the plan is ${plan.status}`);
    await this.cancelGoal(plan.goalId, reason);
    // A ledger that starts over may not have the plan for a while.
    await this.#received(({ plans }) => {
      const now = plans.get(planId);
      return now !== undefined && hasEnded(now);
    });
    return this.plan(planId);
  }

  /** Publishes `plan.retry`. Rejects with NOT_FOUND, and with CONFLICT when a retry cannot help. */
  async retry(planId: string, reason: string | undefined): Promise<RetriedPlan> {
    const plan = this.plan(planId);
    const retries = nextRetryOf(plan);
    const { id: eventId, position } = await this.#bus.publish(
      'plan.retry',
      { planId, reason },
      { id: planEventId(planId, 'retry', retries), correlationId: plan.correlationId },
    );
    await this.#received(({ plans }) => (plans.get(planId)?.retries ?? 0) >= retries);
    return { planId, eventId, position };
  }

  /** What writes the stream of these plans into a response. Throws UNAVAILABLE while the bus is being read, and NOT_FOUND. */
  planStream(filter: PlanFilter): (response: ServerResponse) => Promise<void> {
    if (filter.planId === undefined) this.plans();
    else this.plan(filter.planId);
    const stream = { follower: this.#follower, filter, clock: this.#options.clock, stopping: this.#stopping.signal };
    return (response) => writePlans(response, stream);
  }

  #notYet(): SwarmError {
    return new SwarmError('UNAVAILABLE', 'the Architect is still reading the bus, so the plans are not known yet', {
      retryAfterMs: RETRY_AFTER_MS,
    });
  }

  #received(holds: (ledger: PlanLedger) => boolean): Promise<void> {
    return this.#follower.until(holds, { limitMs: RECEIVE_LIMIT_MS, signal: this.#stopping.signal });
  }
}
