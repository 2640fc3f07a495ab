import { type GroupFate, GroupFateState, StreamState } from '@hypercode/contracts';
import { expect, test } from 'vitest';
import { fateWords, STREAM_WORDS } from './fate-words.ts';

const fate = (fields: Partial<GroupFate>): GroupFate => ({
  group: 'mail',
  state: 'unread',
  since: null,
  attempt: null,
  consumer: null,
  settledBy: null,
  deliveredAt: null,
  dueAt: null,
  settledAt: null,
  reason: null,
  history: [],
  ...fields,
});

test('every state of an event in a group and on a stream has words', () => {
  for (const state of GroupFateState.options) expect(fateWords(fate({ state })).title, state).not.toBe('');
  for (const state of StreamState.options) expect(STREAM_WORDS[state].title, state).not.toBe('');
});

test('an acknowledged event names who acknowledged it, and a dead letter why it died', () => {
  expect(fateWords(fate({ state: 'acked', consumer: 'ada', settledBy: 'ada' })).title).toBe('acknowledged by ada');
  expect(fateWords(fate({ state: 'dead', attempt: 5, reason: 'no disk' })).why).toBe(
    'no disk at attempt 5. Redrive or discard it.',
  );
});

test('a skipped event says who or what moved the group past it', () => {
  expect(fateWords(fate({ state: 'skipped', reason: 'seek' })).why).toBe('An operator moved the group past it.');
});
