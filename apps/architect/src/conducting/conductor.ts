// Sees plans through: whenever something was heard, decides what follows from it, and says so on the bus. It remembers nothing
// but what it has begun to say; when that is heard, it is done.
import { type AgentDirectory, type ConnectedAgent, SwarmError } from '@hypercode/client';
import { type Clock, sleep } from '@hypercode/clock';
import { architectEvents } from '@hypercode/contracts';
import { type Fact, type Plan, planEventId, planIdOf } from '@hypercode/plans';
import type { Logger } from '../logger.ts';
import { planGoal } from '../planning/plan-goal.ts';
import type { Planner } from '../planning/planner.ts';
import { type Action, assignmentKey, keyOf, withdrawalKey } from '../scheduling/action.ts';
import { schedule, type ScheduleSettings } from '../scheduling/schedule.ts';
import { announce, type ArchitectBus } from './announce.ts';
import { Checkpointer } from './checkpointer.ts';
import type { Follower } from './follower.ts';

export interface ConductorOptions {
  /** Of the agent: it publishes as that. */
  readonly name: string;
  /** The source of what it publishes. */
  readonly self: string;
  readonly agent: Pick<ConnectedAgent, 'client'>;
  /** All agents of the namespace. */
  readonly directory: AgentDirectory;
  readonly follower: Follower;
  readonly planners: readonly Planner[];
  readonly settings: ScheduleSettings;
  readonly clock: Clock;
  readonly logger: Logger;
}

interface Begun {
  readonly action: Action;
  /** When it is to be decided again if it was not heard by then, in monotonic milliseconds. */
  staleAt: number;
}

/** Goals that are planned at a time. */
const MAX_PLANNING = 8;
/** What was said is heard within moments, or it was not said. In milliseconds. */
const HEARD_WITHIN_MS = 60_000;
/** Before doing again what the core could not take, or did not want, in milliseconds. */
const RETRY_MS = 1_000;
const REFUSED_RETRY_MS = 15_000;
/** How long `stop` waits for what is being said, in milliseconds. */
const STOP_LIMIT_MS = 3_000;

export class Conductor {
  readonly #options: ConductorOptions;
  readonly #bus: ArchitectBus;
  readonly #checkpointer: Checkpointer;
  readonly #underWay = new Map<string, Begun>();
  readonly #stuckSince = new Map<string, number>();
  readonly #stopping = new AbortController();
  readonly #performing = new Set<Promise<void>>();
  #isPassDue = false;
  #isSynced = false;
  #cancelWake = (): void => {};
  #release: (() => void)[] = [];

  constructor(options: ConductorOptions) {
    this.#options = options;
    this.#bus = options.agent.client.events(architectEvents);
    this.#checkpointer = new Checkpointer({ ...options, client: options.agent.client });
  }

  start(): void {
    const { directory, follower } = this.#options;
    const look = (): void => this.#lookSoon();
    this.#release = (['added', 'changed', 'removed'] as const).map((event) => directory.on(event, look));
    directory.ready.then(
      () => {
        this.#isSynced = true;
        this.#lookSoon();
      },
      () => {},
    );
    follower.start({
      onFact: (fact) => {
        this.#forget(fact);
        this.#checkpointer.hear();
        this.#lookSoon();
      },
      onCaughtUp: () => {
        this.#checkpointer.start();
        this.#lookSoon();
      },
      onGap: (reason) => this.#checkpointer.onGap(reason),
    });
  }

