// Graces: which pauses of the core begin one, and for which agents.
import { describe, expect, test } from 'vitest';
import { batchesOf, batchMsOf } from '../documents/lease-times.ts';
import { beginsGrace, Graces } from './graces.ts';

const START = Date.parse('2026-01-01T00:00:00Z');
const LEASE_MS = 30_000;
const BATCH_MS = batchMsOf(LEASE_MS, LEASE_MS);

describe('a grace of agents with the lease of the core', () => {
  test.each<[string, number | null, boolean]>([
    ['begins with the core', null, true],
    ['does not begin after a check in time', START - 5000, false],
    ['does not begin after a pause of half a lease', START - 15_000, false],
    ['begins after a longer one', START - 15_001, true],
    ['begins when the clock went back', START + 15_001, true],
    ['does not begin when the clock was put right by a little', START + 50, false],
  ])('%s', (_, previousCheckAt, expected) => {
    expect(beginsGrace({ previousCheckAt, unwrittenMs: 0 }, START, BATCH_MS)).toBe(expected);
  });

  test.each<[string, number, boolean]>([
    ['does not begin while signs of life are written in time', 10_000, false],
    ['begins when they are not', 10_001, true],
  ])('%s', (_, unwrittenMs, expected) => {
    expect(beginsGrace({ previousCheckAt: START - 5000, unwrittenMs }, START, BATCH_MS)).toBe(expected);
  });
});

describe('graces', () => {
  const written = () => 0;

  test('begin for all agents with the core', () => {
    const graces = new Graces(LEASE_MS);
    expect(graces.note(null, START, written)).toBe(true);
    for (const leaseMs of [5000, 20_000, LEASE_MS, 600_000]) expect(graces.from(leaseMs)).toBe(START);
  });

  test('after a short pause begin for agents with short leases alone', () => {
    const graces = new Graces(LEASE_MS);
    graces.note(null, START, written);
    const now = START + 4000;
    expect(graces.note(START, now, written)).toBe(false);
    expect(graces.from(5000)).toBe(now);
    for (const leaseMs of [20_000, LEASE_MS, 600_000]) expect(graces.from(leaseMs)).toBe(START);
  });

  test('begin for the agents alone whose signs of life are not written', () => {
    const graces = new Graces(LEASE_MS);
    graces.note(null, START, written);
    graces.note(START, START + 1000, (batchMs) => (batchMs === BATCH_MS ? 60_000 : 0));
    expect(graces.from(5000)).toBe(START);
    expect(graces.from(600_000)).toBe(START + 1000);
  });
});

test.each([
  [30_000, [5000, 2500, 1250, 625]],
  [3000, [500]],
  [5000, [5000 / 6]],
])('with a lease of the core of %i ms signs of life are written in batches of %j ms', (coreLeaseMs, expected) => {
  expect(batchesOf(coreLeaseMs)).toEqual(expected);
});
