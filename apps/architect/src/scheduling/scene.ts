// What the schedule decides from, and what it decides.
import type { PlanLedger } from '@hypercode/plans';
import type { Action } from './action.ts';
import type { Checks, Swarm } from './checks.ts';

export interface ScheduleSettings {
  /** Failed attempts at a task before its plan fails; a step may differ. */
  readonly maxAttempts: number;
  /** How long an agent has for a task from its assignment and from each report of progress, in milliseconds; a step may differ. */
  readonly taskDeadlineMs: number;
  /** How long an agent has to begin, in milliseconds; one with a longer lease than usual has longer. */
  readonly acceptMs: number;
  /** Tasks that an agent without the label `max-tasks` has at a time. */
  readonly maxTasksPerAgent: number;
  /** How long a task waits for an agent that can do it before its plan fails, in milliseconds. */
  readonly patienceMs: number;
  /** From the first failure of a task to its next attempt, in milliseconds; doubles with each attempt. */
  readonly retryDelayMs: number;
  /** After how long without a report an agent that has begun is taken for stalled, in milliseconds. */
  readonly stallMs: number;
  /** How long deadlines stand still for questions to people, in all, in milliseconds. */
  readonly questionPatienceMs: number;
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
  /** What is compared with schemas. */
  readonly checks: Checks;
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
