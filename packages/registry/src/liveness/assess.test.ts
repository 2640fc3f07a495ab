// One look at an agent: what it may conclude, and what it never may.
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { ProbeResult } from '../probes/probe.ts';
import { type Examined, judgeAgent, type LivenessSettings, probedAgent } from './assess.ts';
import { freshCircuit } from './circuit.ts';
import { freshMemory, type LivenessMemory } from './liveness-memory.ts';

const LEASE_MS = 30_000;
const SETTINGS: LivenessSettings = { leaseMs: LEASE_MS, expireAfterMs: 3_600_000, threshold: 3, openMs: 30_000 };
const NOW = 1_800_000_000_000;
const GOOD: ProbeResult = { ok: true, status: 200, ms: 1, activity: null };
const BAD: ProbeResult = { ok: false, kind: 'refused', reason: 'connection refused', ms: 1 };

const agentWith = (more: Partial<Examined> = {}): Examined => ({
  memory: freshMemory('ada', null),
  status: { health: 'healthy', activity: 'ready', circuit: 'closed' },
  hasHealthUrl: false,
  registeredAt: NOW - 10_000_000,
  lastSeenAt: NOW,
  ...more,
});
const moment = (more: object = {}) => ({ now: NOW, graceUntil: 0, braked: false, ...more });

/** The agent after what a look has concluded. */
function after(agent: Examined, { memory, shown }: ReturnType<typeof judgeAgent>): Examined {
  return {
    ...agent,
    memory: memory ?? freshMemory('ada', null),
    status: { ...agent.status, ...shown },
  };
}

describe('the judge', () => {
  test('leaves an agent that beats alone, and remembers nothing of it', () => {
    expect(judgeAgent(agentWith(), moment(), SETTINGS)).toEqual({ memory: null, shown: null, expired: null });
  });

  test('opens the circuit with the fourth missed lease', () => {
    let agent = agentWith({ lastSeenAt: NOW });
    const opened: number[] = [];
    for (let ms = 0; ms <= 6 * LEASE_MS; ms += 1000) {
      const look = judgeAgent(agent, moment({ now: NOW + ms }), SETTINGS);
      if (look.shown?.circuit === 'open') opened.push(ms);
      agent = after(agent, look);
      if (opened.length > 0) break;
    }
    // Four leases and two flushes of a sixth of one.
    expect(opened).toEqual([4 * LEASE_MS + (2 * LEASE_MS) / 6]);
    expect(agent.memory.circuit).toMatchObject({ failures: 4, circuit: 'open' });
  });

  test('counts for nobody and opens nothing while the brake is on, however long the silence', () => {
    fc.assert(
      fc.property(fc.nat(7_200_000), fc.boolean(), (silentMs, hasHealthUrl) => {
        const agent = agentWith({ lastSeenAt: NOW - silentMs, hasHealthUrl });
        const { memory, shown, expired } = judgeAgent(agent, moment({ braked: true }), SETTINGS);
        expect(expired).toBeNull();
        expect(shown?.circuit ?? 'closed').toBe('closed');
        expect(memory?.circuit.failures ?? 0).toBe(0);
      }),
    );
  });

  test('declares nobody dead before the grace is over', () => {
    fc.assert(
      fc.property(fc.nat(7_200_000), fc.integer({ min: 1, max: LEASE_MS }), (silentMs, graceMs) => {
        const agent = agentWith({ lastSeenAt: NOW - silentMs });
        const look = judgeAgent(agent, moment({ graceUntil: NOW + graceMs }), SETTINGS);
        expect(look).toMatchObject({ shown: null, expired: null });
      }),
    );
  });

  test('removes who is silent for long enough', () => {
    const agent = agentWith({ lastSeenAt: NOW - SETTINGS.expireAfterMs });
    expect(judgeAgent(agent, moment(), SETTINGS).expired).toContain('no sign of life');
    expect(judgeAgent(agent, moment({ braked: true }), SETTINGS).expired).toBeNull();
  });

  test('forgets nobody before what is shown says that all is well', () => {
    const circuit = { ...freshCircuit, circuit: 'half_open', goodTrials: 1, opens: 1 } as const;
    const memory: LivenessMemory = { ...freshMemory('ada', null), circuit, successAt: NOW - 1000 };
    const status = { health: 'healthy', activity: 'ready', circuit: 'half_open' } as const;
    const closes = judgeAgent(agentWith({ memory, status }), moment(), SETTINGS);
    expect(closes).toMatchObject({ memory: { circuit: freshCircuit }, shown: { circuit: 'closed' } });
    const again = { ...agentWith({ status }), memory: closes.memory ?? freshMemory('ada', null) };
    expect(judgeAgent(again, moment(), SETTINGS)).toMatchObject({ memory: again.memory, shown: { circuit: 'closed' } });
  });

  test('shows what is remembered where the two differ', () => {
    const memory: LivenessMemory = {
      ...freshMemory('ada', null),
      circuit: { ...freshCircuit, circuit: 'open', tripped: true, reason: 'runaway' },
    };
    expect(judgeAgent(agentWith({ memory }), moment(), SETTINGS).shown).toMatchObject({ circuit: 'open' });
  });
});

describe('a probe', () => {
  test('counts, and leaves opening to the judge', () => {
    let agent = agentWith({ hasHealthUrl: true });
    for (let failure = 1; failure <= 6; failure += 1) {
      const look = probedAgent(agent, { result: BAD, now: NOW }, SETTINGS);
      agent = after(agent, look);
      expect(agent.memory.circuit).toMatchObject({ circuit: 'closed', failures: failure });
      expect(agent.status).toMatchObject({ health: 'unhealthy', circuit: 'closed' });
      const judged = judgeAgent(agent, moment(), SETTINGS);
      expect(judged.shown?.circuit ?? 'closed').toBe(failure > 3 ? 'open' : 'closed');
    }
  });

  test('that is good forgets the failures of a closed circuit', () => {
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

  test('tries a half-open circuit at once, for good and for bad', () => {
    const memory: LivenessMemory = {
      ...freshMemory('ada', null),
      circuit: { ...freshCircuit, circuit: 'half_open', failures: 4, opens: 1, reason: 'connection refused' },
    };
    const agent = agentWith({
      memory,
      hasHealthUrl: true,
      status: { health: 'unhealthy', activity: 'ready', circuit: 'half_open' },
    });
    const bad = probedAgent(agent, { result: BAD, now: NOW }, SETTINGS);
    expect(bad.memory?.circuit).toMatchObject({ circuit: 'open', opens: 2, openUntil: NOW + 60_000 });
    const once = after(agent, probedAgent(agent, { result: GOOD, now: NOW }, SETTINGS));
    expect(once.status.circuit).toBe('half_open');
    const twice = probedAgent(once, { result: GOOD, now: NOW }, SETTINGS);
    expect(twice.shown).toMatchObject({ circuit: 'closed', health: 'healthy' });
    // What is shown may be lost with the process that shows it, so the agent is remembered until the two agree.
    const shown = after(once, twice);
    expect(judgeAgent({ ...shown, status: once.status }, moment(), SETTINGS).shown).toMatchObject({
      circuit: 'closed',
    });
    expect(judgeAgent(shown, moment(), SETTINGS)).toMatchObject({ memory: null, shown: null });
  });
});