  /** Begins nothing more, and waits a while for what was begun; the next one says again what was not said. */
  async stop(): Promise<void> {
    this.#stopping.abort();
    this.#cancelWake();
    for (const release of this.#release) release();
    const patience = new AbortController();
    const settled = Promise.all([this.#checkpointer.stop(), ...this.#performing]);
    await Promise.race([settled, sleep(this.#options.clock, STOP_LIMIT_MS, patience.signal)]);
    patience.abort();
    await this.#options.follower.stop();
  }

  /** Everything that is heard in one go is decided on together. */
  #lookSoon(): void {
    if (this.#isPassDue || this.#stopping.signal.aborted) return;
    this.#isPassDue = true;
    setImmediate(() => {
      this.#isPassDue = false;
      if (!this.#stopping.signal.aborted) this.#look();
    });
  }

  #look(): void {
    const { follower, directory, settings, clock, self } = this.#options;
    if (!follower.isCaughtUp || !this.#isSynced) return;
    const [now, monotonicMs] = [clock.epochMs(), clock.monotonicMs()];
    for (const [key, { staleAt }] of this.#underWay) if (staleAt <= monotonicMs) this.#underWay.delete(key);
    const scene = {
      ledger: follower.ledger,
      self,
      agents: directory,
      underWay: this.#underWay,
      stuckSince: this.#stuckSince,
      now,
    };
    const { actions, stuck, wakeAt } = schedule(scene, settings);
    for (const key of this.#stuckSince.keys()) if (!stuck.has(key)) this.#stuckSince.delete(key);
    for (const key of stuck) if (!this.#stuckSince.has(key)) this.#stuckSince.set(key, now);
    for (const action of actions) this.#begin(action);
    let delayMs = wakeAt - now;
    for (const { staleAt } of this.#underWay.values()) delayMs = Math.min(delayMs, staleAt - monotonicMs);
    this.#cancelWake();
    if (delayMs < Infinity) this.#cancelWake = clock.schedule(delayMs, () => this.#lookSoon());
  }

  #begin(action: Action): void {
    if (action.kind === 'plan' && this.#planning() >= MAX_PLANNING) return;
    const begun: Begun = { action, staleAt: Infinity };
    this.#underWay.set(keyOf(action), begun);
    const performing = this.#perform(begun).finally(() => this.#performing.delete(performing));
    this.#performing.add(performing);
  }

  #planning(): number {
    let count = 0;
    for (const { action } of this.#underWay.values()) if (action.kind === 'plan') count += 1;
    return count;
  }

  async #perform(begun: Begun): Promise<void> {
    const { clock, logger } = this.#options;
    const { action } = begun;
    try {
      if (action.kind === 'plan') await this.#makePlan(action.plan);
      else await announce(this.#bus, action);
      begun.staleAt = clock.monotonicMs() + HEARD_WITHIN_MS;
    } catch (thrown) {
      if (this.#stopping.signal.aborted) return;
      const error = SwarmError.from(thrown);
      const { planId } = action.plan;
      logger.warn({ planId, action: action.kind, code: error.code }, error.message);
      if (isUnsayable(error) && action.kind !== 'fail' && action.kind !== 'withdraw') {
        const isTask = action.kind === 'assign';
        const what = isTask ? `the task "${action.task.spec.taskId}" cannot be assigned` : 'the plan cannot continue';
        this.#underWay.delete(keyOf(action));
        if (this.#underWay.has(planId)) return;
        return this.#begin({ kind: 'fail', plan: action.plan, reason: `${what}: ${error.message}` });
      }
      begun.staleAt = clock.monotonicMs() + (error.retryable ? (error.retryAfterMs ?? RETRY_MS) : REFUSED_RETRY_MS);
      this.#lookSoon();
    }
  }

  async #makePlan(plan: Plan): Promise<void> {
    const { directory, planners } = this.#options;
    const { planId, goalId, goal, title, deadlineAt } = plan;
    if (goal === null) return;
    const made = await planGoal(goal, directory.list(), planners, { signal: this.#stopping.signal });
    if ('refused' in made) return void (await announce(this.#bus, { kind: 'fail', plan, reason: made.refused }));
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
      },
      { id: planEventId(planId, 'created'), correlationId: goalId },
    );
  }

  /** What was begun is done when it is heard. */
  #forget(fact: Fact): void {
    const key = doneBy(fact);
    if (key !== null) this.#underWay.delete(key);
  }
}

/** Whether it will never be taken as it is. Other refusals, such as those of a policy, may be taken back. */
const isUnsayable = (error: SwarmError): boolean => error.is('INVALID_INPUT') || error.is('PAYLOAD_TOO_LARGE');

/** The key of the action that this fact is the end of. */
function doneBy({ kind, data }: Fact): string | null {
  if (kind === 'task.assigned') return assignmentKey(data.planId, data.taskId, data.attempt);
  if (kind === 'task.cancelled') return withdrawalKey(data.planId, data.taskId, data.attempt);
  const isOfPlan =
    kind === 'plan.created' || kind === 'plan.completed' || kind === 'plan.failed' || kind === 'plan.cancelled';
  return isOfPlan ? planIdOf(data.goalId) : null;
}
