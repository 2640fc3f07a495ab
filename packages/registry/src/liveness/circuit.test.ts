// The circuit: each move that its file lists and no other, and what holds for all histories.
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { type CircuitMemory, freshCircuit } from '../documents/liveness-memory.ts';
import { advance, type CircuitEvent, type CircuitSettings, MAX_OPEN_MS, shownCircuit } from './circuit.ts';

const SETTINGS: CircuitSettings = { threshold: 3, openMs: 30_000 };
const START = Date.parse('2026-01-01T00:00:00Z');

const failure = (at: number, reason = 'connection refused'): CircuitEvent => ({ kind: 'failure', reason, at });
const success = (at: number): CircuitEvent => ({ kind: 'success', at });
const tick = (at: number): CircuitEvent => ({ kind: 'tick', at });
const trip = (at: number, reason: string | null = 'too noisy'): CircuitEvent => ({ kind: 'trip', reason, at });
const reset = (at: number): CircuitEvent => ({ kind: 'reset', at });
const forget = (at: number): CircuitEvent => ({ kind: 'forget', at });

const after = (events: CircuitEvent[], from = freshCircuit, settings = SETTINGS): CircuitMemory =>
  events.reduce((memory, event) => advance(memory, event, settings), from);
const times = (count: number, event: CircuitEvent): CircuitEvent[] => Array.from({ length: count }, () => event);
/** As the file names the state. */
const stateOf = ({ circuit, tripped }: CircuitMemory): string => (tripped ? 'tripped' : circuit);

const opened = after(times(4, failure(START)));
const OVER = START + SETTINGS.openMs;
const halfOpen = after([tick(OVER)], opened);
const tripped = after([trip(START)]);

describe('a closed circuit', () => {
  test('a closed circuit opens at the fourth failure in a row', () => {
    expect(after(times(3, failure(START)))).toEqual({ ...freshCircuit, failures: 3, reason: 'connection refused' });
    expect(opened).toEqual({
      circuit: 'open',
      failures: 4,
      opens: 1,
      openUntil: OVER,
      goodTrials: 0,
      tripped: false,
      reason: 'connection refused',
    });
  });

  test('a closed circuit counts from zero after a success, timely or not', () => {
    const three = times(3, failure(START));
    expect(after([...three, success(START), ...three]).circuit).toBe('closed');
    expect(after([...three, success(START)])).toEqual(freshCircuit);
    expect(after([...three, { kind: 'success', at: START, trial: false }])).toEqual(freshCircuit);
  });

  test('a closed circuit opens at the first failure with a threshold of 0', () => {
    expect(after([failure(START)], freshCircuit, { ...SETTINGS, threshold: 0 }).circuit).toBe('open');
  });

  test('a circuit that opens has the reason of the last failure', () => {
    expect(after([failure(START, 'status 500'), failure(START, 'timeout')]).reason).toBe('timeout');
  });
});

describe('an open circuit', () => {
  test('an open circuit counts failures and successes, and its open time does not change', () => {
    const before = OVER - 1;
    expect(after([failure(before, 'status 500')], opened)).toEqual({ ...opened, failures: 5, reason: 'status 500' });
    expect(after(times(9, success(before)), opened)).toEqual({ ...opened, failures: 0 });
    expect(after([tick(before)], opened)).toBe(opened);
  });

  test('an open circuit becomes half open once, when its time has passed', () => {
    expect(halfOpen).toEqual({ ...opened, circuit: 'half_open', openUntil: null });
    expect(after([tick(OVER + 1)], halfOpen)).toBe(halfOpen);
  });

  test('an open circuit whose time has passed takes the next event as a trial, without a tick', () => {
    expect(after([success(OVER)], opened)).toEqual({ ...halfOpen, failures: 0, goodTrials: 1 });
    expect(after([failure(OVER)], opened)).toMatchObject({ circuit: 'open', opens: 2, openUntil: OVER + 60_000 });
  });

  test('an open circuit without an open time becomes half open', () => {
    expect(after([tick(START)], { ...opened, openUntil: null }).circuit).toBe('half_open');
  });
});

