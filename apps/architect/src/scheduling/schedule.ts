// Decides the next actions from the plans and the agents: no I/O, no clock, no memory of its own.
import type { Agent } from '@hypercode/contracts';
import { hasEnded, lastAttemptOf, type Plan, type PlanLedger, type Task } from '@hypercode/plans';
import { type Action, assignmentKey, keyOf } from './action.ts';
import { capacityOf, lossOf, offersOf, unfitness } from './candidates.ts';

export interface ScheduleSettings {
  /** Attempts at a task before its plan fails. */
  readonly maxAttempts: number;
  /** How long an agent has for a task, in milliseconds. */
  readonly taskDeadlineMs: number;
  /** Tasks that an agent without the label `max-tasks` has at a time. */
  readonly maxTasksPerAgent: number;
  /** How long a task waits for an agent that can do it before its plan fails, in milliseconds. */
  readonly patienceMs: number;
  /** From the first failure of a task to its next attempt, in milliseconds; doubles with each attempt. */
  readonly retryDelayMs: number;
}

export interface Swarm extends Iterable<Agent> {
  get(name: string): Agent | undefined;
}

export interface Scene {
  readonly ledger: PlanLedger;
  /** The source of this Architect, which conducts its own plans only. */
  readonly self: string;
  /** The agents of the namespace. */
  readonly agents: Swarm;
  /** Actions whose events have not come back yet, by key. */
  readonly underWay: ReadonlyMap<string, { readonly action: Action }>;
  /** Since when no agent can do the tasks of a plan and a capability, in milliseconds since the epoch, by `waitKey`. */
  readonly stuckSince: ReadonlyMap<string, number>;
  /** Milliseconds since the epoch. */
  readonly now: number;
}

export interface Decision {
  readonly actions: readonly Action[];
  /** The plans and capabilities with tasks that no agent can do now, by `waitKey`. */
  readonly stuck: ReadonlySet<string>;
  /** When to decide again even if no fact arrives, in milliseconds since the epoch; Infinity for never. */
  readonly wakeAt: number;
}

/** Longest delay between two attempts, in milliseconds. */
const MAX_RETRY_DELAY_MS = 60_000;

export function schedule(scene: Scene, settings: ScheduleSettings): Decision {
  const round = new Round(scene, settings);
  for (const plan of scene.ledger.active()) round.consider(plan);
  round.assign();
  return round;
}

class Round implements Decision {
  readonly actions: Action[] = [];
  readonly stuck = new Set<string>();
  wakeAt = Infinity;
  readonly #scene: Scene;
  readonly #settings: ScheduleSettings;
  readonly #offers: Map<string, Agent[]>;
  /** Tasks under way to each agent, beside those that it has. */
  readonly #loads = new Map<string, number>();
  /** Capabilities whose agents all have as many tasks as they take. */
  readonly #exhausted = new Set<string>();
  /** Whether no agent can do tasks of the capability, busy ones included; a cache. */
  readonly #isWithoutAgent = new Map<string, boolean>();
  /** Plans whose tasks can be assigned. */
  readonly #running: Plan[] = [];

  constructor(scene: Scene, settings: ScheduleSettings) {
    this.#scene = scene;
    this.#settings = settings;
    this.#offers = offersOf(scene.agents);
    for (const { action } of scene.underWay.values()) {
      if (action.kind === 'assign') this.#loads.set(action.agent.name, this.#loadOf(action.agent.name) + 1);
    }
  }

  consider(plan: Plan): void {
    const { self, underWay } = this.#scene;
    if (plan.owner !== null && plan.owner !== self) return;
    if (underWay.has(plan.planId)) return;
    const end = hasEnded(plan) ? null : this.#endOf(plan);
    if (end !== null) this.actions.push(end);
    else if (plan.status === 'planning') this.actions.push({ kind: 'plan', plan });
    for (const taskId of plan.open) this.#examine(plan, taskId);
    if (end === null && plan.status === 'running') this.#running.push(plan);
  }

