// Inputs and outputs of the procedures of goals.
import { z } from 'zod';
import { Position } from './event.ts';
import { Goal, GoalSubmission } from './goal.ts';
import { LIMITS } from './limits.ts';
import { inNamespace } from './name.ts';
import { text } from './text.ts';

export const SubmitGoalInput = z.object({ ...inNamespace, ...GoalSubmission.shape });
export type SubmitGoalInput = z.output<typeof SubmitGoalInput>;

/** Of `goal.submitted`; of a goal that was submitted before by the same caller, of the first one. */
export const SubmittedGoal = z
  .object({
    goalId: z.uuid(),
    planId: z.uuid().describe('Of the plan that the Architect makes for the goal.'),
    eventId: z.uuid().describe('Of the event `goal.submitted`.'),
    position: Position,
    duplicate: z.boolean().describe('Whether the caller has submitted the goal before.'),
  })
  .meta({ id: 'SubmittedGoal' });
export type SubmittedGoal = z.infer<typeof SubmittedGoal>;

export const CancelGoalInput = z.object({
  ...inNamespace,
  goalId: Goal.shape.goalId,
  reason: text(LIMITS.reasonLength, 1).optional(),
});
export type CancelGoalInput = z.output<typeof CancelGoalInput>;

export const CancelledGoal = z
  .object({
    goalId: z.uuid(),
    eventId: z.uuid().describe('Of the event `goal.cancelled`.'),
    position: Position,
  })
  .meta({ id: 'CancelledGoal' });
export type CancelledGoal = z.infer<typeof CancelledGoal>;
