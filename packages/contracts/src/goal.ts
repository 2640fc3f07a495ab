// Goals: what people and agents want done.
import { z } from 'zod';
import { LIMITS } from './limits.ts';
import { CapabilityId } from './name.ts';
import { TaskId, TaskTerms } from './task.ts';
import { json, text } from './text.ts';

/** A task as the author of an explicit plan gives it. */
export const GoalStep = z.object({
  id: TaskId,
  title: text(LIMITS.titleLength, 1),
  /** What an agent must be able to do to take it. */
  capability: CapabilityId,
  input: json.optional(),
  /** Steps whose outputs it needs. Default: none. */
  dependsOn: z.array(TaskId).default([]),
  ...TaskTerms.shape,
});
export type GoalStep = z.output<typeof GoalStep>;

/** What is wanted. A goal id that is submitted again is the same goal. */
export const Goal = z.object({
  goalId: z.uuid().toLowerCase(),
  title: text(LIMITS.titleLength, 1),
  description: text(LIMITS.goalDescriptionLength).optional(),
  /** The way to it. Default: the Architect finds one. */
  steps: z.array(GoalStep).optional(),
  /** How long it may take from its submission on, in milliseconds. Default: no limit. */
  deadlineMs: z.number().int().positive().max(LIMITS.goalDeadlineMs).optional(),
  /** Whether a person has to approve the plan before its first task is assigned. Default: false. */
  approval: z.boolean().optional(),
});
export type Goal = z.output<typeof Goal>;

/** A goal whose submitter may leave its id out: UUIDv5 of the source and the id of the event, then. `goal.submitted`. */
export const GoalSubmission = z.object({ ...Goal.shape, goalId: Goal.shape.goalId.optional() });
export type GoalSubmission = z.output<typeof GoalSubmission>;

/** The goal is not wanted any more. `goal.cancelled`. */
export const GoalCancelled = z.object({
  goalId: Goal.shape.goalId,
  reason: text(LIMITS.reasonLength, 1).default('cancelled by request'),
});
export type GoalCancelled = z.output<typeof GoalCancelled>;

/** An event that cannot be read as a goal. `goal.rejected`, from the Architect. */
export const GoalRejected = z.object({
  eventId: z.uuid(),
  /** The publisher of that event. */
  source: z.string(),
  reason: text(LIMITS.reasonLength, 1),
});
export type GoalRejected = z.output<typeof GoalRejected>;
