import { ERROR_CODES, type ErrorCode, SwarmError } from '@hypercode/contracts';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { advance, heartbeatInterval, type Lifecycle, lifecycleStart, type Outcome } from './agent-lifecycle.ts';
import { MAX_BACKOFF_MS, MAX_OUTAGE_BACKOFF_MS } from '../transport/backoff.ts';

const codes = Object.keys(ERROR_CODES) as ErrorCode[];
const pace = { heartbeatMs: undefined, random: 0.5 };
const refused = (code: ErrorCode, retryAfterMs?: number): Outcome => ({
  type: 'refused',
  error: new SwarmError(code, code, retryAfterMs === undefined ? {} : { retryAfterMs }),
});
const registered: Outcome = { type: 'registered' };
const renewed = (leaseMs?: number): Outcome => ({ type: 'renewed', leaseMs });
const after = (...outcomes: Outcome[]): Lifecycle =>
  outcomes.reduce((state, outcome) => advance(state, outcome, pace).next, lifecycleStart);

const alive = after(registered, renewed(30_000));

describe('before the first registration', () => {
  test('what a retry can help is tried again, ever later', () => {
    let state = lifecycleStart;
    const waits = Array.from({ length: 12 }, () => {
      const step = advance(state, refused('UNAVAILABLE'), { ...pace, random: 0.999 });
      state = step.next;
      return step.waitMs;
    });
    expect(state.phase).toBe('registering');
    expect(waits).toEqual(waits.toSorted((a, b) => a - b));
    expect(waits[0]).toBeLessThan(100);
    expect(waits.at(-1)).toBeCloseTo(MAX_OUTAGE_BACKOFF_MS * 0.999);
  });

  test.each(codes.filter((code) => !ERROR_CODES[code].retryable && code !== 'FENCED'))('%s is final', (code) => {
    expect(after(refused(code)).phase).toBe('refused');
  });

  test('the wait that a refusal asks for is kept', () => {
    expect(advance(lifecycleStart, refused('RATE_LIMITED', 4_000), pace).waitMs).toBeGreaterThanOrEqual(4_000);
  });
});

describe('alive', () => {
  test('begins at once after the registration', () => {
    expect(advance(lifecycleStart, registered, pace)).toMatchObject({ next: { phase: 'alive' }, waitMs: 0 });
  });

  test('keeps to a third of the lease', () => {
    const { waitMs } = advance(alive, renewed(30_000), pace);
    expect(waitMs).toBeGreaterThan(8_999);
    expect(waitMs).toBeLessThanOrEqual(10_000);
    expect(advance(alive, renewed(), pace).waitMs).toBe(waitMs);
    expect(advance(alive, renewed(3_000), { ...pace, random: 0 }).waitMs).toBe(1_000);
    expect(advance(alive, renewed(3_000), { heartbeatMs: 200, random: 0 }).waitMs).toBe(200);
    expect(heartbeatInterval(undefined, undefined, 0)).toBe(10_000);
    expect(heartbeatInterval(3, undefined, 0)).toBe(100);
  });

  test('after UNAUTHENTICATED, and nothing else, registers again', () => {
    const again = codes.filter((code) => after(registered, renewed(), refused(code)).phase === 'registering');
    expect(again).toEqual(['UNAUTHENTICATED']);
  });

  test('after a failure that a retry can help, is tried sooner than a third of the lease', () => {
    const step = advance(alive, refused('UNAVAILABLE'), pace);
    expect(step.next.phase).toBe('alive');
    expect(step.waitMs).toBeLessThan(100);
    expect(advance(alive, refused('RATE_LIMITED', 60_000), pace).waitMs).toBe(60_000);
  });

  test.each(['FORBIDDEN', 'INVALID_INPUT', 'INTERNAL'] as const)('after %s, goes on in its time', (code) => {
    const step = advance(alive, refused(code), { ...pace, random: 0 });
    expect(step).toMatchObject({ next: { phase: 'alive' }, waitMs: 10_000 });
  });
});

describe('registering again', () => {
  const lost = after(registered, renewed(), refused('UNAUTHENTICATED'));

  test.each(codes.filter((code) => code !== 'FENCED'))('is never given up over %s', (code) => {
    const step = advance(lost, refused(code), pace);
    expect(step.next.phase).toBe('registering');
    expect(step.waitMs).toBe(ERROR_CODES[code].retryable ? 100 : MAX_BACKOFF_MS);
  });

  test('slows down when the core takes registrations and refuses heartbeats', () => {
    let state = lost;
    let waitMs = 0;
    for (let round = 0; round < 12; round += 1) {
      ({ next: state, waitMs } = advance(state, registered, pace));
      expect(waitMs).toBeGreaterThan(0);
      ({ next: state, waitMs } = advance(state, refused('UNAUTHENTICATED'), pace));
    }
    expect(waitMs).toBe(MAX_BACKOFF_MS / 2);
    expect(
      advance(after(registered, refused('UNAUTHENTICATED'), registered, renewed()), renewed(), pace).next.failures,
    ).toBe(0);
  });
});

test('by property: FENCED ends it from wherever it is, and nothing else does once it has joined', () => {
  const outcome = fc.oneof(
    fc.constant(registered),
    fc.option(fc.integer({ min: 1, max: 60_000 }), { nil: undefined }).map(renewed),
    fc.constantFrom(...codes.filter((code) => code !== 'FENCED')).map((code) => refused(code)),
  );
  fc.assert(
    fc.property(
      fc.array(outcome, { maxLength: 30 }),
      fc.double({ min: 0, max: 0.999, noNaN: true }),
      (outcomes, random) => {
        let state = advance(lifecycleStart, registered, pace).next;
        for (const next of outcomes) {
          const step = advance(state, next, { heartbeatMs: undefined, random });
          state = step.next;
          expect(['registering', 'alive']).toContain(state.phase);
          expect(step.waitMs).toBeGreaterThanOrEqual(0);
        }
        expect(advance(state, refused('FENCED'), pace).next.phase).toBe('fenced');
      },
    ),
  );
});
