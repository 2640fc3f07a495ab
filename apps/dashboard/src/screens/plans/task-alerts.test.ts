import { expect, test } from 'vitest';
import { alertOf, type Task } from './task-alerts.ts';

const AT = '2026-05-01T12:00:00.000Z';
const question = (endedAt: string | null) => ({ agent: 'ada', questionId: 'q', text: 'Deploy?', askedAt: AT, endedAt });

const task = (fields: object, stalledAt: string | null = null): Task =>
  ({
    status: 'assigned',
    questions: [],
    attempts: [{ attempt: 1, agent: 'ada', stalledAt }],
    ...fields,
  }) as unknown as Task;

test('a task asks as long as one of its questions is open', () => {
  expect(alertOf(task({ questions: [question(AT), question(null)] }))).toEqual({
    kind: 'asks',
    questions: [question(null)],
  });
  expect(alertOf(task({ questions: [question(AT)] }))).toBeNull();
});

test('a silent attempt is stalled, unless it asks, and not any more when the task has ended', () => {
  expect(alertOf(task({}, AT))).toEqual({ kind: 'stalled', agent: 'ada', since: AT });
  expect(alertOf(task({ questions: [question(null)] }, AT))).toMatchObject({ kind: 'asks' });
  expect(alertOf(task({ status: 'completed' }, AT))).toBeNull();
});
