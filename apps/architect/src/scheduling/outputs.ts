// Outputs in the events that hand them on: themselves, as far as one event can hold them, and otherwise references to
// the events that they came with.
import {
  extendsOnProgress,
  isOutputRef,
  type Json,
  jsonFault,
  LIMITS,
  type TaskAssigned,
  type TaskOutputs,
} from '@hypercode/contracts';
import { ENVELOPE_BYTES, fitting, keyBytes, lastFailureIn, type Plan, refBytes, type Task } from '@hypercode/plans';
import type { Action } from './action.ts';

/** The data of `task.<agent>.assigned`. */
export function assignmentOf({
  plan,
  task,
  attempt,
  agent,
  because,
  deadlineAt,
  acceptBy,
}: Extract<Action, { kind: 'assign' }>): TaskAssigned {
  const { planId, goalId, tasks } = plan;
  const { taskId, capability, title, input = null, dependsOn } = task.spec;
  const needed = dependsOn.flatMap((id) => tasks.get(id) ?? []);
  // Small ones first: as many as possible are handed on themselves.
  const outputs = needed.map(outputOf).toSorted((a, b) => a.bytes - b.bytes);
  const { handed, omitted } = handOn(outputs, LIMITS.eventBytes - ENVELOPE_BYTES - bytesOf(input));
  return {
    ...{ planId, goalId, taskId, attempt, capability, title, input },
    // What cannot be referred to is in the event all the same, which the core then refuses as too large.
    dependencies: { ...handed, ...Object.fromEntries(omitted.map(({ id, output }) => [id, output])) },
    deadlineAt: new Date(deadlineAt).toISOString(),
    ...(extendsOnProgress(task.spec) ? {} : { extendOnProgress: false }),
    acceptBy: new Date(acceptBy).toISOString(),
    incarnation: agent.incarnation,
    because,
    ...previousOf(task),
  };
}

/** Of the words about the failed attempt before; more of them might not fit into the event. */
const PREVIOUS_CHARACTERS = 256;

function previousOf({ records }: Task): Pick<TaskAssigned, 'previous'> {
  const failed = lastFailureIn(records);
  if (failed === undefined || failed.error === null) return {};
  const { attempt, agent, error } = failed;
  return { previous: { attempt, agent, error: fitting(error, PREVIOUS_CHARACTERS) } };
}

/** The outputs of a completed plan. Those of tasks that no other task depends on are the first to be in the event. */
export function outputsOf({ tasks }: Plan): { outputs: TaskOutputs; omitted: number } {
  const ranked = [...tasks.values()].toSorted((a, b) => rankOf(a) - rankOf(b));
  const { handed, omitted } = handOn(ranked.map(outputOf), LIMITS.eventBytes - ENVELOPE_BYTES);
  return { outputs: handed, omitted: omitted.length };
}

interface Output {
  readonly id: string;
  readonly output: Json;
  readonly position: string | null;
  /** In the event, with its key. */
  readonly bytes: number;
}

/** The outputs in an event with so much room: themselves, the first ones first, or references; `omitted` are neither. */
function handOn(outputs: readonly Output[], roomBytes: number): { handed: TaskOutputs; omitted: readonly Output[] } {
  const handed: [string, Json][] = [];
  const omitted: Output[] = [];
  let room = roomBytes;
  for (const { id, position } of outputs) if (position !== null) room -= refBytes(id);
  for (const one of outputs) {
    const { id, output, position, bytes } = one;
    const reserved = position === null ? 0 : refBytes(id);
    // An output is nested deeper here than in the event that it came with.
    const isPlain = !isOutputRef(output) && jsonFault({ outputs: { [id]: output } }) === null;
    if (isPlain && bytes <= room + reserved) {
      room += reserved - bytes;
      handed.push([id, output]);
    } else if (position === null) omitted.push(one);
    else handed.push([id, { ref: position }]);
  }
  return { handed: Object.fromEntries(handed), omitted };
}

function outputOf({ spec, result }: Task): Output {
  const output = result?.output ?? null;
  const { taskId: id } = spec;
  return { id, output, position: result?.position ?? null, bytes: bytesOf(output) + keyBytes(id) };
}

const bytesOf = (json: Json): number => Buffer.byteLength(JSON.stringify(json));
const rankOf = ({ dependants }: { readonly dependants: readonly string[] }): number =>
  dependants.length === 0 ? 0 : 1;
