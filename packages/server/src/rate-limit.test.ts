import { HeldClock } from '@hypercode/clock/testing';
import { SwarmError } from '@hypercode/contracts';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { RateLimit } from './rate-limit.ts';

function limited(perSecond: number, burstSeconds: number) {
  const clock = new HeldClock();
  return { clock, limit: new RateLimit({ perSecond, burstSeconds, words: `${perSecond} calls per second`, clock }) };
}

/** Null when the call is taken, the refusal when it is not. */
function attempt(limit: RateLimit, caller = 'a', amount?: number): SwarmError | null {
  try {
    limit.take(caller, amount);
    return null;
  } catch (error) {
    if (error instanceof SwarmError) return error;
    throw error;
  }
}

describe('RateLimit', () => {
  test('a burst is allowed, then so many calls a second, and a refusal reports when the next one is free', () => {
    const { clock, limit } = limited(10, 2);
    for (let call = 0; call < 20; call += 1) expect(attempt(limit)).toBeNull();
    expect(attempt(limit)).toMatchObject({ code: 'RATE_LIMITED', retryAfterMs: 100 });
    clock.advance(99);
    expect(attempt(limit)).toMatchObject({ retryAfterMs: 1 });
    clock.advance(1);
    expect(attempt(limit)).toBeNull();
    expect(attempt(limit)).not.toBeNull();
  });

  test('what is given back is free at once', () => {
    const { limit } = limited(1, 2);
    expect([attempt(limit), attempt(limit), attempt(limit)?.code]).toEqual([null, null, 'RATE_LIMITED']);
    limit.giveBack('a');
    expect([attempt(limit), attempt(limit)?.code]).toEqual([null, 'RATE_LIMITED']);
  });

  test('amounts are counted, and a refusal reports when there is room for as much', () => {
    const { clock, limit } = limited(1000, 4);
    expect(attempt(limit, 'a', 3500)).toBeNull();
    expect(attempt(limit, 'a', 1000)).toMatchObject({ message: 'more than 1000 calls per second', retryAfterMs: 500 });
    // What was refused was not counted.
    expect(attempt(limit, 'a', 500)).toBeNull();
    clock.advance(1000);
    expect(attempt(limit, 'a', 1000)).toBeNull();
    expect(attempt(limit, 'a', 1)).toMatchObject({ retryAfterMs: 1 });
  });

  test('callers have separate limits', () => {
    const { limit } = limited(1, 1);
    expect(attempt(limit, 'a')).toBeNull();
    expect(attempt(limit, 'a')).not.toBeNull();
    expect(attempt(limit, 'b')).toBeNull();
  });

  test('a rate of zero is no limit', () => {
    const { limit } = limited(0, 1);
    for (let call = 0; call < 10_000; call += 1) expect(attempt(limit)).toBeNull();
  });

  test('no more calls than the burst and the rate are allowed, and the reported wait is long enough', () => {
    const gaps = fc.array(fc.nat({ max: 500 }), { minLength: 1, maxLength: 300 });
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 50 }), fc.integer({ min: 1, max: 5 }), gaps, (perSecond, burst, waits) => {
        const { clock, limit } = limited(perSecond, burst);
        let taken = 0;
        let refusal: SwarmError | null = null;
        for (const wait of waits) {
          clock.advance(wait);
          refusal = attempt(limit);
          if (refusal === null) taken += 1;
          expect(taken).toBeLessThanOrEqual(perSecond * burst + (clock.monotonicMs() / 1000) * perSecond + 1e-6);
        }
        if (refusal !== null) {
          clock.advance(refusal.retryAfterMs ?? Number.NaN);
          expect(attempt(limit)).toBeNull();
        }
      }),
    );
  });
});
