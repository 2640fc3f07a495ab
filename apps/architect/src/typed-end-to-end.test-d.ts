// One schema from the Architect to the worker: a field of a task that is renamed there fits neither of them any more.
import { serveTasks, type TaskHandler, type TypedEvents } from '@hypercode/client';
import { architectEvents, defineEvents, type EventData, type EventInput, TaskAssigned } from '@hypercode/contracts';
import { expectTypeOf, test } from 'vitest';
import type { announce } from './conducting/announce.ts';

const { input: payload, ...rest } = TaskAssigned.shape;
const renamed = defineEvents({
  ...architectEvents.schemas,
  'task.*.assigned': TaskAssigned.omit({ input: true }).extend({ payload }),
});
type Renamed = typeof renamed;
type RenamedTask = EventData<Renamed, 'task.*.assigned'>;

test('the Architect assigns by the schema', () => {
  type Bus = Parameters<typeof announce>[0];
  type Assigned = `task.${string}.assigned`;
  expectTypeOf<Pick<TypedEvents<typeof architectEvents>, 'publish'>>().toExtend<Bus>();
  expectTypeOf<EventInput<typeof architectEvents, Assigned>>().not.toExtend<EventInput<Renamed, Assigned>>();
});

test('a worker is given what the schema says', () => {
  expectTypeOf<Parameters<TaskHandler>[0]>().toEqualTypeOf<EventData<typeof architectEvents, 'task.*.assigned'>>();
  expectTypeOf<keyof typeof rest | 'input'>().toEqualTypeOf<keyof Parameters<TaskHandler>[0]>();
  expectTypeOf<(task: RenamedTask) => null>().not.toExtend<TaskHandler>();
  expectTypeOf(serveTasks).parameter(1).toEqualTypeOf<Readonly<Record<string, TaskHandler>>>();
});

test('what the worker of the examples reads is not there under another name', () => {
  const read = ({ input, dependencies, title }: Parameters<TaskHandler>[0]) => [input, dependencies, title];
  expectTypeOf<RenamedTask>().not.toExtend<Parameters<typeof read>[0]>();
  // @ts-expect-error: there is no input any more.
  const other = ({ input }: RenamedTask) => input;
  expectTypeOf(other).toBeFunction();
});