describe('a half-open circuit', () => {
  test('a half-open circuit closes after two good trials', () => {
    const one = after([success(OVER)], halfOpen);
    expect(one).toMatchObject({ circuit: 'half_open', goodTrials: 1, failures: 0, reason: 'connection refused' });
    expect(after([success(OVER)], one)).toEqual(freshCircuit);
  });

  test.each([0, 1])('a half-open circuit opens again, for longer, at a bad trial after %i good ones', (good) => {
    expect(after([...times(good, success(OVER)), failure(OVER + 5, 'status 503')], halfOpen)).toEqual({
      circuit: 'open',
      failures: good === 0 ? 5 : 1,
      opens: 2,
      openUntil: OVER + 5 + 60_000,
      goodTrials: 0,
      tripped: false,
      reason: 'status 503',
    });
  });

  test('a half-open circuit does not count a late heartbeat as a trial', () => {
    const late: CircuitEvent = { kind: 'success', at: OVER, trial: false };
    expect(after(times(5, late), halfOpen)).toEqual({ ...halfOpen, failures: 0 });
  });

  test.each([
    [30_000, [30_000, 60_000, 120_000, 240_000, 300_000, 300_000]],
    [200_000, [200_000, 300_000, 300_000]],
    [300_000, [300_000, 300_000]],
    [900_000, [900_000, 900_000]],
    [1, [1, 2, 4, 8]],
  ])('opened for %i ms first doubles up to five minutes', (openMs, expected) => {
    const settings = { threshold: 0, openMs };
    let memory = after([failure(START)], freshCircuit, settings);
    let at = START;
    const seen = expected.map(() => {
      const openTime = (memory.openUntil ?? 0) - at;
      at = memory.openUntil ?? 0;
      memory = after([failure(at)], memory, settings);
      return openTime;
    });
    expect(seen).toEqual(expected);
  });

  test('the open time doubles with each reopening, up to five minutes', () => {
    const worn = after([failure(OVER)], { ...halfOpen, opens: 5000 }, { threshold: 0, openMs: 1 });
    expect(worn.openUntil).toBe(OVER + MAX_OPEN_MS);
  });

  test('the open time starts at the shortest again after the circuit was closed', () => {
    const closed = after([failure(OVER), success(OVER + 60_000), success(OVER + 60_000)], halfOpen);
    expect(closed).toEqual(freshCircuit);
    expect(after(times(4, failure(START)), closed)).toEqual(opened);
  });
});

describe('a tripped circuit', () => {
  const DAY_MS = 86_400_000;

  test('a tripped circuit stays open whatever the result of probes', () => {
    const probed = after([...times(9, success(START)), tick(START + DAY_MS), success(START + DAY_MS)], tripped);
    expect(probed).toBe(tripped);
    const failing = after(times(9, failure(START + DAY_MS)), tripped);
    expect(failing).toEqual({ ...tripped, failures: 9 });
  });

  test('a tripped circuit has the reason of the last trip', () => {
    expect(tripped).toEqual({ ...freshCircuit, circuit: 'open', tripped: true, reason: 'too noisy' });
    expect(after([trip(START, null)]).reason).toBe('tripped by an operator');
    expect(after([trip(START + 1)], tripped)).toBe(tripped);
    expect(after([trip(START, 'still too noisy')], tripped).reason).toBe('still too noisy');
  });

  test.each([
    ['open', opened],
    ['half open', halfOpen],
    ['half open, after a trial', after([success(OVER)], halfOpen)],
  ])('was %s before: the time and the trials are gone', (_, memory) => {
    expect(after([trip(START)], memory)).toMatchObject({
      tripped: true,
      circuit: 'open',
      openUntil: null,
      goodTrials: 0,
    });
  });

  test('a tripped circuit starts as a new one after a reset', () => {
    expect(after([failure(START), reset(START)], tripped)).toEqual(freshCircuit);
  });
});

