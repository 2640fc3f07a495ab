// Lookups: one for each name, one at a time, and a name that hangs is not looked up again and again.
import type { LookupAddress } from 'node:dns';
import { HeldClock } from '@hypercode/clock/testing';
import { describe, expect, test } from 'vitest';
import { type Lookup, type LookupCaller, Names } from './names.ts';

const never = new AbortController().signal;
const ADDRESSES: LookupAddress[] = [{ address: '192.0.2.1', family: 4 }];

/** A resolver that answers when the test says so, by a held clock. */
class Resolver {
  readonly clock = new HeldClock();
  readonly asked: string[] = [];
  readonly #answers = new Map<string, PromiseWithResolvers<LookupAddress[]>>();

  readonly lookup: Lookup = (hostname) => {
    this.asked.push(hostname);
    const answer = Promise.withResolvers<LookupAddress[]>();
    this.#answers.set(hostname, answer);
    return answer.promise;
  };

  names(): Names {
    return new Names({ lookup: this.lookup, lateMs: 2000, clock: this.clock });
  }

  answer(hostname: string): void {
    this.#answers.get(hostname)?.resolve(ADDRESSES);
  }

  fail(hostname: string): void {
    this.#answers.get(hostname)?.reject(new Error('EAI_AGAIN'));
  }
}

/** A caller, and what its time was spent with. */
function caller(signal = never): LookupCaller & { readonly spent: string[] } {
  const spent: string[] = [];
  return { signal, spent, time: { wait: () => void spent.push('wait'), work: () => void spent.push('work') } };
}

const settled = async (promise: Promise<unknown>) =>
  promise.then(
    () => 'found',
    (error: unknown) => (error instanceof Error && 'kind' in error ? error.kind : error),
  );

describe('lookups', () => {
  test('simultaneous lookups of one name share one lookup, with a turn and without', async () => {
    const resolver = new Resolver();
    const names = resolver.names();
    const all = ['ada', 'ada', 'eve', 'eve', 'eve'].map((name) => names.find(name, caller()));
    resolver.answer('ada');
    await Promise.all(all.slice(0, 2));
    resolver.answer('eve');
    for (const found of await Promise.all(all)) expect(found).toEqual(ADDRESSES);
    expect(resolver.asked).toEqual(['ada', 'eve']);
    void names.find('ada', caller());
    expect(resolver.asked).toHaveLength(3);
  });

  test('lookups run one at a time, in order', async () => {
    const resolver = new Resolver();
    const names = resolver.names();
    const order = ['ada', 'eve', 'bob', 'cy'];
    const all = order.map((name) => names.find(name, caller()));
    for (const [place, name] of order.entries()) {
      expect(resolver.asked).toEqual(order.slice(0, place + 1));
      resolver.answer(name);
      await all[place];
    }
  });

  test('the time limit of a lookup does not include the wait for a turn', async () => {
    const resolver = new Resolver();
    const names = resolver.names();
    const [first, joined, waiting] = [caller(), caller(), caller()];
    const all = [names.find('ada', first), names.find('ada', joined), names.find('eve', waiting)];
    expect(waiting.spent).toEqual(['wait']);
    resolver.answer('ada');
    await all[1];
    resolver.answer('eve');
    await Promise.all(all);
    expect(waiting.spent).toEqual(['wait', 'work']);
    expect([...first.spent, ...joined.spent]).toEqual([]);
  });

  test('lookups are not started when all of their callers have left', async () => {
    const resolver = new Resolver();
    const names = resolver.names();
    const ending = new AbortController();
    const first = names.find('ada', caller());
    const left = [settled(names.find('eve', caller(ending.signal))), settled(names.find('eve', caller(ending.signal)))];
    const last = names.find('bob', caller());
    ending.abort('enough');
    expect(await Promise.all(left)).toEqual(['enough', 'enough']);
    resolver.answer('ada');
    await first;
    resolver.answer('bob');
    await last;
    expect(resolver.asked).toEqual(['ada', 'bob']);
  });

  test('running lookups keep their turn when their callers have left', async () => {
    const resolver = new Resolver();
    const names = resolver.names();
    const ending = new AbortController();
    const hanging = settled(names.find('ada', caller(ending.signal)));
    const waiting = names.find('eve', caller());
    ending.abort('too late');
    expect(await hanging).toBe('too late');
    expect(resolver.asked).toEqual(['ada']);
    resolver.fail('ada');
    await expect.poll(() => resolver.asked).toEqual(['ada', 'eve']);
    resolver.answer('eve');
    expect(await waiting).toEqual(ADDRESSES);
  });
});

describe('a late answer', () => {
  test.each([
    ['good', 'answer', 'found'],
    ['bad', 'fail', 'timeout'],
  ] as const)(
    'a late answer that is %s is valid for a minute, so that the name takes no further turns',
    async (_, end, outcome) => {
      const resolver = new Resolver();
      const names = resolver.names();
      const first = settled(names.find('ada', caller()));
      resolver.clock.advance(2001);
      resolver[end]('ada');
      expect(await first).toBe(outcome);
      resolver.clock.advance(59_999);
      expect(await settled(names.find('ada', caller()))).toBe(outcome);
      expect(resolver.asked).toEqual(['ada']);
      resolver.clock.advance(1);
      void names.find('ada', caller());
      expect(resolver.asked).toEqual(['ada', 'ada']);
    },
  );

  test('an answer in time is not kept', async () => {
    const resolver = new Resolver();
    const names = resolver.names();
    for (const [times, end, outcome] of [
      [1, 'fail', 'dns'],
      [2, 'answer', 'found'],
      [3, 'fail', 'dns'],
    ] as const) {
      const finding = settled(names.find('ada', caller()));
      expect(resolver.asked).toHaveLength(times);
      resolver.clock.advance(2000);
      resolver[end]('ada');
      expect(await finding).toBe(outcome);
    }
  });
});
