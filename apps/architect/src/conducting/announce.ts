// Publishes the events of actions. The id of each event is derived from the action, so publishing it again is a
// duplicate.
import { causedBy, type Correlation, taskEventId, type TypedEvents } from '@hypercode/client';
import { type architectEvents, LIMITS, type PublishResult } from '@hypercode/contracts';
import { fitting, hasEnded, type Plan, planEventId, type Rejection, rejectionEventId } from '@hypercode/plans';
import type { Action } from '../scheduling/action.ts';
import { assignmentOf, outputsOf } from '../scheduling/outputs.ts';

export type ArchitectBus = TypedEvents<typeof architectEvents>;

/** What an event of the plan says of what led to it. Default: what brought the plan to where it is. */
export const correlationOf = (
  { correlationId, traceparent, causationId: last }: Plan,
  causationId: string = last,
): Correlation => ({ correlationId, causationId, traceparent });

/** Rejects as `publish` does. */
export function announce(
  bus: Pick<ArchitectBus, 'publish'>,
  action: Exclude<Action, { kind: 'plan' }>,
): Promise<PublishResult> {
  if (action.kind === 'reject') return reject(bus, action.rejection);
  const { plan } = action;
  const { planId, goalId } = plan;
  const about = correlationOf(plan, causeOf(action));
  switch (action.kind) {
    case 'assign': {
      const { task, attempt, agent } = action;
      const { taskId } = task.spec;
      const id = taskEventId({ planId, taskId, attempt }, 'assigned');
      return bus.publish(`task.${agent.name}.assigned`, assignmentOf(action), { ...about, id });
    }
    case 'withdraw': {
      const { taskId, attempt, agent, cause, reason } = action;
      const id = taskEventId({ planId, taskId, attempt }, 'cancelled');
      return bus.publish(`task.${agent}.cancelled`, { planId, taskId, attempt, cause, reason }, { ...about, id });
    }
    case 'complete':
      return bus.publish(
        'plan.completed',
        { planId, goalId, ...outputsOf(plan) },
        { ...about, id: planEventId(planId, 'completed') },
      );
    case 'fail': {
      const reason = fitting(action.reason, LIMITS.taskErrorLength);
      const { retries } = plan;
      const id = planEventId(planId, 'failed', retries);
      return bus.publish('plan.failed', { planId, goalId, reason, retries }, { ...about, id });
    }
    case 'cancel': {
      const { reason } = action;
      return bus.publish(
        'plan.cancelled',
        { planId, goalId, reason },
        { ...about, id: planEventId(planId, 'cancelled') },
      );
    }
  }
}

/** The event that the action follows from. A task is also taken back because time has passed: that follows from its assignment. */
function causeOf(action: Exclude<Action, { kind: 'plan' | 'reject' }>): string {
  const { plan } = action;
  if (action.kind === 'assign') return action.task.causationId;
  if (action.kind !== 'withdraw') return plan.causationId;
  const task = plan.tasks.get(action.taskId);
  const isOfPlan = task === undefined || (task.result === null && hasEnded(plan));
  return isOfPlan ? plan.causationId : task.causationId;
}

function reject(
  bus: Pick<ArchitectBus, 'publish'>,
  { eventId, source, reason, agent, correlationId, traceparent }: Rejection,
): Promise<PublishResult> {
  const about = { ...causedBy({ id: eventId, correlationId, traceparent }), id: rejectionEventId(source, eventId) };
  return agent === null
    ? bus.publish('goal.rejected', { eventId, source, reason }, about)
    : bus.publish(`task.${agent}.rejected`, { eventId, reason }, about);
}
