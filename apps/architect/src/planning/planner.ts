// The port of planners, which find the tasks that lead to a goal.
import type { Agent, Goal, PlannerName, PlanTask } from '@hypercode/contracts';

export interface Planner {
  readonly name: PlannerName;
  /**
   * Tasks for the goal and the capabilities of the agents; null when this planner finds none, so that the next one is
   * asked. The caller checks them (`planFaults`).
   * @throws PlanRefused when no other planner should be asked.
   */
  plan(
    goal: Goal,
    agents: readonly Agent[],
    options: { readonly signal: AbortSignal },
  ): Promise<readonly PlanTask[] | null>;
}

/** The goal can have no plan, for a reason that its submitter understands. */
export class PlanRefused extends Error {
  override readonly name = 'PlanRefused';
}
