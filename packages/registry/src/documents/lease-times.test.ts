import { expect, test } from 'vitest';
import { flushMsOf, isLapsed } from './lease-times.ts';

const leaseMs = 30_000;
const judgedMs = leaseMs + 2 * flushMsOf(leaseMs);

test.each([
  ['an agent that was never seen has not lapsed', null, null, false],
  ['an agent that is silent for less than the judge waits has not lapsed', judgedMs, null, false],
  ['an agent that is silent for longer has lapsed', judgedMs + 1, null, true],
  ['an agent with an open stream has not lapsed', judgedMs + 1, 3 * flushMsOf(leaseMs), false],
  ['an agent whose stream has ended has lapsed', judgedMs + 1, 3 * flushMsOf(leaseMs) + 1, true],
])('%s', (_, silentMs, streamedAgoMs, lapsed) => {
  expect(isLapsed({ silentMs, streamedAgoMs }, leaseMs)).toBe(lapsed);
});
