// What callers are shown of a plan: its tasks, their attempts, and what they gave.
import { z } from 'zod';
import { PlannerName } from './plan.ts';
import { json } from './text.ts';

export const PlanStatus = z.enum(['planning', 'running', 'completed', 'failed', 'cancelled']);
export type PlanStatus = z.infer<typeof PlanStatus>;
export const TaskStatus = z.enum(['waiting', 'ready', 'assigned', 'completed']);
export type TaskStatus = z.infer<typeof TaskStatus>;

/**
 * How an attempt ended:
 * - `running`: it has not.
 * - `completed`, `failed`: as its agent reported. A result that comes after another end counts, too. A result that does not fit the
 *   output schema of the capability, or that a reviewer does not accept, is a failure.
 * - `timed_out`: there was no answer by its deadline.
 * - `not_accepted`: its agent did not begin in time.
 * - `moved`: another agent was free, while its agent worked on other tasks.
 * - `lost`: its agent left, was restarted, became unhealthy or drained.
 * - `cancelled`: the result was no longer needed.
 * - `unknown`: the events that say it are no longer on the bus.
 */
export const AttemptOutcome = z.enum([
  'running',
  'completed',
  'failed',
  'timed_out',
  'not_accepted',
  'moved',
  'lost',
  'cancelled',
  'unknown',
]);
export type AttemptOutcome = z.infer<typeof AttemptOutcome>;

const Time = z.iso.datetime();

/** What a person is asked, and the plan or one of its tasks waits for. */
export const PlanQuestion = z.object({
  agent: z.string().describe('Who asks.'),
  questionId: z.uuid(),
  text: z.string().describe('Its beginning.'),
  askedAt: Time,
  endedAt: Time.nullable().describe('Null while it is open.'),
});
export type PlanQuestion = z.infer<typeof PlanQuestion>;

/**
 * - `waiting`: a person has to approve the plan before its first task is assigned.
 * - `approved`, `rejected`: a person has decided.
 */
export const PlanApproval = z.object({
  state: z.enum(['waiting', 'approved', 'rejected']),
  by: z.string().nullable().describe('Who decided.'),
  question: PlanQuestion.nullable().describe('The question to people; null before it is asked.'),
});
export type PlanApproval = z.infer<typeof PlanApproval>;

const PlanHead = z.object({
  planId: z.uuid(),
  goalId: z.uuid(),
  title: z.string(),
  status: PlanStatus,
  planner: PlannerName.nullable(),
  reason: z.string().nullable().describe('Why it failed or was cancelled.'),
  missing: z.array(z.string()).describe('Capabilities that no agent offered when the plan was created.'),
  submittedAt: Time,
  deadlineAt: Time.nullable(),
  endedAt: Time.nullable(),
  retries: z.number().int().describe('How often it has failed and was retried.'),
});

export const PlanSummary = z.object({
  ...PlanHead.shape,
  tasks: z.object({
    total: z.number().int(),
    completed: z.number().int(),
    assigned: z.number().int(),
  }),
});
export type PlanSummary = z.infer<typeof PlanSummary>;

/** Null: the events that say it are no longer on the bus. */
export const AttemptView = z.object({
  attempt: z.number().int().positive(),
  agent: z.string(),
  assignedAt: Time.nullable(),
  acceptedAt: Time.nullable().describe('Null also when the agent did not begin.'),
  stalledAt: Time.nullable()
    .default(null)
    .describe('When the Architect noticed that the agent reports nothing; null when it did report since.'),
  deadlineAt: Time.nullable().describe('As progress has moved it.'),
  endedAt: Time.nullable(),
  outcome: AttemptOutcome,
  error: z.string().nullable().describe('Why it ended without a result.'),
  because: z.string().nullable().describe('Why this agent was chosen.'),
});
export type AttemptView = z.infer<typeof AttemptView>;

export const TaskView = z.object({
  taskId: z.string(),
  title: z.string(),
  capability: z.string(),
  dependsOn: z.array(z.string()),
  status: TaskStatus,
  agent: z.string().nullable().describe('The agent that completed the task, or that has it now.'),
  attempt: z.number().int().describe('Of the last attempt; 0 before the first.'),
  progress: z.number().describe('0 to 1.'),
  deadlineAt: Time.nullable(),
  error: z.string().nullable().describe('Of the last attempt that failed or timed out.'),
  attempts: z.array(AttemptView).describe('The latest 32, the newest last; fewer in a plan with very many.'),
  reviews: z.string().nullable().default(null).describe('The task whose result this one reviews.'),
  questions: z
    .array(PlanQuestion)
    .default([])
    .describe('What the attempt asks people, the newest last; while one is open, its deadline stands still.'),
});
export type TaskView = z.infer<typeof TaskView>;

/** An answer that could not be understood. */
const RejectionView = z.object({
  eventId: z.uuid(),
  source: z.string(),
  topic: z.string(),
  reason: z.string(),
  at: Time,
});

export const PlanView = z
  .object({
    ...PlanHead.shape,
    tasks: z.array(TaskView),
    approval: PlanApproval.nullable().default(null).describe('Null: none is needed.'),
    outputs: z
      .record(z.string(), json)
      .describe(
        'Of the completed tasks, by task id. `{ "ref": position }` stands for an output that is longer than 64 KiB, and for those that ' +
          'came after 512 KiB: `GET /v1/events?topics=task.*.completed&at=<position>` reads it.',
      ),
    rejections: z.array(RejectionView).describe('The newest answers to its tasks that could not be understood.'),
  })
  .meta({ id: 'PlanView' });
export type PlanView = z.infer<typeof PlanView>;
