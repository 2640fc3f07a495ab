// Plans: the tasks that lead to a goal, and how it ended.
import { z } from 'zod';
import { LIMITS } from './limits.ts';
import { CapabilityId } from './name.ts';
import { TaskId, TaskOutputs, TaskTerms } from './task.ts';
import { json, text } from './text.ts';

/** A task as the plan has it. */
export const PlanTask = z.object({
  taskId: TaskId,
  title: text(LIMITS.titleLength, 1),
  capability: CapabilityId,
  input: json.optional(),
  dependsOn: z.array(TaskId),
  /** The task, one of those that it depends on, whose result it reviews: its output is a `TaskVerdict`. */
  reviews: TaskId.optional(),
  ...TaskTerms.shape,
});
export type PlanTask = z.output<typeof PlanTask>;

/** Who made the plan: the goal's own steps, the matching of words with capabilities, or a model. */
export const PlannerName = z.enum(['steps', 'matching', 'model']);
export type PlannerName = z.infer<typeof PlannerName>;

const PlanOfGoal = z.object({ planId: z.uuid(), goalId: z.uuid() });

/** `plan.created`. The tasks have no cycle, and depend on tasks of this plan only. */
export const PlanCreated = z.object({
  ...PlanOfGoal.shape,
  title: text(LIMITS.titleLength, 1),
  tasks: z.array(PlanTask).min(1).max(LIMITS.planTasks),
  planner: PlannerName,
  /** Capabilities that no agent offered when the plan was made. */
  missing: z.array(CapabilityId).default([]),
  /** When the plan fails if it is not completed; null: never. */
  deadlineAt: z.iso.datetime().nullable(),
  /** Whether no task is assigned before a person has approved the plan. */
  approval: z.boolean().optional(),
});
export type PlanCreated = z.output<typeof PlanCreated>;

/** `plan.completed`. Every task is. */
export const PlanCompleted = z.object({
  ...PlanOfGoal.shape,
  /**
   * What the tasks gave. As far as one event can hold them, of tasks that no other task depends on first; the others
   * are references.
   */
  outputs: TaskOutputs,
  /** How many outputs are left out of `outputs`, since their position is not known any more. */
  omitted: z.number().int().nonnegative().default(0),
});
export type PlanCompleted = z.output<typeof PlanCompleted>;

/** `plan.failed`. */
export const PlanFailed = z.object({
  ...PlanOfGoal.shape,
  reason: text(LIMITS.taskErrorLength, 1),
  /** How often the plan was retried before: an end of an earlier try does not end a later one. */
  retries: z.number().int().nonnegative().default(0),
});
export type PlanFailed = z.output<typeof PlanFailed>;

/** `plan.cancelled`. */
export const PlanCancelled = z.object({ ...PlanOfGoal.shape, reason: text(LIMITS.reasonLength, 1) });
export type PlanCancelled = z.output<typeof PlanCancelled>;

/** A failed plan goes on from where it failed. `plan.retry`. */
export const PlanRetry = z.object({ planId: z.uuid().toLowerCase(), reason: text(LIMITS.reasonLength, 1).optional() });
export type PlanRetry = z.output<typeof PlanRetry>;
