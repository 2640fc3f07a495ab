// One check of an agent: what it may conclude, and what it never may.
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { ProbeResult } from '../probes/probe.ts';
import {
  type Assessment,
  type Examined,
  checkAgent,
  judgeAgent,
  type LivenessSettings,
  probedAgent,
} from './assess.ts';
import { flushMsOf } from '../documents/lease-times.ts';
import { beginsGrace } from './graces.ts';
import {
  freshCircuit,
  freshMemory,
  type LivenessMemory,
  PROBE_FAILED,
  UNPROBED,
} from '../documents/liveness-memory.ts';

const LEASE_MS = 30_000;
const SETTINGS: LivenessSettings = { leaseMs: LEASE_MS, expireAfterMs: 3_600_000, threshold: 3, openMs: 30_000 };
const NOW = 1_800_000_000_000;
const GOOD: ProbeResult = { ok: true, status: 200, ms: 1, activity: null };
const BAD: ProbeResult = { ok: false, kind: 'refused', reason: 'connection refused', ms: 1 };

const agentWith = (more: Partial<Examined> = {}): Examined => ({
  leaseMs: LEASE_MS,
  memory: freshMemory('ada', null),
  status: { health: 'healthy', activity: 'ready', circuit: 'closed', circuitOpenUntil: null },
  trip: null,
  hasHealthUrl: false,
  registeredAt: NOW - 10_000_000,
  lastSeenAt: NOW,
  ...more,
});
const moment = (more: object = {}) => ({ now: NOW, graceFrom: 0, suspended: false, ...more });
const judged = (agent: Examined, at: ReturnType<typeof moment>, settings: LivenessSettings): Assessment =>
  judgeAgent(agent, checkAgent(agent, at, settings), at, settings);

/** The agent after what a check has concluded. */
function after(agent: Examined, { memory, shown }: Assessment): Examined {
  return {
    ...agent,
    memory: memory ?? freshMemory('ada', null),
    status: { ...agent.status, ...shown },
  };
}

