// A plan written down again, so that it outlives the events that it was made of: a list of entries as JSON text, in as many
// events as it takes. Together they say all that the Architect knows of a running plan. As text, since entries are larger and
// nested deeper than the events that they were made of, which may themselves have been as large and as deep as an event can be.
import { AgentName, PlannerName, PlanTask, TaskCompleted, TaskId } from '@hypercode/contracts';
import { z } from 'zod';
import type { Plan, Task } from './plan.ts';

const Attempt = z.number().int().positive();
const Assignment = z.object({
  agent: AgentName,
  attempt: Attempt,
  incarnation: z.uuid().nullable(),
  assignedAt: z.number(),
  deadlineAt: z.number(),
  accepted: z.boolean(),
  progress: z.number(),
});
const Failure = z.object({ agent: AgentName, message: z.string(), retryable: z.boolean(), at: z.number() });

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
  }),
  z.object({ kind: z.literal('task'), spec: PlanTask }),
  z.object({
    kind: z.literal('state'),
    taskId: TaskId,
    attempts: z.array(z.tuple([Attempt, AgentName])),
    assignment: Assignment.nullable(),
    failure: Failure.nullable(),
  }),
  z.object({
    kind: z.literal('result'),
    taskId: TaskId,
    agent: AgentName,
    attempt: Attempt,
    output: TaskCompleted.shape.output,
  }),
]);
export type CheckpointEntry = z.output<typeof CheckpointEntry>;

/** One event of a checkpoint. `architect.<name>.checkpoint`. */
export const CheckpointPart = z.object({
  planId: z.uuid(),
  /** Names the checkpoint. */
  checkpointId: z.uuid(),
  /** From 1 to `parts`. */
  part: z.number().int().positive(),
  parts: z.number().int().positive(),
  /** Of all parts together: JSON of the entries. */
  text: z.string(),
});
export type CheckpointPart = z.output<typeof CheckpointPart>;

/** A part's text: 60,000 code points take at most four bytes each, also as JSON in JSON, and so fit into an event of 256 KiB. */
const PART_TEXT = /[^]{1,60000}/gu;

/** The parts of a checkpoint of a running plan. */
export function checkpointOf(plan: Plan, checkpointId: string): CheckpointPart[] {
  const texts = JSON.stringify([...entriesOf(plan)]).match(PART_TEXT) ?? [];
  const { planId } = plan;
  return texts.map((text, index) => ({ planId, checkpointId, part: index + 1, parts: texts.length, text }));
}

/** What all the parts of a checkpoint say together; null when that is nothing that can be read. */
export function entriesIn(parts: readonly CheckpointPart[]): CheckpointEntry[] | null {
  try {
    return z.array(CheckpointEntry).parse(JSON.parse(parts.map(({ text }) => text).join('')));
  } catch {
    return null;
  }
}

function* entriesOf(plan: Plan): Generator<CheckpointEntry> {
  const { goalId, title, submittedAt, owner, planner, deadlineAt, cancelReason } = plan;
  if (owner === null || planner === null) throw new Error('a plan that is not made has no checkpoint');
  const missing = [...plan.missing];
  yield { kind: 'plan', goalId, title, submittedAt, owner, planner, missing, deadlineAt, cancelReason };
  for (const { spec } of plan.tasks.values()) yield { kind: 'task', spec };
  for (const { spec, attempts, assignment, failure, result } of plan.tasks.values()) {
    const { taskId } = spec;
    if (attempts.size > 0) yield { kind: 'state', taskId, attempts: [...attempts], assignment, failure };
    if (result !== null) yield { kind: 'result', taskId, ...result };
  }
}

/** Tasks as a plan's specifications give them: nothing is assigned yet. */
export function tasksOf(specs: readonly PlanTask[]): Map<string, Task> {
  const dependants = new Map<string, string[]>(specs.map(({ taskId }) => [taskId, []]));
  for (const { taskId, dependsOn } of specs) for (const needed of dependsOn) dependants.get(needed)?.push(taskId);
  return new Map(
    specs.map((spec) => [
      spec.taskId,
      {
        spec,
        dependants: dependants.get(spec.taskId) ?? [],
        waitingFor: spec.dependsOn.length,
        attempts: new Map(),
        assignment: null,
        failure: null,
        result: null,
      },
    ]),
  );
}
