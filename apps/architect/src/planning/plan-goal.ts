// From a goal to a plan: asks the planners in turn, and refuses what is not a valid plan.
import { fitting, planFaults } from '@hypercode/plans';
import { type Agent, type Goal, LIMITS, type PlannerName, type PlanTask } from '@hypercode/contracts';
import { offersOf } from '../scheduling/candidates.ts';
import { offeredCapabilities } from './offered-capabilities.ts';
import { type Planner, PlanRefused } from './planner.ts';
import { withReviews } from './with-reviews.ts';

export interface MadePlan {
  readonly planner: PlannerName;
  readonly tasks: readonly PlanTask[];
  /** Capabilities that the plan needs and no agent offers, by name. */
  readonly missing: readonly string[];
}

export interface RefusedPlan {
  /** Why there can be no plan, in words for the goal's submitter. */
  readonly refused: string;
}

/** Capabilities that a refusal names. */
const NAMED_CAPABILITIES = 20;

/**
 * The plan of the first planner that finds tasks. Refused when none does, when a planner refuses, or when the tasks are
 * not a valid plan. Rejects when `signal` is aborted, and as the planners do.
 */
export async function planGoal(
  goal: Goal,
  agents: readonly Agent[],
  planners: readonly Planner[],
  { signal }: { readonly signal: AbortSignal },
): Promise<MadePlan | RefusedPlan> {
  for (const planner of planners) {
    signal.throwIfAborted();
    let tasks: readonly PlanTask[] | null;
    try {
      tasks = await planner.plan(goal, agents, { signal });
    } catch (error) {
      if (error instanceof PlanRefused) return refusal(error.message);
      throw error;
    }
    if (tasks === null) continue;
    const reviewed = withReviews(tasks);
    const faults = planFaults(reviewed);
    if (faults.length > 0) return refusal(`${SUBJECTS[planner.name]} not a valid plan: ${faults.join('; ')}`);
    return { planner: planner.name, tasks: reviewed, missing: missingOf(reviewed, agents) };
  }
  return refusal(nothingFound(agents));
}

/** What a planner's invalid tasks are called. */
const SUBJECTS: Readonly<Record<PlannerName, string>> = {
  steps: "the goal's steps are",
  matching: 'the tasks that match the goal are',
  model: 'the tasks from the model are',
};

const refusal = (reason: string): RefusedPlan => ({ refused: fitting(reason, LIMITS.taskErrorLength) });

function missingOf(tasks: readonly PlanTask[], agents: readonly Agent[]): string[] {
  const offers = offersOf(agents);
  return [...new Set(tasks.map(({ capability }) => capability))].filter((id) => !offers.has(id)).toSorted();
}

function nothingFound(agents: readonly Agent[]): string {
  const ids = offeredCapabilities(agents).map(({ id }) => id);
  if (ids.length === 0) return 'no agent in the swarm offers a capability, and the goal has no steps';
  const more = ids.length - NAMED_CAPABILITIES;
  const others = more > 0 ? `, and ${more} more` : '';
  return `no capability in the swarm matches the goal; it offers: ${ids.slice(0, NAMED_CAPABILITIES).join(', ')}${others}`;
}
