// A plan written down again, so that it outlives the events that it was made of: as a list of entries, in as many events as it
// takes. Together they say all that the Architect knows of a running plan.
import { AgentName, LIMITS, PlannerName, PlanTask, TaskCompleted, TaskId } from '@hypercode/contracts';
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

export const CheckpointEntry = z.discriminatedUnion('kind', [
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
  entries: z.array(CheckpointEntry),
});
export type CheckpointPart = z.output<typeof CheckpointPart>;

/** Bytes of entries in one event, unless a single entry is larger. */
const PART_BYTES = LIMITS.eventBytes / 2;

/** The parts of a checkpoint of a running plan. */
export function checkpointOf(plan: Plan, checkpointId: string): CheckpointPart[] {
  const lists: CheckpointEntry[][] = [];
  let bytes = Infinity;
  for (const entry of entriesOf(plan)) {
    const size = Buffer.byteLength(JSON.stringify(entry)) + 1;
    if (bytes + size > PART_BYTES) {
      lists.push([]);
      bytes = 0;
    }
    lists.at(-1)?.push(entry);
    bytes += size;
  }
  return lists.map((entries, index) => ({
    planId: plan.planId,
    checkpointId,
    part: index + 1,
    parts: lists.length,
    entries,
  }));
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
