// What is understood of answers and goals that are not in the form of their schemas.
import { LIMITS } from '@hypercode/contracts';
import { expect, test } from 'vitest';
import { OURS, planIn, PlanEvents, step } from '../test/plan-events.ts';
import { plainly } from './liberal-reading.ts';

const errorOf = (data: object) => Object(plainly('task.failed', data)).error;

test.each([
  ['a text', { error: 'no luck' }, { message: 'no luck', retryable: true }],
  ['nothing', {}, { message: 'no reason given', retryable: true }],
  ['null', { error: null }, { message: 'no reason given', retryable: true }],
  ['an empty message', { error: { message: ' ' } }, { message: '{"message":" "}', retryable: true }],
  ['an object without a message', { error: { code: 7 } }, { message: '{"code":7}', retryable: true }],
  ['a list', { error: ['a', 'b'] }, { message: '["a","b"]', retryable: true }],
  ['a message that is no text', { error: { message: 42, retryable: false } }, { message: '42', retryable: false }],
  ['a message beside it', { message: 'no luck', retryable: false }, { message: 'no luck', retryable: false }],
  ['retryable as text', { error: { message: 'x', retryable: 'false' } }, { message: 'x', retryable: false }],
])('an error that is %s is understood', (_, data, error) => {
  expect(errorOf(data)).toEqual(error);
});

test('a message that is too long is cut, and keeps whole characters', () => {
  const { message } = errorOf({ error: { message: '🌊'.repeat(LIMITS.taskErrorLength) } });
  expect(message.length).toBeLessThanOrEqual(LIMITS.taskErrorLength);
  expect(message.isWellFormed()).toBe(true);
  expect(message).toMatch(/^🌊+…$/u);
  expect(errorOf({ error: { message: 'a\0b' } }).message).toBe('ab');
});

test.each([
  [1.5, 1],
  [55, 1],
  [-0.2, 0],
  ['0.5', 0.5],
  [0.25, 0.25],
  ['half', 'half'],
  [null, null],
])('a progress of %j is %j', (progress, read) => {
  expect(plainly('task.progress', { progress })).toEqual({ progress: read });
});

test('a failure of another form ends its attempt', () => {
  const log = new PlanEvents();
  const planId = log.create([step('a')]);
  log.assign('ada', { planId, taskId: 'a', attempt: 1 });
  log.publish(
    'task.ada.failed',
    { planId, taskId: 'a', attempt: '1', error: 'x'.repeat(10_000) },
    '/agents/default/ada',
  );
  const task = planIn(log.follow(OURS), planId).tasks.get('a');
  expect(task).toMatchObject({ assignment: null, failed: 1, failure: { message: expect.stringMatching(/^x+…$/) } });
});
