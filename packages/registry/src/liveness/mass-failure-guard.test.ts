// The mass-failure guard: what engages it, what ends it, and that no agent can keep it engaged.
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import {
  afterCheck,
  type AgentSigns,
  type Guard,
  type GuardCheck,
  guardRoundMs,
  countRound,
  countsBy,
  isCounted,
  isForgotten,
  LEAST_FAILING,
  LEASES_TO_COUNT,
  livedToCountMs,
  NEWCOMERS_WAIT_MS,
  watchingGuard,
} from './mass-failure-guard.ts';
import { type CircuitMemory, freshCircuit } from '../documents/liveness-memory.ts';
import { advance } from './circuit.ts';

const ROUND_MS = 10_000;
const LEASE_MS = 8000;
const START = 1_800_000_000_000;
const checkOf = (check: Partial<GuardCheck> = {}): GuardCheck => ({
  now: START,
  roundMs: ROUND_MS,
  healthyBefore: 10,
  failing: 0,
  storesAnswered: true,
  ...check,
});
const engaged: Guard = { state: 'suspended', engagedAt: START, answeredRounds: 0, roundBegan: START, answered: true };

describe('a guard that watches', () => {
  test.each<[number, number, boolean]>([
    [0, 0, false],
    [4, 4, false],
    [5, 5, true],
    [5, 10, true],
    [5, 11, false],
    [6, 11, true],
    [5, 200, false],
    [99, 200, false],
    [100, 200, true],
    [200, 200, true],
  ])('is engaged when %i of %i agents fail together: %s', (failing, healthyBefore, expected) => {
    for (const storesAnswered of [true, false]) {
      const step = afterCheck(watchingGuard, checkOf({ failing, healthyBefore, storesAnswered }));
      expect(step).toEqual(expected ? { guard: engaged, notice: 'suspended' } : { guard: watchingGuard, notice: null });
    }
  });
});

describe('an engaged guard', () => {
  /** What it makes known at checks that are `everyMs` apart. */
  const noticesOf = (everyMs: number, checks: Partial<GuardCheck>[]): (string | null)[] => {
    let guard: Guard = engaged;
    return checks.map((check, place) => {
      const step = afterCheck(guard, checkOf({ ...check, now: START + (place + 1) * everyMs }));
      ({ guard } = step);
      return step.notice;
    });
  };
  const quiet = {};
  const away = { storesAnswered: false };

  test('an engaged guard resumes after two whole rounds in which the stores answered', () => {
    expect(noticesOf(ROUND_MS, [quiet, quiet, quiet])).toEqual([null, 'resumed', null]);
    expect(noticesOf(ROUND_MS / 2, [quiet, quiet, quiet, quiet])).toEqual([null, null, null, 'resumed']);
  });

  test('an engaged guard counts rounds from zero again when the stores did not answer at one of its checks', () => {
    expect(noticesOf(ROUND_MS, [quiet, away, quiet, quiet])).toEqual([null, null, null, 'resumed']);
    expect(noticesOf(ROUND_MS, [away, away])).toEqual([null, null]);
    const halves = [quiet, quiet, away, quiet, quiet, quiet, quiet, quiet];
    expect(noticesOf(ROUND_MS / 2, halves).indexOf('resumed')).toBe(7);
  });

  test('an engaged guard is not prolonged by agents that fail meanwhile', () => {
    expect(noticesOf(ROUND_MS, [{ failing: 50 }, { failing: 50 }])).toEqual([null, 'resumed']);
  });

  test('an engaged guard counts no round when the clock goes back', () => {
    expect(afterCheck(engaged, checkOf({ now: START - 3_600_000 }))).toEqual({
      guard: { ...engaged, roundBegan: START - 3_600_000 },
      notice: null,
    });
  });
});

