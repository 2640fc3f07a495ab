// Leases: who is judged, when, and how much of a silence counts.
import type { Activity } from '@hypercode/contracts';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { batchMsOf, flushMsOf } from '../documents/lease-times.ts';
import { beginsGrace } from './graces.ts';
import { judgeLease, type LeaseFacts, type LeaseSettings, type LeaseVerdict } from './lease.ts';

const SETTINGS: LeaseSettings = { leaseMs: 30_000, expireAfterMs: 3_600_000 };
const START = Date.parse('2026-01-01T00:00:00Z');
/** Long over. */
const NO_GRACE = START - 86_400_000;

const factsOf = (facts: Partial<LeaseFacts> = {}): LeaseFacts => ({
  leaseMs: 30_000,
  lastSeenAt: START,
  registeredAt: START - 1000,
  hasHealthUrl: false,
  activity: 'ready',
  health: 'healthy',
  consecutiveFailures: 0,
  missedLeases: 0,
  ...facts,
});
const judge = (facts: Partial<LeaseFacts>, silenceMs: number, graceFrom = NO_GRACE): LeaseVerdict =>
  judgeLease(factsOf(facts), { now: START + silenceMs, graceFrom }, SETTINGS);
/** The verdict in short. */
function shortly(verdict: LeaseVerdict): string {
  if (verdict.verdict === 'fine') return `fine ${verdict.health}`;
  return verdict.verdict === 'missed' ? `missed ${verdict.missed}, ${verdict.failures} more` : 'expired';
}

describe('an agent without a healthUrl', () => {
  test.each<[number, string]>([
    [0, 'fine healthy'],
    [30_000, 'fine healthy'],
    [39_999, 'fine healthy'],
    [40_000, 'missed 1, 1 more'],
    [69_999, 'missed 1, 1 more'],
    [70_000, 'missed 2, 2 more'],
    [130_000, 'missed 4, 4 more'],
    [3_629_999, 'missed 120, 120 more'],
    [3_630_000, 'expired'],
  ])('that has been silent for %i ms, and was not judged before: %s', (silenceMs, expected) => {
    expect(shortly(judge({}, silenceMs))).toBe(expected);
  });

  test('an agent fails once for each lease that it misses', () => {
    expect(shortly(judge({ missedLeases: 1 }, 69_999))).toBe('missed 1, 0 more');
    expect(shortly(judge({ missedLeases: 1 }, 70_000))).toBe('missed 2, 1 more');
    expect(shortly(judge({ missedLeases: 9 }, 70_000))).toBe('missed 2, 0 more');
  });

  test('a failed agent has the reason in its status', () => {
    expect(judge({}, 40_000)).toMatchObject({ health: 'unhealthy', reason: 'missed its lease of 30 s' });
    expect(judge({}, 70_000)).toMatchObject({ reason: 'missed 2 leases of 30 s' });
    expect(judge({}, 3_630_000)).toMatchObject({
      reason: 'no sign of life for 3600 s after its lease of 30 s',
    });
    expect(judge({ leaseMs: 300 }, 400)).toMatchObject({
      reason: 'missed its lease of 300 ms',
    });
  });

  test('an agent is healthy from its first heartbeat on, and again after missed leases', () => {
    expect(shortly(judge({ health: 'unknown', registeredAt: START }, 0))).toBe('fine unknown');
    expect(shortly(judge({ health: 'unknown', registeredAt: START, lastSeenAt: null }, 0))).toBe('fine unknown');
    expect(shortly(judge({ health: 'unknown' }, 0))).toBe('fine healthy');
    expect(shortly(judge({ health: 'unhealthy', missedLeases: 3, consecutiveFailures: 3 }, 0))).toBe('fine healthy');
  });

  test('an agent that never sent a heartbeat is judged from its registration on', () => {
    expect(shortly(judge({ lastSeenAt: null, registeredAt: START }, 39_999))).toBe('fine healthy');
    expect(shortly(judge({ lastSeenAt: null, registeredAt: START }, 40_000))).toBe('missed 1, 1 more');
    expect(shortly(judge({ lastSeenAt: START - 90_000, registeredAt: START }, 39_999))).toBe('fine healthy');
  });

  test('an agent whose last heartbeat lies in the future, by a wrong clock, misses no lease', () => {
    expect(shortly(judge({}, -500_000))).toBe('fine healthy');
  });
});

