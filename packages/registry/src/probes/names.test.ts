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
function caller(signal = never, namespace = 'default'): LookupCaller & { readonly spent: string[] } {
  const spent: string[] = [];
  return {
    namespace,
    signal,
    spent,
    time: { wait: () => void spent.push('wait'), work: () => void spent.push('work') },
  };
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

  test('lookups whose callers have left keep their place, so that the next probe finds the answer', async () => {
    const resolver = new Resolver();
    const names = resolver.names();
    const ending = new AbortController();
    const first = names.find('ada', caller());
    const left = [settled(names.find('eve', caller(ending.signal))), settled(names.find('eve', caller(ending.signal)))];
    ending.abort('enough');
    expect(await Promise.all(left)).toEqual(['enough', 'enough']);
    resolver.answer('ada');
    await first;
    await expect.poll(() => resolver.asked).toEqual(['ada', 'eve']);
    const again = names.find('eve', caller());
    resolver.answer('eve');
    expect(await again).toEqual(ADDRESSES);
    expect(resolver.asked).toEqual(['ada', 'eve']);
  });

  test('names that hang delay a name of another namespace by one lookup, however many they are', async () => {
    const resolver = new Resolver();
    const names = resolver.names();
    const hanging = Array.from({ length: 40 }, (_, i) => `hang-${i}`);
    for (const name of hanging) void settled(names.find(name, caller(never, 'hostile')));
    const good = ['ada', 'eve', 'bob'].map((name) => names.find(name, caller(never, 'default')));
    resolver.clock.advance(20_000);
    resolver.fail('hang-0');
    // Fast lookups come one after another, until they have used as much time.
    for (const [place, name] of ['ada', 'eve', 'bob'].entries()) {
      await expect.poll(() => resolver.asked.at(-1)).toBe(name);
      resolver.clock.advance(5);
      resolver.answer(name);
      expect(await good[place]).toEqual(ADDRESSES);
    }
    await expect.poll(() => resolver.asked.at(-1)).toBe('hang-1');
  });

  test('a name that was resolved before is served at once while another lookup hangs, and is looked up again in its turn', async () => {
    const resolver = new Resolver();
    const names = resolver.names();
    const first = names.find('ada', caller());
    resolver.answer('ada');
    await first;
    void settled(names.find('hang', caller()));
    const waiting = caller();
    expect(await names.find('ada', waiting)).toEqual(ADDRESSES);
    expect(waiting.spent).toEqual([]);
    resolver.clock.advance(20_000);
    resolver.fail('hang');
    await expect.poll(() => resolver.asked).toEqual(['ada', 'hang', 'ada']);
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

  test('late answers in a row double the time for which the name is not looked up, up to an hour', async () => {
    const resolver = new Resolver();
    const names = resolver.names();
    for (const minutes of [1, 2, 4, 8, 16, 32, 60, 60]) {
      const { length } = resolver.asked;
      const finding = settled(names.find('ada', caller()));
      expect(resolver.asked).toHaveLength(length + 1);
      resolver.clock.advance(2001);
      resolver.fail('ada');
      expect(await finding).toBe('timeout');
      resolver.clock.advance(minutes * 60_000 - 1);
      expect(await settled(names.find('ada', caller()))).toBe('timeout');
      expect(resolver.asked).toHaveLength(length + 1);
      resolver.clock.advance(1);
    }
    // An answer in time ends it.
    const finding = names.find('ada', caller());
    resolver.answer('ada');
    await finding;
    void settled(names.find('ada', caller()));
    resolver.clock.advance(2001);
    resolver.fail('ada');
    await expect.poll(() => resolver.asked.length).toBe(10);
    resolver.clock.advance(60_000);
    void names.find('ada', caller());
    await expect.poll(() => resolver.asked.length).toBe(11);
  });

  test('an answer in time does not keep the name from being looked up again while no other is', async () => {
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
