// Facts: events about goals, plans and tasks, read and checked. A ledger is made of nothing else.
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

const published = {
  /** The publisher, as the core sets it. */
  source: z.string(),
  /** When it was published, in milliseconds since the epoch. */
  at: z.number(),
};
/** `agent` is the second token of the topic. */
const ofAgent = { ...published, agent: AgentName };

/** What an invalid goal must have at least, so that its refusal can be published. */
const NamedGoal = z.object({ goalId: Goal.shape.goalId, title: Goal.shape.title.catch('a goal without a title') });

const Fact = z.discriminatedUnion('kind', [
  z.object({ ...published, kind: z.literal('goal.submitted'), data: Goal }),
  z.object({
    ...published,
    kind: z.literal('goal.refused'),
    data: z.object({ ...NamedGoal.shape, refusal: z.string() }),
  }),
  z.object({ ...published, kind: z.literal('goal.cancelled'), data: GoalCancelled }),
  z.object({ ...published, kind: z.literal('plan.created'), data: PlanCreated }),
  z.object({ ...published, kind: z.literal('plan.completed'), data: PlanCompleted }),
  z.object({ ...published, kind: z.literal('plan.failed'), data: PlanFailed }),
  z.object({ ...published, kind: z.literal('plan.cancelled'), data: PlanCancelled }),
  z.object({ ...ofAgent, kind: z.literal('task.assigned'), data: TaskAssigned }),
  z.object({ ...ofAgent, kind: z.literal('task.accepted'), data: TaskAccepted }),
  z.object({ ...ofAgent, kind: z.literal('task.progress'), data: TaskProgress }),
  z.object({ ...ofAgent, kind: z.literal('task.completed'), data: TaskCompleted }),
  z.object({ ...ofAgent, kind: z.literal('task.failed'), data: TaskFailed }),
  z.object({ ...ofAgent, kind: z.literal('task.cancelled'), data: TaskCancelled }),
  z.object({ ...ofAgent, kind: z.literal('architect.checkpoint'), data: CheckpointPart }),
]);
/** `goal.refused` is no topic: it is a `goal.submitted` whose goal is invalid. */
export type Fact = z.output<typeof Fact>;
export type TaskFact = Extract<Fact, { kind: `task.${string}` }>;
export type EndFact = Extract<Fact, { kind: 'plan.completed' | 'plan.failed' | 'plan.cancelled' }>;
export type CancelFact = Extract<Fact, { kind: 'goal.cancelled' }>;

/** An event from which no fact can be read. */
export interface InvalidEvent {
  readonly kind: null;
  readonly error: SwarmError;
}

/** The topics that a ledger is made of. */
export const PLAN_TOPICS: readonly string[] = [...Object.keys(architectEvents.schemas), 'architect.*.checkpoint'];

/** Checks the form only. Whether the publisher was allowed to publish it was decided by the policy of the bus. */
export function factOf({ topic, source, time, data }: SwarmEvent): Fact | InvalidEvent {
  const at = Date.parse(time);
  const [first, second, third, ...others] = topic.split('.');
  const hasAgent = third !== undefined && others.length === 0;
  const kind = hasAgent ? `${first}.${third}` : topic;
  const { error: fault, data: fact } = Fact.safeParse({ kind, agent: second, source, at, data });
  if (fault === undefined) return fact;
  const error = invalidInput(fault);
  if (kind !== 'goal.submitted') return { kind: null, error };
  const goal = NamedGoal.safeParse(data);
  if (!goal.success) return { kind: null, error };
  return { kind: 'goal.refused', source, at, data: { ...goal.data, refusal: error.message } };
}