describe('the judge', () => {
  test('the judge changes nothing for an agent with heartbeats, and keeps no memory of it', () => {
    expect(judged(agentWith(), moment(), SETTINGS)).toEqual({ memory: null, shown: null, expired: null });
  });

  test('the judge opens the circuit with the fourth missed lease', () => {
    let agent = agentWith({ lastSeenAt: NOW });
    const opened: number[] = [];
    for (let ms = 0; ms <= 6 * LEASE_MS; ms += 1000) {
      const finding = judged(agent, moment({ now: NOW + ms }), SETTINGS);
      if (finding.shown?.circuit === 'open') opened.push(ms);
      agent = after(agent, finding);
      if (opened.length > 0) break;
    }
    // Four leases and two flushes of a sixth of one.
    expect(opened).toEqual([4 * LEASE_MS + (2 * LEASE_MS) / 6]);
    expect(agent.memory.circuit).toMatchObject({ failures: 4, circuit: 'open' });
  });

  test('the judge counts no failure and opens no circuit while liveness is suspended, however long the silence', () => {
    fc.assert(
      fc.property(fc.nat(7_200_000), fc.boolean(), (silentMs, hasHealthUrl) => {
        const agent = agentWith({ lastSeenAt: NOW - silentMs, hasHealthUrl });
        const { memory, shown, expired } = judged(agent, moment({ suspended: true }), SETTINGS);
        expect(expired).toBeNull();
        expect(shown?.circuit ?? 'closed').toBe('closed');
        expect(memory?.circuit.failures ?? 0).toBe(0);
      }),
    );
  });

  test('the judge expires no agent before the grace has passed', () => {
    fc.assert(
      fc.property(fc.nat(7_200_000), fc.integer({ min: 0, max: LEASE_MS - 1 }), (silentMs, passedMs) => {
        const agent = agentWith({ lastSeenAt: NOW - silentMs });
        const finding = judged(agent, moment({ graceFrom: NOW - passedMs }), SETTINGS);
        expect(finding).toMatchObject({ shown: null, expired: null });
      }),
    );
  });

  test('the judge removes an agent that sends no heartbeat until its expiry', () => {
    const agent = agentWith({ lastSeenAt: NOW - LEASE_MS - SETTINGS.expireAfterMs });
    expect(judged(agent, moment(), SETTINGS).expired).toContain('no sign of life');
    expect(judged(agent, moment({ suspended: true }), SETTINGS).expired).toBeNull();
  });

  test('the judge keeps its memory of an agent until the published status is healthy', () => {
    const circuit = { ...freshCircuit, circuit: 'half_open', goodTrials: 1, opens: 1 } as const;
    const memory: LivenessMemory = { ...freshMemory('ada', null), circuit, successAt: NOW - 1000 };
    const status = { health: 'healthy', activity: 'ready', circuit: 'half_open', circuitOpenUntil: null } as const;
    const closes = judged(agentWith({ memory, status }), moment(), SETTINGS);
    expect(closes).toMatchObject({ memory: { circuit: freshCircuit }, shown: { circuit: 'closed' } });
    const again = { ...agentWith({ status }), memory: closes.memory ?? freshMemory('ada', null) };
    expect(judged(again, moment(), SETTINGS)).toMatchObject({ memory: again.memory, shown: { circuit: 'closed' } });
  });

  test('the judge closes the half-open circuit of an agent with timely heartbeats, and counts nothing, however late it checks', () => {
    const circuit = { ...freshCircuit, circuit: 'half_open', opens: 1, failures: 4, reason: 'missed' } as const;
    const world = fc.record({
      heartbeatEveryMs: fc.integer({ min: 100, max: LEASE_MS }),
      checksAfterMs: fc.array(fc.integer({ min: 400, max: 5 * LEASE_MS }), { minLength: 60, maxLength: 100 }),
    });
    fc.assert(
      fc.property(world, ({ heartbeatEveryMs, checksAfterMs }) => {
        let agent = agentWith({
          memory: { ...freshMemory('ada', null), circuit, successAt: NOW },
          status: { health: 'unhealthy', activity: 'ready', circuit: 'half_open', circuitOpenUntil: null },
        });
        let now = NOW;
        let previousCheckAt: number | null = null;
        let graceFrom = 0;
        for (const afterMs of checksAfterMs) {
          now += afterMs;
          if (beginsGrace({ previousCheckAt, unwrittenMs: 0 }, now, flushMsOf(LEASE_MS))) graceFrom = now;
          // All heartbeats have been written but those of the last flush.
          const written = Math.max(NOW, now - flushMsOf(LEASE_MS));
          agent = { ...agent, lastSeenAt: written - ((written - NOW) % heartbeatEveryMs) };
          const finding = checkAgent(agent, moment({ now, graceFrom }), SETTINGS);
          expect(finding).toMatchObject({ failed: null, expired: null });
          agent = after(agent, judgeAgent(agent, finding, { now, suspended: false }, SETTINGS));
          expect(agent.memory.circuit.circuit).not.toBe('open');
          previousCheckAt = now;
        }
        // A heartbeat at most once a lease, and a check often enough: two trials in the end.
        if (now - NOW > 4 * LEASE_MS) expect(agent.status).toMatchObject({ circuit: 'closed', health: 'healthy' });
      }),
    );
  });

  test('the judge never counts a miss of an agent with heartbeats, however far the clock of the database jumps, either way', () => {
    const world = fc.record({
      heartbeatEveryMs: fc.integer({ min: 100, max: LEASE_MS / 3 }),
      hasHealthUrl: fc.boolean(),
      checkEveryMs: fc.integer({ min: 400, max: flushMsOf(LEASE_MS) }),
      // Once a lease; also by more than the time to expiry.
      jumpsMs: fc.array(
        fc.oneof(fc.integer({ min: -LEASE_MS, max: LEASE_MS }), fc.integer({ min: -8_000_000, max: 8_000_000 })),
        { minLength: 1, maxLength: 6 },
      ),
    });
    fc.assert(
      fc.property(world, ({ heartbeatEveryMs, hasHealthUrl, checkEveryMs, jumpsMs }) => {
        let agent = agentWith({ hasHealthUrl, registeredAt: NOW });
        let [passedMs, now] = [0, NOW];
        let lastSeenAt = NOW;
        let previousCheckAt: number | null = NOW;
        let graceFrom = 0;
        const checksInALease = Math.ceil(LEASE_MS / checkEveryMs);
        const checks = jumpsMs.flatMap((jumpMs) => [jumpMs, ...Array.from({ length: checksInALease }, () => 0)]);
        for (const jumpMs of checks) {
          passedMs += checkEveryMs;
          now += checkEveryMs;
          // The heartbeats until the last flush are written by the clock as it is before it jumps; what is written never goes back.
          const writtenMs = passedMs - Math.min(passedMs, flushMsOf(LEASE_MS));
          lastSeenAt = Math.max(lastSeenAt, now - (passedMs - (writtenMs - (writtenMs % heartbeatEveryMs))));
          now += jumpMs;
          if (beginsGrace({ previousCheckAt, unwrittenMs: 0 }, now, flushMsOf(LEASE_MS))) graceFrom = now;
          agent = { ...agent, lastSeenAt };
          const finding = checkAgent(agent, moment({ now, graceFrom }), SETTINGS);
          expect(finding).toMatchObject({ failed: null, expired: null, health: 'healthy' });
          agent = after(agent, judgeAgent(agent, finding, { now, suspended: false }, SETTINGS));
          previousCheckAt = now;
        }
        expect(agent.status).toMatchObject({ health: 'healthy', circuit: 'closed' });
      }),
    );
  });

  test('the judge does not count an old heartbeat as a success when a grace begins', () => {
    let agent = agentWith({ lastSeenAt: NOW });
    const missedAt = NOW + 3 * LEASE_MS;
    agent = after(agent, judged(agent, moment({ now: missedAt }), SETTINGS));
    expect(agent.memory.circuit.failures).toBe(2);
    agent = after(agent, judged(agent, moment({ now: missedAt, graceFrom: missedAt }), SETTINGS));
    expect(agent.memory).toMatchObject({ circuit: { failures: 2 }, failingSince: missedAt });
    agent = after(agent, judged({ ...agent, lastSeenAt: missedAt + 1 }, moment({ now: missedAt + 1 }), SETTINGS));
    expect(agent.memory.circuit.failures).toBe(0);
  });

  test('the judge does not count the heartbeat that ends a missed lease as a trial', () => {
    const circuit = { ...freshCircuit, circuit: 'half_open', opens: 1, failures: 4, reason: 'missed' } as const;
    const memory: LivenessMemory = { ...freshMemory('ada', null), circuit, missed: 4, successAt: NOW - 9_000_000 };
    const status = { health: 'unhealthy', activity: 'ready', circuit: 'half_open', circuitOpenUntil: null } as const;
    let agent = after(agentWith({ memory, status }), judged(agentWith({ memory, status }), moment(), SETTINGS));
    expect(agent.memory.circuit).toMatchObject({ circuit: 'half_open', goodTrials: 0, failures: 0 });
    for (const [goodTrials, closed] of [
      [1, false],
      [0, true],
    ] as const) {
      agent = { ...agent, lastSeenAt: (agent.lastSeenAt ?? 0) + 1000 };
      agent = after(agent, judged(agent, moment({ now: agent.lastSeenAt }), SETTINGS));
      expect(agent.memory.circuit).toMatchObject({ circuit: closed ? 'closed' : 'half_open', goodTrials });
    }
  });

  test('the judge publishes the remembered circuit where the published one differs', () => {
    const memory: LivenessMemory = {
      ...freshMemory('ada', null),
      circuit: { ...freshCircuit, circuit: 'open', tripped: true, reason: 'runaway' },
    };
    expect(judged(agentWith({ memory }), moment(), SETTINGS).shown).toMatchObject({ circuit: 'open' });
  });
});

