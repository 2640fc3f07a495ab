// Tasks: what the Architect hands to an agent, and what the agent answers.
import { z } from 'zod';
import { LIMITS } from './limits.ts';
import { AgentName, CapabilityId } from './name.ts';
import type { Json } from './json-fault.ts';
import { json, text } from './text.ts';

const TASK_ID = /^[A-Za-z0-9][A-Za-z0-9_.-]*$/;

/** Names a task within its plan. */
export const TaskId = z
  .string()
  .max(LIMITS.taskIdLength)
  .regex(TASK_ID, 'must be letters, digits, "_", "." and "-", starting with a letter or digit');
export type TaskId = z.infer<typeof TaskId>;

/** What one task may take, as the author of its step wants it. */
export const TaskTerms = z.object({
  /** How long one attempt may take, in milliseconds. Default: as the Architect is configured. */
  timeoutMs: z.number().int().positive().max(LIMITS.goalDeadlineMs).optional(),
  /** How many attempts may fail before the plan fails. Default: as the Architect is configured. */
  maxAttempts: z.number().int().positive().max(LIMITS.taskAttempts).optional(),
  /** Whether each report of progress gives the agent the time of an attempt again. Default: unless `timeoutMs` is given. */
  extendOnProgress: z.boolean().optional(),
  /**
   * Who looks at what the task gave, before it counts: an agent that offers this capability, and is not the author. Its verdict is a
   * `TaskVerdict`. Default: nobody.
   */
  review: z.object({ capability: CapabilityId }).optional(),
});
export type TaskTerms = z.output<typeof TaskTerms>;

/** Whether progress moves the deadline of a task with these terms. */
export const extendsOnProgress = ({ timeoutMs, extendOnProgress }: TaskTerms): boolean =>
  extendOnProgress ?? timeoutMs === undefined;

/** What tasks gave, by task: the output itself, or an `OutputRef` where not all outputs fit into one event. */
export const TaskOutputs = z.record(TaskId, json);
export type TaskOutputs = Record<TaskId, Json>;

/** One attempt at a task. Attempts count from 1. */
export const TaskAttempt = z.object({ planId: z.uuid(), taskId: TaskId, attempt: z.number().int().positive() });
export type TaskAttempt = z.infer<typeof TaskAttempt>;

/** Whose task it is from now on. `task.<agent>.assigned`, from the Architect. */
export const TaskAssigned = z.object({
  ...TaskAttempt.shape,
  goalId: z.uuid(),
  capability: CapabilityId,
  title: text(LIMITS.titleLength, 1),
  /** As the plan has it; null when it has none. */
  input: json,
  /** The outputs of the tasks that it depends on. */
  dependencies: TaskOutputs,
  /**
   * An answer that comes later may find the task with another agent. A report of progress moves the deadline, unless
   * `extendOnProgress` is false: from then on the agent has as long as it had from the assignment on.
   */
  deadlineAt: z.iso.datetime(),
  extendOnProgress: z.boolean().optional(),
  /** When the task goes to another agent, if this one has not begun and another one could. */
  acceptBy: z.iso.datetime().optional(),
  /** Of the agent, when the task was assigned. */
  incarnation: z.uuid().nullable().default(null),
  /** Why this agent was chosen, in words. */
  because: text(LIMITS.reasonLength).optional(),
  /** The last attempt that failed, and why, so that this one can do better: an error, where a result does not fit, or a reviewer's reason. */
  previous: z
    .object({ attempt: TaskAttempt.shape.attempt, agent: AgentName, error: text(LIMITS.reasonLength) })
    .optional(),
});
export type TaskAssigned = z.output<typeof TaskAssigned>;

/** The agent has begun. `task.<agent>.accepted`. */
export const TaskAccepted = TaskAttempt;
export type TaskAccepted = z.output<typeof TaskAccepted>;

/** How far the agent is. `task.<agent>.progress`. */
export const TaskProgress = z.object({
  ...TaskAttempt.shape,
  /** 0 to 1. */
  progress: z.number().min(0).max(1),
  message: text(LIMITS.reasonLength).optional(),
});
export type TaskProgress = z.output<typeof TaskProgress>;

/** The task is done. `task.<agent>.completed`. */
export const TaskCompleted = z.object({ ...TaskAttempt.shape, output: json.default(null) });
export type TaskCompleted = z.output<typeof TaskCompleted>;

/** The attempt failed. `task.<agent>.failed`. */
export const TaskFailed = z.object({
  ...TaskAttempt.shape,
  error: z.object({
    message: text(LIMITS.taskErrorLength),
    /** Whether another attempt can help. Default true. */
    retryable: z.boolean().default(true),
  }),
});
export type TaskFailed = z.output<typeof TaskFailed>;

/**
 * Why an attempt was taken back:
 * - `lost`: its agent has left, was restarted, is unhealthy or drains.
 * - `silent`: its agent has not begun.
 * - `moved`: its agent has not begun because it works on other tasks, and another agent is free.
 * - `late`: its agent has not answered by the deadline, although it has begun, or had no other task and a step with a
 *   `timeoutMs` of its own. This alone counts as an attempt that failed.
 * - `over`: the result is no longer needed.
 * - `invalid`: its result does not fit the output schema of the capability; of a review, it is no verdict. A failed attempt.
 * - `refused`: a reviewer did not accept its result. A failed attempt.
 */
export const CancelCause = z.enum(['lost', 'silent', 'moved', 'late', 'over', 'invalid', 'refused']);
export type CancelCause = z.infer<typeof CancelCause>;

/** The result of this attempt is no longer needed. `task.<agent>.cancelled`, from the Architect. */
export const TaskCancelled = z.object({
  ...TaskAttempt.shape,
  reason: text(LIMITS.reasonLength),
  cause: CancelCause.optional().catch(undefined),
});
export type TaskCancelled = z.output<typeof TaskCancelled>;

/**
 * The agent has reported nothing for so long, has no open question, and keeps the task until its deadline. `task.<agent>.stalled`, from
 * the Architect.
 */
export const TaskStalled = z.object({ ...TaskAttempt.shape, silentMs: z.number().int().nonnegative() });
export type TaskStalled = z.output<typeof TaskStalled>;

/** What a reviewer gives: whether the result counts, and if not, why. */
export const TaskVerdict = z.object({ accepted: z.boolean(), reason: text(LIMITS.taskErrorLength).default('') });
export type TaskVerdict = z.output<typeof TaskVerdict>;

/** An answer of the agent could not be understood, and changed nothing. `task.<agent>.rejected`, from the Architect. */
export const TaskRejected = z.object({
  /** Of the answer. */
  eventId: z.uuid(),
  reason: text(LIMITS.reasonLength, 1),
});
export type TaskRejected = z.output<typeof TaskRejected>;