describe('a circuit whose failures are forgotten', () => {
  test('a circuit whose failures are reset keeps everything but the count', () => {
    expect(after([...times(3, failure(START)), forget(START)])).toEqual(freshCircuit);
    expect(after([forget(START)], opened)).toEqual({ ...opened, failures: 0 });
    const tried = after([success(OVER)], halfOpen);
    expect(after([forget(OVER)], tried)).toBe(tried);
    expect(after([failure(START), forget(START)], tripped)).toEqual(tripped);
  });
});

test('the shown status has the time when the trials begin, where that is known', () => {
  const openUntil = (circuit: CircuitMemory) => shownCircuit(circuit).circuitOpenUntil;
  expect(openUntil(freshCircuit)).toBeNull();
  expect(openUntil(opened)).toBe(new Date(OVER).toISOString());
  expect(openUntil(halfOpen)).toBeNull();
  expect(openUntil(tripped)).toBeNull();
});

test('the file lists exactly the moves that there are', () => {
  const moves = new Set<string>();
  const seen = new Set<string>();
  const settings = { threshold: 1, openMs: 10 };
  const explore = (memory: CircuitMemory, at: number, depth: number): void => {
    const key = JSON.stringify([
      { ...memory, openUntil: memory.openUntil === null ? null : memory.openUntil - at },
      depth,
    ]);
    if (depth === 0 || seen.has(key)) return;
    seen.add(key);
    const events: [string, CircuitEvent][] = [
      ['failure', failure(at)],
      ['success', success(at)],
      ['late', { kind: 'success', at, trial: false }],
      ['forget', forget(at)],
      ['trip', trip(at)],
      ['reset', reset(at)],
      ['time', tick(at + 1000)],
    ];
    for (const [name, event] of events) {
      const next = advance(memory, event, settings);
      if (next !== memory) moves.add(`${stateOf(memory)} ${name} ${stateOf(next)}`);
      explore(next, event.at, depth - 1);
    }
  };
  explore(freshCircuit, START, 8);
  const listed = [
    ['closed', 'failure', 'closed open'],
    ['closed', 'success late forget', 'closed'],
    ['closed open half_open', 'trip', 'tripped'],
    ['open', 'failure success late forget', 'open'],
    ['open', 'time', 'half_open'],
    ['half_open', 'success', 'half_open closed'],
    ['half_open', 'failure', 'open'],
    ['half_open', 'late forget', 'half_open'],
    ['tripped', 'failure success late forget', 'tripped'],
    ['closed open half_open tripped', 'reset', 'closed'],
  ].flatMap(([from = '', events = '', to = '']) =>
    from
      .split(' ')
      .flatMap((a) => events.split(' ').flatMap((event) => to.split(' ').map((b) => `${a} ${event} ${b}`))),
  );
  expect([...moves].toSorted()).toEqual(listed.toSorted());
});