describe('an agent with a healthUrl', () => {
  test('an agent with a healthUrl is unhealthy without a lease, and fails only by its probes', () => {
    expect(judge({ hasHealthUrl: true }, 70_000)).toMatchObject({ missed: 2, failures: 0, health: 'unhealthy' });
    expect(shortly(judge({ hasHealthUrl: true }, 3_630_000))).toBe('expired');
  });

  test('a lease does not make an agent healthy while its probes fail, or before the first probe', () => {
    expect(shortly(judge({ hasHealthUrl: true, health: 'unhealthy', consecutiveFailures: 1 }, 0))).toBe(
      'fine unhealthy',
    );
    expect(shortly(judge({ hasHealthUrl: true, health: 'unknown' }, 0))).toBe('fine unknown');
    expect(shortly(judge({ hasHealthUrl: true, health: 'unhealthy', missedLeases: 2 }, 0))).toBe('fine healthy');
  });
});

test.each<[Activity, number]>([
  ['ready', 2],
  ['busy', 2],
  ['waiting', 2],
  ['blocked', 2],
  ['paused', 0],
  ['draining', 0],
])('an agent that is %s and misses two leases is unhealthy, with %i failures', (activity, failures) => {
  expect(judge({ activity }, 70_000)).toMatchObject({ missed: 2, failures, health: 'unhealthy' });
});

describe('a grace', () => {
  const graceFrom = START + 3_000_000;

  test('no agent misses a lease for the time before a grace', () => {
    expect(shortly(judge({}, 3_000_000, graceFrom))).toBe('fine healthy');
    expect(shortly(judge({}, 3_039_999, graceFrom))).toBe('fine healthy');
    expect(shortly(judge({}, 3_040_000, graceFrom))).toBe('missed 1, 1 more');
    expect(shortly(judge({ missedLeases: 1 }, 3_070_000, graceFrom))).toBe('missed 2, 1 more');
  });

  test('a grace makes no agent healthy that sends no heartbeat', () => {
    expect(judge({ health: 'unhealthy', missedLeases: 7 }, 3_000_000, graceFrom)).toEqual({
      verdict: 'fine',
      missed: 0,
      health: 'unhealthy',
    });
    const seen = { health: 'unhealthy', lastSeenAt: START + 3_000_001 } as const;
    expect(shortly(judge(seen, 3_000_002, graceFrom))).toBe('fine healthy');
  });

  test('a grace delays expiry until a lease is missed after it', () => {
    const late = START + 9_000_000;
    expect(shortly(judge({}, 9_039_999, late))).toBe('fine healthy');
    expect(shortly(judge({}, 9_040_000, late))).toBe('expired');
  });
});

describe('an agent with a lease of its own', () => {
  test.each<[string, number, number, string]>([
    ['of 5 s is missed after two of its own flushes', 5000, 6666, 'fine healthy'],
    ['of 5 s is missed after two of its own flushes', 5000, 6667, 'missed 1, 1 more'],
    ['of 5 s fails again with each of its own', 5000, 11_667, 'missed 2, 2 more'],
    ["of 10 minutes is missed after two of the core's flushes", 600_000, 609_999, 'fine healthy'],
    ["of 10 minutes is missed after two of the core's flushes", 600_000, 610_000, 'missed 1, 1 more'],
    ['of 10 minutes expires an hour after its end', 600_000, 4_199_999, 'missed 6, 6 more'],
    ['of 10 minutes expires an hour after its end', 600_000, 4_200_000, 'expired'],
  ])('%s', (_, leaseMs, silenceMs, expected) => {
    expect(shortly(judge({ leaseMs }, silenceMs))).toBe(expected);
  });

  test('has one lease of its own as grace', () => {
    expect(shortly(judge({ leaseMs: 600_000 }, 3_609_999, START + 3_000_000))).toBe('fine healthy');
    expect(shortly(judge({ leaseMs: 600_000 }, 3_610_000, START + 3_000_000))).toBe('missed 1, 1 more');
  });
});

