// What happens to one goal, in the order of the log: the events of its plan and tasks, from its submission to its end.
import { type architectEvents, SwarmError, type SwarmEvent, type TypedEvent } from '@hypercode/contracts';
import type { BusCalls } from '../bus/bus-calls.ts';
import { isRecord } from '../transport/json.ts';
import { endable } from '../transport/resumable-stream.ts';

/** How a goal goes on and ends. */
const PLAN_TOPICS = [
  'goal.rejected',
  'goal.cancelled',
  'plan.created',
  'plan.completed',
  'plan.failed',
  'plan.cancelled',
  'plan.retry',
] as const;
const TASK_TOPICS = [
  'task.*.assigned',
  'task.*.accepted',
  'task.*.progress',
  'task.*.completed',
  'task.*.failed',
  'task.*.cancelled',
] as const;

export type PlanEvent = TypedEvent<typeof architectEvents, (typeof PLAN_TOPICS)[number]>;
export type GoalEvent = PlanEvent | TypedEvent<typeof architectEvents, (typeof TASK_TOPICS)[number]>;

export interface SubmittedGoal {
  readonly goalId: string;
  /** Of the plan that the Architect makes for it. */
  readonly planId: string;
  /** Of the event that submitted it. */
  readonly eventId: string;
  readonly position: string;
}

export interface GoalEventsOptions {
  /** Ends the stream, without an error. */
  readonly signal?: AbortSignal | undefined;
}

export type GoalEvents = AsyncIterableIterator<GoalEvent, undefined, undefined>;

/** Ends after the event that ends the goal. */
export function goalEvents(
  bus: Pick<BusCalls, 'subscribe'>,
  goal: SubmittedGoal,
  options: GoalEventsOptions,
): GoalEvents {
  return endable((ended) => follow(bus, goal, [...PLAN_TOPICS, ...TASK_TOPICS], options, ended));
}

/** The events that need no right to receive those of tasks. */
export function planEvents(
  bus: Pick<BusCalls, 'subscribe'>,
  goal: SubmittedGoal,
  options: GoalEventsOptions,
): AsyncIterableIterator<PlanEvent, undefined, undefined> {
  return endable(
    (ended) => follow(bus, goal, PLAN_TOPICS, options, ended) as AsyncGenerator<PlanEvent, undefined, undefined>,
  );
}

async function* follow(
  bus: Pick<BusCalls, 'subscribe'>,
  { goalId, planId, eventId, position }: SubmittedGoal,
  topics: readonly string[],
  { signal }: GoalEventsOptions,
  ended: AbortSignal,
): AsyncGenerator<GoalEvent, undefined, undefined> {
  // The events of a plan come after the submission in the log, whenever the reader attaches.
  const items = bus.subscribe({ topics, from: { after: position }, signal });
  const end = (): void => void items.return?.();
  ended.addEventListener('abort', end);
  const plans = new Set<unknown>([planId]);
  try {
    for await (const item of items) {
      if (item.type === 'gap') {
        throw new SwarmError('COMPACTED', `events of the goal ${goalId} were removed before they were read`);
      }
      if (item.type !== 'event' || !isRecord(item.event.data)) continue;
      const { topic, data } = item.event;
      if (topic === 'goal.rejected' ? data['eventId'] !== eventId : !isAbout(goalId, plans, data)) continue;
      if (topic === 'plan.created') plans.add(data['planId']);
      yield trusted(item.event);
      if (ENDS.has(topic)) return;
    }
  } finally {
    ended.removeEventListener('abort', end);
  }
}

const ENDS = new Set<string>(['goal.rejected', 'plan.completed', 'plan.failed', 'plan.cancelled']);

const isAbout = (goalId: string, plans: ReadonlySet<unknown>, data: Record<string, unknown>): boolean =>
  data['goalId'] === goalId || plans.has(data['planId']);

/** Trusts those whom the policy lets publish it: browsers load no schemas. */
const trusted = (event: SwarmEvent): GoalEvent => event as unknown as GoalEvent;
