// What the Architect hears on the bus, read and checked: the only thing that its knowledge of plans is made of.
import {
  AgentName,
  architectEvents,
  Goal,
  GoalCancelled,
  invalidInput,
  PlanCancelled,
  PlanCompleted,
  PlanCreated,
  PlanFailed,
  type SwarmError,
  type SwarmEvent,
  TaskAccepted,
  TaskAssigned,
  TaskCancelled,
  TaskCompleted,
  TaskFailed,
  TaskProgress,
} from '@hypercode/contracts';
import { z } from 'zod';
import { CheckpointPart } from './checkpoint.ts';

const heard = {
  /** Who said so, as the core knows. */
  source: z.string(),
  /** When, in milliseconds since the epoch. */
  at: z.number(),
};
/** Whose task it is. */
const ofAgent = { ...heard, agent: AgentName };

/** A goal that is none, of which is known at least whom to tell. */
const NamedGoal = z.object({ goalId: Goal.shape.goalId, title: Goal.shape.title.catch('a goal without a title') });

const Fact = z.discriminatedUnion('kind', [
  z.object({ ...heard, kind: z.literal('goal.submitted'), data: Goal }),
  z.object({ ...heard, kind: z.literal('goal.refused'), data: z.object({ ...NamedGoal.shape, refusal: z.string() }) }),
  z.object({ ...heard, kind: z.literal('goal.cancelled'), data: GoalCancelled }),
  z.object({ ...heard, kind: z.literal('plan.created'), data: PlanCreated }),
  z.object({ ...heard, kind: z.literal('plan.completed'), data: PlanCompleted }),
  z.object({ ...heard, kind: z.literal('plan.failed'), data: PlanFailed }),
  z.object({ ...heard, kind: z.literal('plan.cancelled'), data: PlanCancelled }),
  z.object({ ...ofAgent, kind: z.literal('task.assigned'), data: TaskAssigned }),
  z.object({ ...ofAgent, kind: z.literal('task.accepted'), data: TaskAccepted }),
  z.object({ ...ofAgent, kind: z.literal('task.progress'), data: TaskProgress }),
  z.object({ ...ofAgent, kind: z.literal('task.completed'), data: TaskCompleted }),
  z.object({ ...ofAgent, kind: z.literal('task.failed'), data: TaskFailed }),
  z.object({ ...ofAgent, kind: z.literal('task.cancelled'), data: TaskCancelled }),
  z.object({ ...ofAgent, kind: z.literal('architect.checkpoint'), data: CheckpointPart }),
]);
export type Fact = z.output<typeof Fact>;

/** What the Architect listens to. */
export const FACT_TOPICS: readonly string[] = [...Object.keys(architectEvents.schemas), 'architect.*.checkpoint'];

/** The event as a fact, or why it is none. Who may say what is the policy's to judge, and was judged when it was published. */
export function factOf({
  topic,
  source,
  time,
  data,
}: SwarmEvent): Fact | { readonly kind: null; readonly error: SwarmError } {
  const at = Date.parse(time);
  const [first, second, third, ...others] = topic.split('.');
  const isNamed = third !== undefined && others.length === 0;
  const kind = isNamed ? `${first}.${third}` : topic;
  const { error: fault, data: fact } = Fact.safeParse({ kind, agent: second, source, at, data });
  if (fault === undefined) return fact;
  const error = invalidInput(fault);
  if (kind !== 'goal.submitted') return { kind: null, error };
  const goal = NamedGoal.safeParse(data);
  if (!goal.success) return { kind: null, error };
  return { kind: 'goal.refused', source, at, data: { ...goal.data, refusal: error.message } };
}
