// A checkpoint: all that is known of a running plan, published again, so that the plan outlives the events that it was
// made of. It is a list of entries as JSON text, cut into as many events as it needs. It is text because an entry can
// be larger and nested deeper than an event may be: it is made of events that may already be as large and as deep as is
// allowed.
import { AgentName, PlannerName, PlanTask, TaskCompleted, TaskId } from '@hypercode/contracts';
import { z } from 'zod';
import { NOT_HELD } from './holds.ts';
import { Lapses } from './lapses.ts';
import type { Plan } from './plan.ts';
import { AttemptRecord } from './task-attempt.ts';

const Attempt = z.number().int().positive();
/** An Architect before these were added wrote none. */
const Hold = z.object({ heldMs: z.number(), heldSince: z.number().nullable() }).default(NOT_HELD);
const Question = z.object({
  agent: AgentName,
  questionId: z.uuid(),
  text: z.string(),
  attempt: Attempt.nullable(),
  askedAt: z.number(),
  endedAt: z.number().nullable(),
});
const Approval = z.object({
  state: z.enum(['waiting', 'approved', 'rejected']),
  by: z.string().nullable(),
  comment: z.string().nullable(),
  question: Question.nullable(),
  asked: z.number().int().nonnegative(),
});
const Assignment = z.object({
  agent: AgentName,
  attempt: Attempt,
  incarnation: z.uuid().nullable(),
  assignedAt: z.number(),
  deadlineAt: z.number(),
  spanMs: z.number().default(0),
  acceptBy: z.number().nullable().default(null),
  accepted: z.boolean(),
  progress: z.number(),
  hold: Hold,
  heldBefore: z.number().default(0),
  signAt: z.number().optional(),
  stalledAt: z.number().nullable().default(null),
});
const Failure = z.object({ agent: AgentName, message: z.string(), retryable: z.boolean(), at: z.number() });

const Lapse = z.object({
  agent: AgentName,
  capability: z.string().nullable(),
  incarnation: z.uuid().nullable(),
  count: Attempt,
  pauses: z.number().int().nonnegative(),
  at: z.number(),
});

const CheckpointEntry = z.discriminatedUnion('kind', [
  z.object({
    kind: z.literal('plan'),
    goalId: z.uuid(),
    title: z.string(),
    submittedAt: z.number(),
    owner: z.string(),
    planner: PlannerName,
    missing: z.array(z.string()),
    deadlineAt: z.number().nullable(),
    cancelReason: z.string().nullable(),
    retries: z.number().int().nonnegative().default(0),
    retriedAt: z.number().nullable().default(null),
    hold: Hold,
    approval: Approval.nullable().default(null),
    /** Of the agents that have tried its tasks. */
    lapses: z.array(Lapse).default([]),
  }),
  z.object({ kind: z.literal('task'), spec: PlanTask }),
  z.object({
    kind: z.literal('state'),
    taskId: TaskId,
    attempts: z.array(z.tuple([Attempt, AgentName])),
    failed: z.number().int().nonnegative().optional(),
    forgiven: z.number().int().nonnegative().default(0),
    endedAt: z.number().nullable().default(null),
    assignment: Assignment.nullable(),
    failure: Failure.nullable(),
    /** An Architect before these were added wrote none. */
    records: z.array(AttemptRecord).default([]),
    voided: z.array(Attempt).default([]),
    heldMs: z.number().default(0),
    questions: z.array(Question).default([]),
  }),
  z.object({
    kind: z.literal('result'),
    taskId: TaskId,
    agent: AgentName,
    attempt: Attempt,
    output: TaskCompleted.shape.output,
    position: z.string().nullable().default(null),
  }),
]);
export type CheckpointEntry = z.output<typeof CheckpointEntry>;

/** One event of a checkpoint. `architect.<name>.checkpoint`. */
export const CheckpointPart = z.object({
  planId: z.uuid(),
  /** The same in all parts. */
  checkpointId: z.uuid(),
  /** From 1 to `parts`. */
  part: z.number().int().positive(),
  parts: z.number().int().positive(),
  /** A piece of the text, which all parts together make: the JSON of the entries. */
  text: z.string(),
});
export type CheckpointPart = z.output<typeof CheckpointPart>;

/**
 * The text of one part. 60,000 code points fit into an event of 256 KiB: each takes at most four bytes, also as JSON in
 * JSON.
 */
const PART_TEXT = /[^]{1,60000}/gu;

/**
 * The parts of a checkpoint of a running plan. `lapses`: those of all agents. Throws when the plan has not been created.
 */
export function checkpointOf(plan: Plan, checkpointId: string, lapses: Lapses = new Lapses()): CheckpointPart[] {
  const texts = JSON.stringify([...entriesOf(plan, lapses)]).match(PART_TEXT) ?? [];
  const { planId } = plan;
  return texts.map((text, index) => ({ planId, checkpointId, part: index + 1, parts: texts.length, text }));
}

/** The entries in all the parts of a checkpoint; null when they cannot be read. */
export function entriesIn(parts: readonly CheckpointPart[]): CheckpointEntry[] | null {
  try {
    return z.array(CheckpointEntry).parse(JSON.parse(parts.map(({ text }) => text).join('')));
  } catch {
    return null;
  }
}

function* entriesOf(plan: Plan, allLapses: Lapses): Generator<CheckpointEntry> {
  const { goalId, title, submittedAt, owner, planner, deadlineAt, cancelReason, retries, retriedAt, hold, approval } =
    plan;
  if (owner === null || planner === null) throw new Error('a plan that was not created has no checkpoint');
  const missing = [...plan.missing];
  const agents = new Set([...plan.tasks.values()].flatMap(({ attempts }) => [...attempts.values()]));
  const lapses = [...allLapses.among(agents)];
  const head = {
    goalId,
    title,
    submittedAt,
    owner,
    planner,
    missing,
    deadlineAt,
    cancelReason,
    retries,
    retriedAt,
    hold,
    approval,
  };
  yield { kind: 'plan', ...head, lapses };
  for (const { spec } of plan.tasks.values()) yield { kind: 'task', spec };
  for (const task of plan.tasks.values()) {
    const { spec, attempts, records, failed, forgiven, endedAt, assignment, failure, result, heldMs } = task;
    const { taskId } = spec;
    if (attempts.size > 0) {
      const counts = {
        attempts: [...attempts],
        failed,
        forgiven,
        voided: [...task.voided],
        heldMs,
        questions: [...task.questions],
      };
      yield { kind: 'state', taskId, ...counts, endedAt, assignment, failure, records: [...records.values()] };
    }
    if (result === null) continue;
    const { agent, attempt, output, position } = result;
    yield { kind: 'result', taskId, agent, attempt, output, position };
  }
}
