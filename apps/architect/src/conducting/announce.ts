// Publishes the events of actions. The id of each event is derived from the action, so publishing it again is a
// duplicate.
import { causedBy, type Correlation, taskEventId, type TypedEvents } from '@hypercode/client';
import { architectEvents, defineEvents, LIMITS, type PublishResult, questionEvents } from '@hypercode/contracts';
import {
  APPROVE,
  fitting,
  hasEnded,
  type Plan,
  planEventId,
  questionEventId,
  REJECT,
  type Rejection,
  rejectionEventId,
  stallEventId,
  voidEventId,
} from '@hypercode/plans';
import type { Action } from '../scheduling/action.ts';
import { assignmentOf, outputsOf } from '../scheduling/outputs.ts';

/** What the Architect publishes. */
export const conductedEvents = defineEvents({ ...architectEvents.schemas, ...questionEvents.schemas });

export type ArchitectBus = TypedEvents<typeof conductedEvents>;

/** What an event of the plan says of what led to it. Default: what brought the plan to where it is. */
export const correlationOf = (
  { correlationId, traceparent, causationId: last }: Plan,
  causationId: string = last,
): Correlation => ({ correlationId, causationId, traceparent });

/** Rejects as `publish` does. */
export function announce(
  bus: Pick<ArchitectBus, 'publish'>,
  action: Exclude<Action, { kind: 'plan' }>,
  name: string,
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
    case 'void': {
      const { taskId, attempt, agent, cause } = action;
      const reason = fitting(action.reason, LIMITS.reasonLength);
      const id = voidEventId({ planId, taskId, attempt });
      return bus.publish(`task.${agent}.cancelled`, { planId, taskId, attempt, cause, reason }, { ...about, id });
    }
    case 'stall': {
      const { taskId, attempt, agent, signAt, silentMs } = action;
      const id = stallEventId({ planId, taskId, attempt }, signAt);
      return bus.publish(`task.${agent}.stalled`, { planId, taskId, attempt, silentMs }, { ...about, id });
    }
    case 'ask': {
      const { questionId } = action;
      const question = { questionId, text: approvalText(plan), options: CHOICES, about: { goalId } };
      return bus.publish(`question.${name}.asked`, question, { ...about, id: questionEventId(questionId, 'asked') });
    }
    case 'unask': {
      const { questionId } = action;
      const reason = `the plan is ${plan.status}`;
      const id = questionEventId(questionId, 'withdrawn');
      return bus.publish(`question.${name}.withdrawn`, { questionId, reason }, { ...about, id });
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

const CHOICES = [
  { id: APPROVE, label: 'Let the plan begin' },
  { id: REJECT, label: 'Cancel it' },
];
/** Tasks that the question names. */
const NAMED_TASKS = 50;

function approvalText({ title, tasks }: Plan): string {
  const named = [...tasks.values()].slice(0, NAMED_TASKS);
  const lines = named.map(({ spec }) => `- ${spec.taskId}: ${fitting(spec.title, 60)} (${spec.capability})`);
  const more = tasks.size > NAMED_TASKS ? [`and ${tasks.size - NAMED_TASKS} more`] : [];
  return fitting([`May the plan "${title}" begin? Its tasks:`, ...lines, ...more].join('\n'), LIMITS.questionLength);
}

/** The event that the action follows from. A task is also taken back because time has passed: that follows from its assignment. */
function causeOf(action: Exclude<Action, { kind: 'plan' | 'reject' }>): string {
  const { plan } = action;
  if (action.kind === 'assign') return action.task.causationId;
  if (action.kind !== 'withdraw' && action.kind !== 'void' && action.kind !== 'stall') return plan.causationId;
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