describe('for all agents', () => {
  const settings = fc.record({
    leaseMs: fc.integer({ min: 6, max: 100_000 }),
    expireAfterMs: fc.integer({ min: 1, max: 10_000_000 }),
  });
  const agents: fc.Arbitrary<LeaseFacts> = fc.record({
    leaseMs: fc.integer({ min: 6, max: 600_000 }),
    lastSeenAt: fc.option(fc.integer({ min: START - 1_000_000, max: START + 1_000_000 })),
    registeredAt: fc.integer({ min: START - 1_000_000, max: START }),
    hasHealthUrl: fc.boolean(),
    activity: fc.constantFrom('ready', 'busy', 'waiting', 'blocked', 'draining', 'paused'),
    health: fc.constantFrom('unknown', 'healthy', 'unhealthy'),
    consecutiveFailures: fc.nat(9),
    missedLeases: fc.nat(9),
  });
  const moments = fc.record({
    now: fc.integer({ min: START, max: START + 20_000_000 }),
    graceFrom: fc.integer({ min: START - 1_000_000, max: START + 20_000_000 }),
  });
  const RANKS = { fine: 0, missed: 1, expired: 2 };
  const seenAtOf = ({ lastSeenAt, registeredAt }: LeaseFacts): number =>
    Math.max(lastSeenAt ?? registeredAt, registeredAt);

  test('no agent is judged in a grace, or before a lease and two flushes without a heartbeat, and none expires early', () => {
    fc.assert(
      fc.property(agents, moments, settings, (facts, moment, set) => {
        const { verdict } = judgeLease(facts, moment, set);
        const silenceMs = moment.now - seenAtOf(facts);
        const isEarly = silenceMs < facts.leaseMs + 2 * flushMsOf(facts.leaseMs, set.leaseMs) - 1e-6;
        if (moment.now < moment.graceFrom + facts.leaseMs || isEarly) expect(verdict).toBe('fine');
        if (silenceMs < facts.leaseMs + set.expireAfterMs) expect(verdict).not.toBe('expired');
      }),
    );
  });

  test('an agent that sends no further heartbeat expires', () => {
    fc.assert(
      fc.property(agents, moments, settings, (facts, { graceFrom }, set) => {
        const now = Math.max(graceFrom, seenAtOf(facts)) + set.expireAfterMs + 2 * facts.leaseMs;
        expect(judgeLease(facts, { now, graceFrom }, set).verdict).toBe('expired');
      }),
    );
  });

  test('longer silence is never judged more mildly, and a later sign of life never more harshly', () => {
    fc.assert(
      fc.property(agents, moments, settings, fc.nat(1_000_000), (facts, moment, set, laterMs) => {
        const now = judgeLease(facts, moment, set);
        const later = judgeLease(facts, { ...moment, now: moment.now + laterMs }, set);
        expect(RANKS[later.verdict]).toBeGreaterThanOrEqual(RANKS[now.verdict]);
        const seen = judgeLease({ ...facts, lastSeenAt: seenAtOf(facts) + laterMs }, moment, set);
        expect(RANKS[seen.verdict]).toBeLessThanOrEqual(RANKS[now.verdict]);
      }),
    );
  });

  test('only agents without a healthUrl that neither drain nor pause miss leases', () => {
    fc.assert(
      fc.property(agents, moments, settings, (facts, moment, set) => {
        const judged = judgeLease(facts, moment, set);
        if (judged.verdict !== 'missed') return;
        expect(judged.missed).toBeGreaterThan(0);
        const isFailed = !facts.hasHealthUrl && facts.activity !== 'paused' && facts.activity !== 'draining';
        expect(judged.failures).toBe(isFailed ? Math.max(0, judged.missed - facts.missedLeases) : 0);
      }),
    );
  });

  test('however often a silence is judged, each lease of it fails once', () => {
    const rounds = fc.array(fc.nat(40_000), { minLength: 1, maxLength: 50 });
    fc.assert(
      fc.property(rounds, (gaps) => {
        let facts = factsOf();
        let now = START;
        let failures = 0;
        for (const gapMs of gaps) {
          now += gapMs;
          const judged = judgeLease(facts, { now, graceFrom: NO_GRACE }, SETTINGS);
          if (judged.verdict === 'expired') return;
          if (judged.verdict === 'missed') failures += judged.failures;
          facts = { ...facts, missedLeases: judged.missed, health: judged.health };
        }
        expect(failures).toBe(Math.max(0, Math.floor((now - START - 10_000) / 30_000)));
        expect(failures).toBe(facts.missedLeases);
      }),
    );
  });

  test('an agent with timely heartbeats is never judged, through any pause of the core that begins no grace', () => {
    const world = fc.record({
      // The SDK sends one each third of a lease; those during a pause are lost.
      heartbeatEveryMs: fc.integer({ min: 1000, max: 10_000 }),
      phaseMs: fc.nat(9999),
      pauseMs: fc.nat(15_000),
      flushMs: fc.nat(5000),
    });
    fc.assert(
      fc.property(world, ({ heartbeatEveryMs, phaseMs, pauseMs, flushMs }) => {
        const pauseEnd = START + pauseMs;
        const attention = { previousCheckAt: START, unwrittenMs: 0 };
        expect(beginsGrace(attention, pauseEnd, batchMsOf(SETTINGS.leaseMs, SETTINGS.leaseMs))).toBe(false);
        // The last heartbeat written before the pause; anything after a flush ago was lost.
        const written = START - flushMs - (phaseMs % heartbeatEveryMs);
        const judged = judgeLease(
          factsOf({ lastSeenAt: written, registeredAt: START - 1_000_000 }),
          { now: pauseEnd, graceFrom: NO_GRACE },
          SETTINGS,
        );
        expect(judged.verdict).toBe('fine');
      }),
    );
  });
});