describe('a probe', () => {
  test('no probe worsens a circuit while liveness is suspended', () => {
    const RANKS = { closed: 0, half_open: 1, open: 2 };
    const world = fc.record({
      circuit: fc.constantFrom('closed', 'open', 'half_open'),
      failures: fc.integer({ min: 0, max: 9 }),
      goodTrials: fc.nat(1),
      outcomes: fc.array(fc.record({ isGood: fc.boolean(), afterMs: fc.nat(40_000) }), { maxLength: 20 }),
    });
    fc.assert(
      fc.property(world, ({ circuit, failures, goodTrials, outcomes }) => {
        const openUntil = circuit === 'open' ? NOW + 30_000 : null;
        const remembered = { ...freshCircuit, circuit, failures, goodTrials, opens: 1, openUntil } as const;
        let agent = agentWith({ hasHealthUrl: true, memory: { ...freshMemory('ada', null), circuit: remembered } });
        let now = NOW;
        let rank = RANKS[circuit];
        for (const { isGood, afterMs } of outcomes) {
          now += afterMs;
          agent = {
            ...after(agent, probedAgent(agent, { result: isGood ? GOOD : BAD, now }, SETTINGS)),
            lastSeenAt: now,
          };
          agent = after(agent, judged(agent, moment({ now, suspended: true }), SETTINGS));
          expect(RANKS[agent.memory.circuit.circuit]).toBeLessThanOrEqual(rank);
          rank = RANKS[agent.memory.circuit.circuit];
        }
        // Released: what was bad meanwhile is forgotten.
        expect(agent.memory).not.toHaveProperty('badTrial');
      }),
    );
  });

  test('a probe counts failures, and leaves opening a circuit to the judge', () => {
    let agent = agentWith({ hasHealthUrl: true });
    for (let failure = 1; failure <= 6; failure += 1) {
      const finding = probedAgent(agent, { result: BAD, now: NOW }, SETTINGS);
      agent = after(agent, finding);
      expect(agent.memory.circuit).toMatchObject({ circuit: 'closed', failures: failure });
      expect(agent.status).toMatchObject({ health: 'unhealthy', circuit: 'closed' });
      const { shown } = judged(agent, moment(), SETTINGS);
      expect(shown?.circuit ?? 'closed').toBe(failure > 3 ? 'open' : 'closed');
    }
  });

  test('a good probe resets the failures of a closed circuit', () => {
    fc.assert(
      fc.property(fc.array(fc.boolean(), { maxLength: 12 }), (outcomes) => {
        let agent = agentWith({ hasHealthUrl: true });
        let inARow = 0;
        for (const isGood of outcomes) {
          agent = after(agent, probedAgent(agent, { result: isGood ? GOOD : BAD, now: NOW }, SETTINGS));
          inARow = isGood ? 0 : inARow + 1;
          expect(agent.memory.circuit.failures).toBe(inARow);
          expect(agent.status.health).toBe(isGood ? 'healthy' : 'unhealthy');
        }
      }),
    );
  });

  test('a probe publishes the activity that its answer reports, and keeps it where the answer reports none', () => {
    const busy = { result: { ...GOOD, activity: 'busy' }, now: NOW } as const;
    const agent = agentWith({ hasHealthUrl: true });
    const first = probedAgent(agent, busy, SETTINGS);
    expect(first).toEqual({ memory: null, shown: { activity: 'busy' }, expired: null, isAlive: true });
    const shown = after(agent, first);
    expect(probedAgent(shown, busy, SETTINGS).shown).toBeNull();
    expect(probedAgent(shown, { result: GOOD, now: NOW }, SETTINGS).shown).toBeNull();
  });

  test('a probe is a trial of a half-open circuit: a good one counts at once, a bad one when the judge checks', () => {
    const memory: LivenessMemory = {
      ...freshMemory('ada', null),
      circuit: { ...freshCircuit, circuit: 'half_open', failures: 4, opens: 1, reason: 'connection refused' },
    };
    const agent = agentWith({
      memory,
      hasHealthUrl: true,
      status: { health: 'unhealthy', activity: 'ready', circuit: 'half_open', circuitOpenUntil: null },
    });
    const bad = probedAgent(agent, { result: BAD, now: NOW }, SETTINGS);
    expect(bad.memory).toMatchObject({ circuit: memory.circuit, badTrial: PROBE_FAILED });
    expect(bad.shown).toBeNull();
    const reopened = judged(after(agent, bad), moment({ now: NOW + 400 }), SETTINGS);
    expect(reopened.memory?.circuit).toMatchObject({ circuit: 'open', failures: 5, openUntil: NOW + 400 + 60_000 });
    expect(reopened.memory).not.toHaveProperty('badTrial');
    const once = after(agent, probedAgent(agent, { result: GOOD, now: NOW }, SETTINGS));
    expect(once.status.circuit).toBe('half_open');
    const twice = probedAgent(once, { result: GOOD, now: NOW }, SETTINGS);
    expect(twice.shown).toMatchObject({ circuit: 'closed', health: 'healthy' });
    // What is shown may be lost with the process that shows it, so the agent is remembered until the two agree.
    const shown = after(once, twice);
    expect(judged({ ...shown, status: once.status }, moment(), SETTINGS).shown).toMatchObject({
      circuit: 'closed',
    });
    expect(judged(shown, moment(), SETTINGS)).toMatchObject({ memory: null, shown: null });
  });
});

