// The port to those who find the tasks that lead to a goal.
import type { Agent, Goal, PlannerName, PlanTask } from '@hypercode/contracts';

export interface Planner {
  readonly name: PlannerName;
  /**
   * Tasks that lead to the goal, with what the agents can do; null when this planner finds no way, so that the next one is asked.
   * What it gives is checked by whoever asked (`planFaults`).
   * @throws PlanRefused when no planner is to be asked any more.
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
