// The events of tasks that `serveTasks` reads and writes. They are those of `architectEvents` in contracts, whose schemas
// browsers do not load: what the core took is trusted, and only what the worker relies on is checked again.
import {
  defineEvents,
  jsonFault,
  type StandardSchemaV1,
  type TaskAccepted,
  type TaskAssigned,
  type TaskCancelled,
  type TaskCompleted,
  type TaskFailed,
  type TaskProgress,
} from '@hypercode/contracts';
import { validate as isUuid } from 'uuid';
import { isRecord } from '../transport/json.ts';

type Check = (value: unknown) => boolean;

const isString: Check = (value) => typeof value === 'string';
const isTime: Check = (value) => typeof value === 'string' && !Number.isNaN(Date.parse(value));
const isAttempt: Check = (value) => Number.isSafeInteger(value) && Number(value) > 0;
const isStorable: Check = (value) => jsonFault(value) === null;
const attempt = { planId: isUuid, taskId: isString, attempt: isAttempt };

/** An object whose fields pass their checks; fields that are missing are taken from `defaults`. */
function record<Data extends object>(
  checks: Readonly<Partial<Record<keyof Data & string, Check>>>,
  defaults: Partial<Data> = {},
): StandardSchemaV1<Data> {
  const validate = (value: unknown): ReturnType<StandardSchemaV1<Data>['~standard']['validate']> => {
    if (!isRecord(value)) return { issues: [{ message: 'must be an object' }] };
    const issues = Object.entries<Check | undefined>(checks)
      .filter(([field, isValid]) => isValid?.(value[field]) === false)
      .map(([field]) => ({ message: 'is missing or not valid', path: [field] }));
    return issues.length > 0 ? { issues } : { value: { ...defaults, ...value } as Data };
  };
  return { '~standard': { version: 1, vendor: 'hypercode', validate } };
}

export const taskEvents = defineEvents({
  'task.*.assigned': record<TaskAssigned>(
    { ...attempt, goalId: isUuid, capability: isString, deadlineAt: isTime },
    { input: null, dependencies: {}, incarnation: null },
  ),
  'task.*.cancelled': record<TaskCancelled>({ ...attempt, reason: isString }),
  'task.*.accepted': record<TaskAccepted>(attempt),
  'task.*.progress': record<TaskProgress>({ ...attempt, progress: Number.isFinite }),
  'task.*.completed': record<TaskCompleted>({ ...attempt, output: isStorable }, { output: null }),
  'task.*.failed': record<TaskFailed>(attempt),
});
