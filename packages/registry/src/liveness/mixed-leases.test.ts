// Leases and the mass-failure guard together, over agents whose leases differ: a namespace as a judge would keep it, without a store.
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { flushMsOf } from '../documents/lease-times.ts';
import { freshMemory } from '../documents/liveness-memory.ts';
import { checkAgent, type Examined, judgeAgent, type LivenessSettings } from './assess.ts';
import {
  afterCheck,
  type CountedLeases,
  countRound,
  countsBy,
  type Guard,
  guardRoundMs,
  isCounted,
  LEAST_FAILING,
  livedToCountMs,
  longestCountedMs,
  waitsForOthers,
  watchingGuard,
} from './mass-failure-guard.ts';

const CORE_MS = 30_000;
const SETTINGS: LivenessSettings = { leaseMs: CORE_MS, expireAfterMs: 3_600_000, threshold: 3, openMs: 86_400_000 };
const TIMES = { leaseMs: CORE_MS, probeIntervalMs: 10_000, probeTimeoutMs: 2000 };
const START = 1_800_000_000_000;
const LONG_AGO = START - 86_400_000;

const agentWith = (leaseMs: number, lastSeenAt: number): Examined => ({
  leaseMs,
  memory: freshMemory('ada', null),
  status: { health: 'healthy', activity: 'ready', circuit: 'closed', circuitOpenUntil: null },
  trip: null,
  hasHealthUrl: false,
  registeredAt: LONG_AGO,
  lastSeenAt,
});

/** Healthy agents that have lived for long, and what each check of a judge makes of them. */
class Namespace {
  readonly agents: Examined[];
  readonly expired = new Set<number>();
  guard: Guard = watchingGuard;
  readonly #leases: CountedLeases;
  readonly #settings: LivenessSettings;

  constructor(agents: readonly Examined[], settings = SETTINGS) {
    this.agents = [...agents];
    this.#settings = settings;
    const counted = agents.map(({ leaseMs }) => leaseMs).filter((leaseMs) => leaseMs <= longestCountedMs(CORE_MS));
    const [shortestMs, longestMs] =
      counted.length === 0 ? [CORE_MS, CORE_MS] : [Math.min(...counted), Math.max(...counted)];
    this.#leases = { shortestMs, longestMs };
  }

