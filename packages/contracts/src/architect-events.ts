// The catalogue of goals, plans and tasks, for every agent that takes part.
import { GoalCancelled, GoalRejected, GoalSubmission } from './goal.ts';
import { PlanCancelled, PlanCompleted, PlanCreated, PlanFailed, PlanRetry } from './plan.ts';
import {
  TaskAccepted,
  TaskAssigned,
  TaskCancelled,
  TaskCompleted,
  TaskFailed,
  TaskProgress,
  TaskRejected,
  TaskStalled,
} from './task.ts';
import { defineEvents } from './typed-events.ts';

/** What is said of goals, plans and tasks. The second token of a task's topic is the agent whose task it is. */
export const architectEvents = defineEvents({
  'goal.submitted': GoalSubmission,
  'goal.cancelled': GoalCancelled,
  'goal.rejected': GoalRejected,
  'plan.created': PlanCreated,
  'plan.completed': PlanCompleted,
  'plan.failed': PlanFailed,
  'plan.cancelled': PlanCancelled,
  'plan.retry': PlanRetry,
  'task.*.assigned': TaskAssigned,
  'task.*.accepted': TaskAccepted,
  'task.*.progress': TaskProgress,
  'task.*.completed': TaskCompleted,
  'task.*.failed': TaskFailed,
  'task.*.cancelled': TaskCancelled,
  'task.*.rejected': TaskRejected,
  'task.*.stalled': TaskStalled,
});
