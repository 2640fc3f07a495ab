// The order of the rules: of several that hold, the first decides.
import { expect, test } from 'vitest';
import type { CursorPass, GroupFacts, SettledRecord } from '../store/group-fates.ts';
import { fateOf } from './group-fate.ts';

const NOTHING: GroupFacts = {
  group: 'workers',
  began: null,
  topics: ['jobs.*'],
  held: null,
  record: null,
  pass: null,
  missing: null,
};

const held: GroupFacts['held'] = {
  state: 'waiting',
  attempt: 2,
  consumer: 'ann',
  deliveredAt: 1_000,
  dueAt: 2_000,
  history: [{ attempt: 1, consumer: 'bob', deliveredAt: 500, failedAt: 900, reason: 'no' }],
};
const record = (how: SettledRecord['how'], life = 0): SettledRecord => ({
  how,
  life,
  attempt: 1,
  deliveredAt: 1_000,
  settledAt: 1_500,
  by: 'ann',
});
const pass = (how: CursorPass['how'], topics: string[] | null = null, life = 0): CursorPass => ({ how, topics, life });

test.each<[what: string, facts: Partial<GroupFacts>, state: string]>([
  ['what is held, before its record', { held, record: record('acked'), pass: pass('seek') }, 'waiting'],
  ['a record, before how the cursor passed', { record: record('acked'), pass: pass('seek') }, 'acked'],
  ['a record, before that it is read again', { record: record('discarded') }, 'discarded'],
  [
    'what a seek released, and was not read again',
    { record: record('dropped', 3), pass: pass('read', ['>'], 3) },
    'skipped',
  ],
  ['a later seek, before what was released', { record: record('dropped', 3), pass: pass('read', ['>'], 4) }, 'unknown'],
  ['a seek back, before what was released', { record: record('dropped', 3) }, 'unread'],
  ['the topics of when it was passed, before those in force', { pass: pass('read', ['other']) }, 'not_matching'],
  ['no record of what was read', { pass: pass('read', ['>']), topics: ['other'] }, 'unknown'],
  ['where the group began, before its topics', { pass: pass('before'), topics: ['other'] }, 'before_group'],
  ['the topics in force, of what is ahead', { topics: ['other'], missing: 'retention' }, 'not_matching'],
  ['what the log no longer has', { missing: 'retention' }, 'skipped'],
  ['nothing', {}, 'unread'],
])('%s', (_what, facts, state) => {
  expect(fateOf({ ...NOTHING, ...facts }, 'jobs.done').state).toBe(state);
});

test('what is held is told with its history and its times', () => {
  expect(fateOf({ ...NOTHING, held, began: { epoch: 'e', seq: 0, nonce: 0 } }, 'jobs.done')).toEqual({
    group: 'workers',
    state: 'waiting',
    since: 'e-0-0',
    attempt: 2,
    consumer: 'ann',
    settledBy: null,
    deliveredAt: '1970-01-01T00:00:01.000Z',
    dueAt: '1970-01-01T00:00:02.000Z',
    settledAt: null,
    reason: 'no',
    history: [
      {
        attempt: 1,
        consumer: 'bob',
        deliveredAt: '1970-01-01T00:00:00.500Z',
        failedAt: '1970-01-01T00:00:00.900Z',
        reason: 'no',
      },
    ],
  });
});

test('what a seek released and went forward over is given with the attempt that it released', () => {
  const facts = { ...NOTHING, record: record('dropped', 3), pass: pass('seek', [], 4) };
  expect(fateOf(facts, 'jobs.done')).toMatchObject({ state: 'skipped', reason: 'seek', attempt: facts.record.attempt });
});
