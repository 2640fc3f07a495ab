// The brake: what engages it, what releases it, and that nobody can hold it.
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import {
  afterRound,
  type AgentSigns,
  type Brake,
  countRound,
  LEAST_FAILING,
  releasedBrake,
  type Round,
} from './brake.ts';
import { advance, type CircuitMemory, freshCircuit } from './circuit.ts';

const roundOf = (failing: number, healthyBefore: number, storesAnswered = true): Round => ({
  failing,
  healthyBefore,
  storesAnswered,
});
const engaged: Brake = { state: 'suspended', answeredRounds: 0 };
const QUIET = roundOf(0, 10);
const QUIET_WITHOUT_STORES = roundOf(0, 10, false);

describe('a released brake', () => {
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
  ])('when %i of %i fail together is engaged: %s', (failing, healthyBefore, expected) => {
    for (const storesAnswered of [true, false]) {
      const step = afterRound(releasedBrake, roundOf(failing, healthyBefore, storesAnswered));
      expect(step).toEqual(expected ? { brake: engaged, says: 'suspended' } : { brake: releasedBrake, says: null });
    }
  });
});

describe('an engaged brake', () => {
  const said = (rounds: Round[]): (string | null)[] => {
    let brake: Brake = engaged;
    return rounds.map((round) => {
      const step = afterRound(brake, round);
      ({ brake } = step);
      return step.says;
    });
  };

  test('ends after two rounds in which the stores answered', () => {
    expect(said([QUIET, QUIET, QUIET])).toEqual([null, 'resumed', null]);
  });

  test('begins to count anew when they do not', () => {
    expect(said([QUIET, QUIET_WITHOUT_STORES, QUIET, QUIET])).toEqual([null, null, null, 'resumed']);
    expect(said([QUIET_WITHOUT_STORES, QUIET_WITHOUT_STORES])).toEqual([null, null]);
  });

  test('is not prolonged by who fails meanwhile', () => {
    expect(said([roundOf(50, 100), roundOf(50, 50)])).toEqual([null, 'resumed']);
  });
});

describe('a count', () => {
  test('is of those that were healthy at the round before', () => {
    const agents: AgentSigns[] = [
      { wasHealthy: true, failingSince: null },
      { wasHealthy: true, failingSince: 1001 },
      { wasHealthy: true, failingSince: 1000 },
      { wasHealthy: true, failingSince: 999 },
      { wasHealthy: false, failingSince: null },
      { wasHealthy: false, failingSince: 1001 },
    ];
    expect(countRound(agents, 1000)).toEqual({ healthyBefore: 2, failing: 1 });
    expect(countRound([], 1000)).toEqual({ healthyBefore: 0, failing: 0 });
  });
});

describe('for all rounds', () => {
  const rounds = fc.array(
    fc.record({ healthyBefore: fc.nat(30), share: fc.nat(30), storesAnswered: fc.boolean() }).map((round) => ({
      healthyBefore: round.healthyBefore,
      failing: Math.min(round.healthyBefore, round.share),
      storesAnswered: round.storesAnswered,
    })),
    { maxLength: 40 },
  );

  test('it says each change of its state once, and nothing else', () => {
    fc.assert(
      fc.property(rounds, (list) => {
        let brake = releasedBrake;
        let answered = 0;
        for (const round of list) {
          const step = afterRound(brake, round);
          answered = brake.state === 'suspended' && round.storesAnswered ? answered + 1 : 0;
          const isNew = step.brake.state !== brake.state;
          expect(step.says).toBe(isNew ? (step.brake.state === 'suspended' ? 'suspended' : 'resumed') : null);
          if (step.says === 'suspended') {
            expect(round.failing).toBeGreaterThanOrEqual(LEAST_FAILING);
            expect(round.failing / round.healthyBefore).toBeGreaterThanOrEqual(0.5);
          }
          if (brake.state === 'suspended') expect(step.says === 'resumed').toBe(answered === 2);
          ({ brake } = step);
        }
      }),
    );
  });
});

/** A namespace whose agents fail or answer in each round, as the liveness of a core would keep it. */
class Namespace {
  readonly circuits: CircuitMemory[];
  readonly said: string[] = [];
  readonly #signs: { wasHealthy: boolean; failingSince: number | null }[];
  #brake = releasedBrake;
  #now = 0;

  constructor(agents: number) {
    this.circuits = Array.from({ length: agents }, () => freshCircuit);
    this.#signs = this.circuits.map(() => ({ wasHealthy: false, failingSince: null }));
  }

  round(isUp: (agent: number) => boolean): void {
    const previous = this.#now;
    this.#now += 10_000;
    for (const [agent, signs] of this.#signs.entries()) {
      if (isUp(agent)) Object.assign(signs, { wasHealthy: true, failingSince: null });
      else signs.failingSince ??= this.#now;
    }
    const { brake, says } = afterRound(this.#brake, { ...countRound(this.#signs, previous), storesAnswered: true });
    this.#brake = brake;
    if (says !== null) this.said.push(says);
    if (says === 'resumed') this.#each(() => 'forget');
    else if (brake.state === 'watching') this.#each((agent) => (isUp(agent) ? 'success' : 'failure'));
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
  test('of which 100 and then 150 vanish is held, released, and those that stay away are tripped', () => {
    const swarm = new Namespace(200);
    swarm.round(everybody);
    swarm.round((agent) => agent >= 100);
    expect(swarm.said).toEqual(['suspended']);
    swarm.rounds(2, (agent) => agent >= 150);
    expect(swarm.said).toEqual(['suspended', 'resumed']);
    swarm.rounds(3, (agent) => agent >= 150);
    expect(swarm.open()).toBe(0);
    swarm.round((agent) => agent >= 150);
    expect(swarm.open()).toBe(150);
    expect(swarm.said).toHaveLength(2);
  });

  test('that is back when the brake is released loses nobody', () => {
    const swarm = new Namespace(200);
    swarm.rounds(2, everybody);
    swarm.rounds(2, () => false);
    swarm.rounds(6, everybody);
    expect(swarm.said).toEqual(['suspended', 'resumed']);
    expect(swarm.circuits.every((memory) => memory === freshCircuit || memory.failures === 0)).toBe(true);
  });

  test('of which 100 vanish one after another is never held', () => {
    const swarm = new Namespace(200);
    swarm.round(everybody);
    for (let gone = 0; gone <= 100; gone += 4) swarm.round((agent) => agent >= gone);
    swarm.rounds(4, (agent) => agent >= 100);
    expect(swarm.said).toEqual([]);
    expect(swarm.open()).toBe(100);
  });

  test.each([
    ['never answer', () => false],
    ['come and go', (round: number) => round % 2 === 0],
  ])('is not held by five that %s', (_, isUp) => {
    const swarm = new Namespace(205);
    const dead = 20;
    for (let round = 0; round < 12; round += 1)
      swarm.round((agent) => (agent < 5 ? isUp(round) : round < 3 || agent > dead));
    expect(swarm.said).toEqual([]);
    expect(swarm.open()).toBeGreaterThanOrEqual(dead - 5);
  });

  test('and a swarm of five that never answered are tripped', () => {
    const swarm = new Namespace(5);
    swarm.rounds(4, () => false);
    expect(swarm.said).toEqual([]);
    expect(swarm.open()).toBe(5);
  });

  test('whoever vanishes, in whatever rounds, is tripped in the end', () => {
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