  get roundMs(): number {
    return guardRoundMs(this.#leases, TIMES);
  }

  get isSuspended(): boolean {
    return this.guard.state === 'suspended';
  }

  get open(): number {
    return this.agents.filter(({ status }) => status.circuit === 'open').length;
  }

  check(now: number): void {
    const checked = this.agents.map((agent) => ({
      agent,
      finding: checkAgent(agent, { now, graceFrom: LONG_AGO }, this.#settings),
    }));
    const signs = checked.map(({ agent, finding }) => ({
      ...finding.memory,
      wasHealthy: finding.memory.wasHealthy || agent.status.health === 'healthy',
      countsFrom: isCounted(agent, CORE_MS) ? agent.registeredAt + livedToCountMs(agent.leaseMs, CORE_MS) : null,
    }));
    const { roundMs } = this;
    const counted = countRound(signs, { roundAgo: now - roundMs, countsBy: countsBy(this.guard, now) });
    ({ guard: this.guard } = afterCheck(this.guard, { now, roundMs, ...counted, storesAnswered: true }));
    const suspended = this.isSuspended;
    for (const [place, { agent, finding }] of checked.entries()) {
      const { failingSince } = finding.memory;
      const waits = waitsForOthers(failingSince, { now, roundMs, agents: checked.length });
      const { memory, shown, expired } = judgeAgent(agent, finding, { now, suspended, waits }, this.#settings);
      if (expired !== null) this.expired.add(place);
      const status = { ...agent.status, ...shown };
      this.agents[place] = { ...agent, memory: memory ?? freshMemory('ada', null), status };
    }
  }
}

const leases = fc.oneof(
  fc.constantFrom(5000, CORE_MS, 2 * CORE_MS, 600_000),
  fc.integer({ min: 5000, max: 4 * CORE_MS }),
);

describe('agents with leases of their own', () => {
  test('that vanish at the same moment: none is tripped or expired before the guard holds, or while it does', () => {
    const world = fc.record({
      // Of each, how much of its lease had passed since its last sign of life.
      agents: fc.array(fc.tuple(leases, fc.double({ min: 0, max: 1, noNaN: true })), { minLength: 5, maxLength: 20 }),
      checkEveryMs: fc.integer({ min: 400, max: flushMsOf(CORE_MS) }),
      phaseMs: fc.nat(5000),
      expireAfterMs: fc.constantFrom(1, 20_000, 3_600_000),
    });
    fc.assert(
      fc.property(world, ({ agents, checkEveryMs, phaseMs, expireAfterMs }) => {
        const counted = agents.filter(([leaseMs]) => leaseMs <= longestCountedMs(CORE_MS)).length;
        fc.pre(counted >= LEAST_FAILING);
        const settings = { ...SETTINGS, expireAfterMs };
        const swarm = new Namespace(
          agents.map(([leaseMs, share]) => agentWith(leaseMs, START - Math.floor(share * leaseMs))),
          settings,
        );
        let now = START + phaseMs;
        for (; !swarm.isSuspended; now += checkEveryMs) {
          expect(now).toBeLessThan(START + 4 * CORE_MS);
          swarm.check(now);
          expect({ open: swarm.open, expired: swarm.expired.size }).toEqual({ open: 0, expired: 0 });
        }
        // Until the check with which it resumes.
        for (; swarm.isSuspended; now += checkEveryMs) {
          expect({ open: swarm.open, expired: swarm.expired.size }).toEqual({ open: 0, expired: 0 });
          swarm.check(now);
        }
      }),
    );
  });

  test('that vanish alone are tripped, and expire', () => {
    const world = fc.record({
      others: fc.integer({ min: 1, max: 30 }),
      leaseMs: leases,
      othersLeaseMs: leases,
    });
    fc.assert(
      fc.property(world, ({ others, leaseMs, othersLeaseMs }) => {
        const swarm = new Namespace([
          agentWith(leaseMs, START),
          ...Array.from({ length: others }, () => agentWith(othersLeaseMs, START)),
        ]);
        const step = (now: number) => {
          for (const [place, agent] of swarm.agents.entries())
            if (place > 0) swarm.agents[place] = { ...agent, lastSeenAt: now };
          swarm.check(now);
        };
        const opensBy = START + 4 * leaseMs + 2 * flushMsOf(leaseMs, CORE_MS) + swarm.roundMs + 10_000;
        for (let now = START; now <= opensBy; now += 5000) step(now);
        expect(swarm.agents[0]?.status).toMatchObject({ circuit: 'open', health: 'unhealthy' });
        expect(swarm.open).toBe(1);
        step(START + leaseMs + SETTINGS.expireAfterMs - 1);
        expect(swarm.expired.size).toBe(0);
        step(START + leaseMs + SETTINGS.expireAfterMs + 1);
        expect([...swarm.expired]).toEqual([0]);
      }),
    );
  });

  test('in a swarm too small for the guard are tripped with their fourth lease, whatever the leases of others', () => {
    const swarm = new Namespace([agentWith(5000, START), ...[1, 2, 3].map(() => agentWith(60_000, START))]);
    for (let now = START; now < START + 21_600; now += 400) swarm.check(now);
    expect(swarm.open).toBe(0);
    swarm.check(START + 21_667);
    expect(swarm.open).toBe(1);
  });

  test('that are long do not count: they neither engage the guard nor keep it from engaging', () => {
    const long = Array.from({ length: 50 }, () => agentWith(600_000, START));
    const together = new Namespace([...long, ...[1, 2, 3, 4, 5].map(() => agentWith(CORE_MS, START))]);
    for (let now = START; now < START + 50_000; now += 5000) together.check(now);
    expect(together.guard.state).toBe('suspended');
    const alone = new Namespace(long);
    for (let now = START; now < START + 700_000; now += 5000) alone.check(now);
    expect(alone.guard.state).toBe('watching');
    expect(alone.agents.every(({ status }) => status.health === 'unhealthy')).toBe(true);
  });
});
