// Which procedures are audited: a new one that changes something cannot be left out.
import { procedures } from '@hypercode/contracts';
import { expect, test } from 'vitest';
import { ACTS } from './acts.ts';

/** What an operator or an admin may do that another log has: that of events, and for registrations the change log of the registry. */
const ON_ANOTHER_LOG = [
  'bus.publish',
  'bus.publishMany',
  'bus.claim',
  'bus.ack',
  'bus.nack',
  'bus.extend',
  'goals.submit',
  'goals.cancel',
  'plans.retry',
  'questions.answer',
  'registry.register',
];

const mutations = procedures.filter(([, { kind }]) => kind === 'mutation');

test('every procedure with which an operator or an admin changes something is audited, unless another log has it', () => {
  const acts = mutations.filter(([, { rights }]) => rights.admin !== undefined || rights.operator !== undefined);
  const left = acts.filter(([, { audited }]) => audited !== true).map(([name]) => name);
  expect(left.toSorted()).toEqual(ON_ANOTHER_LOG.toSorted());
});

test('nothing that only reads is audited', () => {
  const reads = procedures.filter(([, { kind }]) => kind !== 'mutation');
  expect(reads.filter(([, { audited }]) => audited !== undefined)).toEqual([]);
});

test('what is recorded of an act is stated for audited procedures alone', () => {
  const audited = mutations.filter((entry) => entry[1].audited === true).map(([name]) => name);
  expect(audited).toEqual(expect.arrayContaining(Object.keys(ACTS)));
});