  /** The action that ends the plan now; null when it continues. */
  #endOf(plan: Plan): Action | null {
    const { now } = this.#scene;
    if (plan.isLost) {
      return {
        kind: 'fail',
        plan,
        reason: 'the event that created the plan is no longer on the bus, so the tasks of the plan are unknown',
      };
    }
    if (plan.refusal !== null) return { kind: 'fail', plan, reason: plan.refusal };
    if (plan.cancelReason !== null) return { kind: 'cancel', plan, reason: plan.cancelReason };
    if (plan.status === 'running' && plan.completed === plan.tasks.size) return { kind: 'complete', plan };
    if (plan.deadlineAt !== null) {
      if (now >= plan.deadlineAt)
        return { kind: 'fail', plan, reason: `not completed by the deadline, ${timeOf(plan.deadlineAt)}` };
      this.#wake(plan.deadlineAt);
    }
    return this.#failureOf(plan);
  }

  /** The failure of a plan with a task that is not tried again, or that has waited too long for an agent. */
  #failureOf(plan: Plan): Action | null {
    const { patienceMs } = this.#settings;
    for (const taskId of plan.ready) {
      const task = plan.tasks.get(taskId);
      if (task === undefined) continue;
      if (task.attempts.size > 0) {
        const hopeless = this.#hopelessness(task);
        if (hopeless !== null) return { kind: 'fail', plan, reason: hopeless };
      }
      if (!this.#isStuck(task)) continue;
      const key = waitKey(plan, task);
      const since = this.#scene.stuckSince.get(key) ?? this.#scene.now;
      if (this.#scene.now < since + patienceMs) {
        this.stuck.add(key);
        this.#wake(since + patienceMs);
        continue;
      }
      const reason = `${nameOf(task)} found no agent for ${Math.round(patienceMs / 1000)} s: ${this.#whyStuck(task)}`;
      return { kind: 'fail', plan, reason };
    }
    return null;
  }

  /** Why the task is not tried again; null when it is. */
  #hopelessness(task: Task): string | null {
    const { failure } = task;
    const last = failure === null ? '' : `: ${failure.agent} reported "${failure.message}"`;
    if (failure !== null && !failure.retryable)
      return `${nameOf(task)} failed with an error that is not retryable${last}`;
    const attempts = lastAttemptOf(task);
    if (attempts < this.#settings.maxAttempts) return null;
    return `${nameOf(task)} was tried ${attempts === 1 ? 'once' : `${attempts} times`} without success${last}`;
  }

  #examine(plan: Plan, taskId: string): void {
    const task = plan.tasks.get(taskId);
    const assignment = task?.assignment;
    if (task === undefined || assignment === undefined || assignment === null) return;
    const { agent, attempt, deadlineAt } = assignment;
    const { now, agents } = this.#scene;
    const loss = lossOf(assignment, agents.get(agent));
    const reason =
      task.result !== null
        ? `${task.result.agent} has completed the task`
        : hasEnded(plan)
          ? `the plan is ${plan.status}`
          : loss !== null
            ? `${agent} ${loss}`
            : now >= deadlineAt
              ? `no answer by the deadline, ${timeOf(deadlineAt)}`
              : null;
    if (reason === null) return this.#wake(deadlineAt);
    const action: Action = { kind: 'withdraw', plan, taskId, attempt, agent, reason };
    if (!this.#scene.underWay.has(keyOf(action))) this.actions.push(action);
  }

  /** Assigns one task of each plan in turn, so that a plan of a thousand tasks does not delay the others. */
  assign(): void {
    const served = this.#running.toSorted((a, b) => a.open.size - b.open.size);
    let turns = served.map((plan) => this.#assignments(plan));
    while (turns.length > 0) turns = turns.filter((turn) => turn.next().done !== true);
  }

  /** Assigns a task with each step. */
  *#assignments(plan: Plan): Generator<void, void, void> {
    const { now } = this.#scene;
    for (const taskId of plan.ready) {
      const task = plan.tasks.get(taskId);
      if (task === undefined || this.#exhausted.has(task.spec.capability)) continue;
      const attempt = lastAttemptOf(task) + 1;
      const retryAt = this.#retryAt(task, attempt);
      if (retryAt > now) {
        this.#wake(retryAt);
        continue;
      }
      if (this.#scene.underWay.has(assignmentKey(plan.planId, taskId, attempt))) continue;
      const agent = this.#choose(task);
      if (agent === null) {
        this.#exhausted.add(task.spec.capability);
        continue;
      }
      const deadlineAt = Math.min(now + this.#settings.taskDeadlineMs, plan.deadlineAt ?? Infinity);
      this.actions.push({ kind: 'assign', plan, task, attempt, agent, deadlineAt });
      this.#loads.set(agent.name, this.#loadOf(agent.name) + 1);
      yield;
    }
  }

  /**
   * An agent that has not tried the task before others; then the one with the fewest tasks, not busy, and first by
   * name.
   */
  #choose(task: Task): Agent | null {
    const tried = new Set(task.attempts.values());
    let best: Agent | null = null;
    let bestRank: readonly (number | string)[] = [];
    for (const agent of this.#offers.get(task.spec.capability) ?? []) {
      if (unfitness(agent) !== null) continue;
      const load = this.#scene.ledger.openTasksOf(agent.name) + this.#loadOf(agent.name);
      if (load >= capacityOf(agent, this.#settings.maxTasksPerAgent)) continue;
      const rank = [tried.has(agent.name) ? 1 : 0, load, agent.status.activity === 'busy' ? 1 : 0, agent.name];
      if (best !== null && !isBefore(rank, bestRank)) continue;
      best = agent;
      bestRank = rank;
    }
    return best;
  }

  /** The time of a failure is from the event. If the clock that set it is ahead, the task does not wait. */
  #retryAt({ failure }: Task, attempt: number): number {
    if (failure === null || failure.at > this.#scene.now) return -Infinity;
    return failure.at + Math.min(MAX_RETRY_DELAY_MS, this.#settings.retryDelayMs * 2 ** (attempt - 2));
  }

  /** Whether no agent can do the task, also once the busy ones are free. */
  #isStuck({ spec: { capability } }: Task): boolean {
    let isStuck = this.#isWithoutAgent.get(capability);
    if (isStuck === undefined) {
      isStuck = (this.#offers.get(capability) ?? []).every((agent) => unfitness(agent) !== null);
      this.#isWithoutAgent.set(capability, isStuck);
    }
    return isStuck;
  }

  #whyStuck({ spec }: Task): string {
    const offering = this.#offers.get(spec.capability) ?? [];
    if (offering.length === 0) return `no agent offers "${spec.capability}"`;
    const reasons = offering.slice(0, 3).map((agent) => `${agent.name} ${unfitness(agent)}`);
    const others = offering.length > 3 ? `, and ${offering.length - 3} more` : '';
    return `of the agents that offer "${spec.capability}", ${reasons.join(', ')}${others}`;
  }

  #loadOf(agent: string): number {
    return this.#loads.get(agent) ?? 0;
  }

  #wake(at: number): void {
    this.wakeAt = Math.min(this.wakeAt, at);
  }
}

function isBefore(rank: readonly (number | string)[], other: readonly (number | string)[]): boolean {
  for (const [index, value] of rank.entries()) {
    const against = other[index];
    if (against === undefined || value === against) continue;
    return value < against;
  }
  return false;
}

/** A plan's tasks of one capability wait together. */
const waitKey = ({ planId }: Plan, { spec }: Task): string => `${planId}/${spec.capability}`;
const timeOf = (ms: number): string => new Date(ms).toISOString();
const nameOf = ({ spec }: Task): string => `the task "${spec.taskId}" (${spec.title})`;
