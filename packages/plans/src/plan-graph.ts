// Checks a plan before it is published: its tasks can all run, and it fits into one event.
import { type GoalSubmission, invalidField, type Json, LIMITS, type PlanTask } from '@hypercode/contracts';
import { ENVELOPE_BYTES, jsonBytes, refBytes } from './event-room.ts';

/** Most faults that are reported of one plan. */
const REPORTED_FAULTS = 20;
/** Tasks of a cycle that are named. */
const NAMED_TASKS = 10;

/** INVALID_INPUT, with every reason, when the steps of a goal are no valid plan. */
export function assertPlannable({ steps }: Pick<GoalSubmission, 'steps'>): void {
  if (steps === undefined) return;
  const [first, ...alsoReasons] = planFaults(steps.map(({ id, ...step }) => ({ taskId: id, ...step })));
  if (first !== undefined) throw invalidField('steps', first, { alsoReasons });
}

/**
 * The faults of a plan, in words for people; empty when it has none. Faults are: no tasks or too many, an id that is
 * given twice, a task that depends on itself, on a task twice or on an unknown task, a cycle, and a `plan.created` or an
 * assignment that does not fit into one event. Takes time linear in the size of the plan.
 */
export function planFaults(tasks: readonly PlanTask[]): string[] {
  if (tasks.length === 0) return ['the plan has no tasks'];
  if (tasks.length > LIMITS.planTasks) {
    return [`the plan has ${tasks.length} tasks; the limit is ${LIMITS.planTasks}`];
  }
  const needs = new Map<string, Set<string>>();
  const faults: string[] = [];
  for (const { taskId, dependsOn } of tasks) {
    if (needs.has(taskId)) faults.push(`the task id "${taskId}" is given more than once`);
    else needs.set(taskId, new Set(dependsOn));
  }
  for (const { taskId, dependsOn } of tasks) {
    const seen = new Set<string>();
    for (const needed of dependsOn) {
      if (seen.has(needed)) faults.push(`the task "${taskId}" depends on "${needed}" more than once`);
      else if (needed === taskId) faults.push(`the task "${taskId}" depends on itself`);
      else if (!needs.has(needed))
        faults.push(`the task "${taskId}" depends on "${needed}", which is not a task of the plan`);
      seen.add(needed);
    }
  }
  for (const cycle of cyclesOf(needs)) faults.push(`the tasks depend on each other in a cycle: ${cycleInWords(cycle)}`);
  faults.push(...sizeFaults(tasks));
  const unreported = faults.length - REPORTED_FAULTS;
  return unreported > 0 ? [...faults.slice(0, REPORTED_FAULTS), `and ${unreported} more`] : faults;
}

/** What does not fit into one event: the plan; if that does, the assignment of a task that depends on many. */
function sizeFaults(tasks: readonly PlanTask[]): string[] {
  const limit = LIMITS.eventBytes;
  const bytes = bytesOf(tasks);
  if (bytes > limit) return [`the plan is too large: as one event it takes ${bytes} bytes; the limit is ${limit}`];
  return tasks.flatMap(({ taskId, input, dependsOn }) => {
    const needed = smallestAssignment(input, dependsOn);
    if (needed <= limit) return [];
    const what = `with its input and references to ${dependsOn.length} outputs it takes ${needed} bytes as one event`;
    return [`the task "${taskId}" cannot be assigned: ${what}; the limit is ${limit}`];
  });
}

/**
 * Cycles that have no task in common, each task followed by one that it depends on; none only if there is no cycle at
 * all.
 */
function cyclesOf(needs: ReadonlyMap<string, ReadonlySet<string>>): string[][] {
  const stuck = neverReady(needs);
  const cycles: string[][] = [];
  const walked = new Set<string>();
  for (const start of stuck) {
    const path = new Map<string, number>();
    let task: string | undefined = start;
    while (task !== undefined && !walked.has(task)) {
      walked.add(task);
      path.set(task, path.size);
      task = firstStuck(needs.get(task) ?? [], task, stuck);
    }
    const begin = task === undefined ? undefined : path.get(task);
    if (begin !== undefined) cycles.push([...path.keys()].slice(begin));
  }
  return cycles;
}

function firstStuck(needed: Iterable<string>, self: string, stuck: ReadonlySet<string>): string | undefined {
  for (const task of needed) if (task !== self && stuck.has(task)) return task;
  return undefined;
}

/** The tasks that never become ready (Kahn's algorithm). Dependencies on itself and on unknown tasks are ignored. */
function neverReady(needs: ReadonlyMap<string, ReadonlySet<string>>): Set<string> {
  const dependants = new Map<string, string[]>([...needs.keys()].map((task) => [task, []]));
  const waitingFor = new Map<string, number>();
  const ready: string[] = [];
  for (const [task, needed] of needs) {
    let count = 0;
    for (const other of needed) {
      if (other === task || !needs.has(other)) continue;
      dependants.get(other)?.push(task);
      count += 1;
    }
    waitingFor.set(task, count);
    if (count === 0) ready.push(task);
  }
  const stuck = new Set(needs.keys());
  for (let task = ready.pop(); task !== undefined; task = ready.pop()) {
    stuck.delete(task);
    for (const dependant of dependants.get(task) ?? []) {
      const left = (waitingFor.get(dependant) ?? 0) - 1;
      waitingFor.set(dependant, left);
      if (left === 0) ready.push(dependant);
    }
  }
  return stuck;
}

/** Each task is followed by one that it depends on: "a → b → a". */
function cycleInWords(cycle: readonly string[]): string {
  const left = cycle.length - NAMED_TASKS;
  const named = left > 0 ? [...cycle.slice(0, NAMED_TASKS), `(${left} more)`] : cycle;
  return [...named, cycle[0]].join(' → ');
}

/** The bytes that a task needs in its assignment, if all outputs that it depends on are references. */
const smallestAssignment = (input: Json | undefined, dependsOn: readonly string[]): number =>
  dependsOn.reduce((sum, id) => sum + refBytes(id), ENVELOPE_BYTES + jsonBytes(input ?? null));

/** At most as large as the event can become: every capability may turn out to be missing. */
function bytesOf(tasks: readonly PlanTask[]): number {
  const capabilities = [...new Set(tasks.map(({ capability }) => capability))];
  return jsonBytes([tasks, capabilities]) + ENVELOPE_BYTES;
}
