// The ids of what is said about tasks, as every language computes them.
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { taskEventId } from './task-event-id.ts';

const planId = '6ba7b810-9dad-41d1-80b4-00c04fd430c8';
const KINDS = ['assigned', 'accepted', 'completed', 'failed', 'cancelled'] as const;
const attempts = fc.record({
  planId: fc.uuid(),
  taskId: fc.stringMatching(/^[A-Za-z0-9][A-Za-z0-9_.-]{0,20}$/),
  attempt: fc.integer({ min: 1, max: 1_000 }),
});

test('is what uuid5 of Python gives for the same name', () => {
  expect(KINDS.map((kind) => taskEventId({ planId, taskId: 'collect.1', attempt: 2 }, kind))).toEqual([
    'caee4f95-705b-57b8-8889-05937d9ca1b7',
    'ee7d09a7-79fa-521e-9f39-91aafadcfa2d',
    'cc85c69f-9e00-57f2-8529-e9d6cc763695',
    '0d54c79d-142c-5dc2-8d76-45352c52c47c',
    '866af89f-7ded-5af1-93bf-37a64006f32f',
  ]);
});

test('the id of an event about a task is the same each time', () => {
  fc.assert(
    fc.property(attempts, fc.constantFrom(...KINDS), (attempt, kind) => {
      expect(taskEventId({ ...attempt }, kind)).toBe(taskEventId(attempt, kind));
    }),
  );
});

test('plans, tasks, attempts and kinds have ids of their own', () => {
  const named = fc.tuple(attempts, fc.constantFrom(...KINDS));
  fc.assert(
    fc.property(named, named, ([one, kind], [other, otherKind]) => {
      fc.pre(JSON.stringify([one, kind]) !== JSON.stringify([other, otherKind]));
      expect(taskEventId(one, kind)).not.toBe(taskEventId(other, otherKind));
    }),
  );
});