describe('a round', () => {
  const uniform = (leaseMs: number) => ({ shortestMs: leaseMs, longestMs: leaseMs });

  test.each([
    ['of a lease, where no agent is probed less often', { leaseMs: 30_000, probeIntervalMs: 10_000 }, 35_000],
    ['of the time between two probes', { leaseMs: 3000, probeIntervalMs: 60_000 }, 68_500],
  ])('a round is as long as the longest time to detect a failure: %s', (_, times, expected) => {
    expect(guardRoundMs(uniform(times.leaseMs), { ...times, probeTimeoutMs: 2000 })).toBeCloseTo(expected);
  });

  test('a round engages the guard for agents that vanish together, wherever checks and probes fall', () => {
    const times = { leaseMs: 30_000, probeIntervalMs: 10_000, probeTimeoutMs: 2000 };
    const roundMs = guardRoundMs(uniform(times.leaseMs), times);
    const world = fc.record({
      // When the last heartbeat of each arrived, or when its next probe is due, before and after it vanished.
      shares: fc.array(fc.double({ min: 0, max: 1, noNaN: true }), { minLength: 5, maxLength: 40 }),
      probed: fc.boolean(),
      others: fc.nat(40),
      checkEveryMs: fc.integer({ min: 100, max: 5000 }),
      phaseMs: fc.nat(5000),
    });
    fc.assert(
      fc.property(world, ({ shares, probed, others, checkEveryMs, phaseMs }) => {
        const together = shares.length >= others;
        const foundOutMs = shares.map((share) =>
          probed
            ? share * times.probeIntervalMs * 1.1 + times.probeTimeoutMs
            : (4 / 3) * times.leaseMs - share * times.leaseMs,
        );
        let guard = watchingGuard;
        const signs = Array.from({ length: shares.length + others }, () => ({
          wasHealthy: true,
          failingSince: null as number | null,
          countsFrom: 0,
        }));
        for (let now = phaseMs; now < 60_000; now += checkEveryMs) {
          for (const [agent, at] of foundOutMs.entries()) {
            const own = signs[agent];
            if (own !== undefined && at <= now) own.failingSince ??= probed ? at : now;
          }
          const counted = countRound(signs, { roundAgo: now - roundMs, countsBy: 0 });
          if (guard.state === 'watching') ({ guard } = afterCheck(guard, checkOf({ now, roundMs, ...counted })));
        }
        expect(guard.state).toBe(together ? 'suspended' : 'watching');
      }),
    );
  });
});

describe('a count', () => {
  test('the guard counts agents that were healthy a round ago', () => {
    const agents: AgentSigns[] = [
      { wasHealthy: true, failingSince: null, countsFrom: 0 },
      { wasHealthy: true, failingSince: 1001, countsFrom: 0 },
      { wasHealthy: true, failingSince: 1000, countsFrom: 0 },
      { wasHealthy: true, failingSince: 999, countsFrom: 0 },
      { wasHealthy: false, failingSince: null, countsFrom: 0 },
      { wasHealthy: false, failingSince: 1001, countsFrom: 0 },
    ];
    const window = { roundAgo: 1000, countsBy: 0 };
    expect(countRound(agents, window)).toEqual({ healthyBefore: 2, failing: 1 });
    expect(countRound([], window)).toEqual({ healthyBefore: 0, failing: 0 });
  });

  test('the guard counts no agent that counts later or never, neither as healthy nor as failing', () => {
    const agents = [499, 500, 501, null].flatMap((countsFrom): AgentSigns[] => [
      { wasHealthy: true, failingSince: null, countsFrom },
      { wasHealthy: true, failingSince: 1001, countsFrom },
    ]);
    expect(countRound(agents, { roundAgo: 1000, countsBy: 500 })).toEqual({ healthyBefore: 4, failing: 2 });
  });

  const lately = { state: 'watching', engagedAt: START } as const;
  test.each<[string, Guard, number, number]>([
    ['that has never engaged: now', watchingGuard, START, START],
    ['that has just engaged: then', lately, START, START],
    ['that engaged nearly an hour ago: then', lately, START + NEWCOMERS_WAIT_MS - 1, START],
    ['that engaged an hour ago: now', lately, START + NEWCOMERS_WAIT_MS, START + NEWCOMERS_WAIT_MS],
    ['whose clock went back: now', lately, START - 1000, START - 1000],
  ])('agents count that have lived for long enough, for a guard %s', (_, guard, now, expected) => {
    expect(countsBy(guard, now)).toBe(expected);
  });

  test("an agent counts after ten leases, its own or the core's, whichever is longer", () => {
    expect(livedToCountMs(5000, 30_000)).toBe(300_000);
    expect(livedToCountMs(60_000, 30_000)).toBe(600_000);
  });

  test.each<[string, { leaseMs: number; hasHealthUrl: boolean }, boolean]>([
    ["an agent with a lease of twice the core's", { leaseMs: 60_000, hasHealthUrl: false }, true],
    ['an agent with a longer lease', { leaseMs: 60_001, hasHealthUrl: false }, false],
    ['an agent with a healthUrl, however long its lease', { leaseMs: 86_400_000, hasHealthUrl: true }, true],
  ])('%s counts: %s', (_, agent, expected) => {
    expect(isCounted(agent, 30_000)).toBe(expected);
  });

  test('an hour counts from the first engagement, and then the guard is forgotten', () => {
    const now = START + NEWCOMERS_WAIT_MS / 2;
    const check = checkOf({ now, healthyBefore: 10, failing: 10 });
    expect(afterCheck(lately, check).guard).toEqual({ ...engaged, roundBegan: now });
    expect(isForgotten(lately, START + NEWCOMERS_WAIT_MS - 1)).toBe(false);
    expect(isForgotten(lately, START + NEWCOMERS_WAIT_MS)).toBe(true);
    expect(isForgotten(engaged, START + NEWCOMERS_WAIT_MS)).toBe(false);
    const later = START + NEWCOMERS_WAIT_MS;
    expect(afterCheck(lately, { ...check, now: later }).guard).toMatchObject({ engagedAt: later });
  });
});