describe('for all histories', () => {
  const settingsOf = fc.record({ threshold: fc.nat(5), openMs: fc.integer({ min: 1, max: 400_000 }) });
  const steps = fc.array(
    fc.record({
      afterMs: fc.oneof(fc.constant(0), fc.nat(400_000)),
      kind: fc.constantFrom(
        'failure',
        'failure',
        'failure',
        'success',
        'success',
        'late',
        'tick',
        'forget',
        'trip',
        'reset',
      ),
    }),
    { maxLength: 60 },
  );
  type Steps = typeof steps extends fc.Arbitrary<infer T> ? T : never;

  const eventsOf = (list: Steps): CircuitEvent[] => {
    let at = START;
    return list.map(({ afterMs, kind }) => {
      at += afterMs;
      switch (kind) {
        case 'failure':
          return failure(at, `failed at ${at}`);
        case 'late':
          return { kind: 'success', at, trial: false };
        case 'success':
          return success(at);
        case 'trip':
          return trip(at);
        case 'reset':
          return reset(at);
        case 'forget':
          return forget(at);
        case 'tick':
          return tick(at);
      }
    });
  };
  /** Calls `check` with each step of each history. */
  const eachStep = (
    check: (before: CircuitMemory, event: CircuitEvent, next: CircuitMemory, settings: CircuitSettings) => void,
  ): void =>
    fc.assert(
      fc.property(steps, settingsOf, (list, settings) => {
        let memory = freshCircuit;
        for (const event of eventsOf(list)) {
          const next = advance(memory, event, settings);
          check(memory, event, next, settings);
          memory = next;
        }
      }),
    );

  test('the memory of a circuit is consistent after every history', () => {
    eachStep((_, event, next, { threshold }) => {
      expect(next.openUntil !== null).toBe(next.circuit === 'open' && !next.tripped);
      if (next.openUntil !== null) expect(next.openUntil).toBeGreaterThan(event.at);
      if (next.circuit === 'closed') {
        expect(next).toMatchObject({ opens: 0, tripped: false });
        expect(next.failures).toBeLessThanOrEqual(threshold);
        expect(next.reason === null).toBe(next.failures === 0);
      } else {
        expect(next.reason).not.toBeNull();
      }
      expect(next.tripped && next.circuit !== 'open').toBe(false);
      if (next.circuit === 'half_open') expect(next.goodTrials).toBeLessThan(2);
      else expect(next.goodTrials).toBe(0);
      expect(JSON.parse(JSON.stringify(next))).toEqual(next);
    });
  });

  test('the same memory comes back exactly when nothing has changed, and none is written to', () => {
    eachStep((before, event, _, settings) => {
      const frozen = Object.freeze({ ...before });
      const next = advance(frozen, event, settings);
      const isEqual = JSON.stringify(next) === JSON.stringify(frozen);
      expect(next === frozen).toBe(isEqual);
    });
  });

  test('a tick just before an event makes no difference', () => {
    eachStep((before, event, next, settings) => {
      expect(advance(advance(before, tick(event.at), settings), event, settings)).toEqual(next);
    });
  });

  test('what an operator tripped only an operator resets', () => {
    eachStep((before, event, next) => {
      if (before.tripped) expect(next.tripped).toBe(event.kind !== 'reset');
      else expect(next.tripped).toBe(event.kind === 'trip');
    });
  });

  test('the count is that of failures since the last success, reset or end of a mass failure', () => {
    fc.assert(
      fc.property(steps, settingsOf, (list, settings) => {
        const events = eventsOf(list);
        const last = events.findLastIndex(({ kind }) => kind === 'success' || kind === 'reset' || kind === 'forget');
        const failures = events.slice(last + 1).filter(({ kind }) => kind === 'failure').length;
        expect(after(events, freshCircuit, settings).failures).toBe(failures);
      }),
    );
  });

  test('an open time is the first one doubled for each reopening, and no event meanwhile moves its end', () => {
    eachStep((before, event, next, { openMs }) => {
      if (next.openUntil === null || next.openUntil === before.openUntil) return;
      const doubled = openMs * 2 ** (next.opens - 1);
      expect(next.openUntil - event.at).toBe(Math.max(openMs, Math.min(doubled, MAX_OPEN_MS)));
      expect(next.opens).toBe(before.opens + 1);
      expect(before.openUntil === null || before.openUntil <= event.at).toBe(true);
    });
  });

  test('two good trials close a circuit that no operator has tripped, once its time has passed', () => {
    fc.assert(
      fc.property(steps, settingsOf, (list, settings) => {
        const memory = after(eventsOf(list), freshCircuit, settings);
        const at = Math.max(memory.openUntil ?? 0, START + 60 * 400_000);
        const tried = after([success(at), success(at)], memory, settings);
        if (memory.tripped) expect(tried.tripped).toBe(true);
        else expect(tried).toEqual(freshCircuit);
      }),
    );
  });

  test('an open circuit has a time when its trials begin, unless an operator tripped it', () => {
    eachStep((_, event, next) => {
      const isTimed = next.circuit === 'open' && !next.tripped;
      expect(next.openUntil !== null).toBe(isTimed);
      if (next.openUntil !== null) expect(next.openUntil).toBeGreaterThan(event.at);
    });
  });
});