describe('a probe that could not begin in its time', () => {
  const late: ProbeResult = { ok: false, kind: 'unprobed', reason: 'too many other probes were running', ms: 0 };
  const probed = (agent: Examined, result: ProbeResult) => probedAgent(agent, { result, now: NOW }, SETTINGS);
  const healthy = agentWith({ hasHealthUrl: true });

  test('makes the health of a healthy agent unknown, with a reason, and counts as no failure', () => {
    const agent = { ...healthy, status: { ...healthy.status, health: 'healthy' as const } };
    const { memory, shown, isAlive } = probed(agent, late);
    expect(shown).toMatchObject({ health: 'unknown', circuit: 'closed', reason: UNPROBED });
    expect(memory).toMatchObject({
      unprobed: true,
      probeDetail: late.reason,
      circuit: { failures: 0 },
      failingSince: null,
    });
    expect(isAlive).toBe(false);
  });

  test('leaves an agent unhealthy that failed before, and the next good probe forgets it', () => {
    const agent = { ...healthy, status: { ...healthy.status, health: 'unhealthy' as const } };
    expect(probed(agent, late).shown).toBeNull();
    const { memory } = probed(agent, late);
    const good = probed({ ...agent, memory: memory ?? agent.memory }, GOOD);
    expect(good.shown).toMatchObject({ health: 'healthy', reason: null });
    expect(good.memory).not.toHaveProperty('unprobed');
    expect(good.memory).not.toHaveProperty('probeDetail');
  });
});