describe('for all checks', () => {
  const checks = fc.array(
    fc.record({
      afterMs: fc.integer({ min: 1, max: 2 * ROUND_MS }),
      healthyBefore: fc.nat(30),
      share: fc.nat(30),
      storesAnswered: fc.boolean(),
    }),
    { maxLength: 40 },
  );

  test('the guard makes each change of its state known once, and nothing else', () => {
    fc.assert(
      fc.property(checks, (list) => {
        let guard = watchingGuard;
        let now = START;
        let engagedAt = START;
        for (const { afterMs, healthyBefore, share, storesAnswered } of list) {
          now += afterMs;
          const failing = Math.min(healthyBefore, share);
          const step = afterCheck(guard, checkOf({ now, healthyBefore, failing, storesAnswered }));
          const isNew = step.guard.state !== guard.state;
          expect(step.notice).toBe(isNew ? (step.guard.state === 'suspended' ? 'suspended' : 'resumed') : null);
          if (step.notice === 'suspended') {
            engagedAt = now;
            expect(failing).toBeGreaterThanOrEqual(LEAST_FAILING);
            expect(step.guard.engagedAt).toBeLessThanOrEqual(now);
            expect(failing / healthyBefore).toBeGreaterThanOrEqual(0.5);
          }
          if (step.notice === 'resumed') {
            expect(storesAnswered).toBe(true);
            expect(now - engagedAt).toBeGreaterThanOrEqual(2 * ROUND_MS);
          }
          ({ guard } = step);
        }
      }),
    );
  });
});

/** A namespace whose agents fail or answer in each round, as the liveness of a core would keep it. */
class Namespace {
  readonly circuits: CircuitMemory[] = [];
  readonly notices: string[] = [];
  readonly #signs: { wasHealthy: boolean; failingSince: number | null; countsFrom: number }[] = [];
  #guard = watchingGuard;
  #now = 0;

  /** Agents that have lived for long. */
  constructor(agents: number) {
    this.register(agents, -LEASES_TO_COUNT * LEASE_MS);
  }

  register(agents: number, registeredAt = this.#now): void {
    for (let i = 0; i < agents; i += 1) {
      this.circuits.push(freshCircuit);
      const countsFrom = registeredAt + livedToCountMs(LEASE_MS, LEASE_MS);
      this.#signs.push({ wasHealthy: false, failingSince: null, countsFrom });
    }
  }

  round(isUp: (agent: number) => boolean): void {
    this.#now += ROUND_MS;
    for (const [agent, signs] of this.#signs.entries()) {
      if (isUp(agent)) Object.assign(signs, { wasHealthy: true, failingSince: null });
      else signs.failingSince ??= this.#now;
    }
    const window = { roundAgo: this.#now - ROUND_MS, countsBy: countsBy(this.#guard, this.#now) };
    const counted = countRound(this.#signs, window);
    const { guard, notice } = afterCheck(this.#guard, checkOf({ now: this.#now, ...counted }));
    this.#guard = guard;
    if (notice !== null) this.notices.push(notice);
    if (notice === 'resumed') this.#each(() => 'forget');
    else if (guard.state === 'watching') this.#each((agent) => (isUp(agent) ? 'success' : 'failure'));
  }

  rounds(count: number, isUp: (agent: number) => boolean): void {
    for (let i = 0; i < count; i += 1) this.round(isUp);
  }

  open(): number {
    return this.circuits.filter(({ circuit }) => circuit !== 'closed').length;
  }

  #each(kindOf: (agent: number) => 'success' | 'failure' | 'forget'): void {
    const settings = { threshold: 3, openMs: 3_600_000 };
    for (const [agent, memory] of this.circuits.entries()) {
      const event = { kind: kindOf(agent), reason: 'connection refused', at: this.#now };
      this.circuits[agent] = advance(memory, event, settings);
    }
  }
}

const everybody = (): boolean => true;

describe('a namespace of 200', () => {
  test('a namespace that loses 100 and then 150 of 200 agents suspends and resumes liveness; lost agents are tripped', () => {
    const swarm = new Namespace(200);
    swarm.round(everybody);
    swarm.round((agent) => agent >= 100);
    expect(swarm.notices).toEqual(['suspended']);
    swarm.rounds(2, (agent) => agent >= 150);
    expect(swarm.notices).toEqual(['suspended', 'resumed']);
    swarm.rounds(3, (agent) => agent >= 150);
    expect(swarm.open()).toBe(0);
    swarm.round((agent) => agent >= 150);
    expect(swarm.open()).toBe(150);
    expect(swarm.notices).toHaveLength(2);
  });

  test('a namespace whose agents are back when liveness resumes loses none', () => {
    const swarm = new Namespace(200);
    swarm.rounds(2, everybody);
    swarm.rounds(2, () => false);
    swarm.rounds(6, everybody);
    expect(swarm.notices).toEqual(['suspended', 'resumed']);
    expect(swarm.circuits.every((memory) => memory === freshCircuit || memory.failures === 0)).toBe(true);
  });

  test('a namespace whose agents vanish one after another never engages the guard', () => {
    const swarm = new Namespace(200);
    swarm.round(everybody);
    for (let gone = 0; gone <= 100; gone += 4) swarm.round((agent) => agent >= gone);
    swarm.rounds(4, (agent) => agent >= 100);
    expect(swarm.notices).toEqual([]);
    expect(swarm.open()).toBe(100);
  });

  test.each([
    ['never answer', () => false],
    ['come and go', (round: number) => round % 2 === 0],
  ])('a namespace is not suspended by five agents that %s', (_, isUp) => {
    const swarm = new Namespace(205);
    const dead = 20;
    for (let round = 0; round < 12; round += 1)
      swarm.round((agent) => (agent < 5 ? isUp(round) : round < 3 || agent > dead));
    expect(swarm.notices).toEqual([]);
    expect(swarm.open()).toBeGreaterThanOrEqual(dead - 5);
  });

  test('five agents that never answered are tripped, also when the swarm has no others', () => {
    const swarm = new Namespace(5);
    swarm.rounds(4, () => false);
    expect(swarm.notices).toEqual([]);
    expect(swarm.open()).toBe(5);
  });

  test('an agent that vanishes, in whatever round, is tripped in the end', () => {
    const plans = fc.array(fc.nat(12), { minLength: 1, maxLength: 40 });
    fc.assert(
      fc.property(plans, (vanishesIn) => {
        const swarm = new Namespace(vanishesIn.length);
        for (let round = 0; round < 60; round += 1) swarm.round((agent) => round < (vanishesIn[agent] ?? 0));
        expect(swarm.open()).toBe(vanishesIn.length);
      }),
      { numRuns: 50 },
    );
  });
});

describe('a holder of a join token', () => {
  const ROUNDS_TO_COUNT = Math.ceil((LEASES_TO_COUNT * LEASE_MS) / ROUND_MS);

  test('does not engage the guard with agents that are made for it', () => {
    const swarm = new Namespace(10);
    swarm.rounds(2, everybody);
    for (let wave = 0; wave < 20; wave += 1) {
      const hostile = swarm.circuits.length;
      swarm.register(100);
      swarm.rounds(2, (agent) => agent < 10 || agent >= hostile);
      swarm.rounds(4, (agent) => agent < 10);
    }
    expect(swarm.notices).toEqual([]);
    // Nor is an agent of others spared that fails meanwhile.
    swarm.rounds(4, (agent) => agent < 9);
    expect(swarm.circuits[9]?.circuit).toBe('open');
  });

  test('engages the guard once an hour at most with agents that it keeps alive for ten leases each time', () => {
    const swarm = new Namespace(10);
    swarm.rounds(2, everybody);
    const roundsOfAnHour = NEWCOMERS_WAIT_MS / ROUND_MS;
    let rounds = 0;
    while (rounds < 2 * roundsOfAnHour) {
      const hostile = swarm.circuits.length;
      swarm.register(100);
      swarm.rounds(ROUNDS_TO_COUNT + 2, (agent) => agent < 10 || agent >= hostile);
      swarm.rounds(3, (agent) => agent < 10);
      rounds += ROUNDS_TO_COUNT + 5;
    }
    expect(swarm.notices.filter((notice) => notice === 'suspended').length).toBeLessThanOrEqual(3);
    expect(swarm.notices.at(-1)).toBe('resumed');
  });

  test('does not engage the guard again within an hour with agents that it registers after that, whatever it does', () => {
    const waves = fc.array(fc.record({ agents: fc.integer({ min: 5, max: 60 }), up: fc.nat(14), down: fc.nat(4) }), {
      minLength: 1,
      maxLength: 12,
    });
    fc.assert(
      fc.property(waves, (list) => {
        const swarm = new Namespace(20);
        swarm.rounds(2, everybody);
        // A first engagement, by agents that have lived long enough.
        swarm.rounds(4, (agent) => agent < 10);
        expect(swarm.notices).toEqual(['suspended', 'resumed']);
        for (const { agents, up, down } of list) {
          const hostile = swarm.circuits.length;
          swarm.register(agents);
          swarm.rounds(up, (agent) => agent < 10 || agent >= hostile);
          swarm.rounds(down, (agent) => agent < 10);
        }
        expect(swarm.notices).toHaveLength(2);
      }),
      { numRuns: 100 },
    );
  });
});
