// Look-ups: one for each name, few at once, and a name that hangs is not asked for again and again.
import type { LookupAddress } from 'node:dns';
import { describe, expect, test } from 'vitest';
import { type Asker, type Lookup, Names } from './names.ts';

const never = new AbortController().signal;
const ADDRESSES: LookupAddress[] = [{ address: '192.0.2.1', family: 4 }];

/** A resolver in the test's hand, by a clock in its hand. */
class Resolver {
  now = 0;
  readonly asked: string[] = [];
  readonly #answers = new Map<string, PromiseWithResolvers<LookupAddress[]>>();

  readonly lookup: Lookup = (hostname) => {
    this.asked.push(hostname);
    const answer = Promise.withResolvers<LookupAddress[]>();
    this.#answers.set(hostname, answer);
    return answer.promise;
  };

  names(maxLookups = 1): Names {
    return new Names({ lookup: this.lookup, maxLookups, lateMs: 2000, monotonicNow: () => this.now });
  }

  answer(hostname: string): void {
    this.#answers.get(hostname)?.resolve(ADDRESSES);
  }

  fail(hostname: string): void {
    this.#answers.get(hostname)?.reject(new Error('EAI_AGAIN'));
  }
}

/** Somebody who asks, and what its time was spent with. */
function asker(signal = never): Asker & { readonly spent: string[] } {
  const spent: string[] = [];
  return { signal, spent, time: { wait: () => void spent.push('wait'), work: () => void spent.push('work') } };
}

const settled = async (promise: Promise<unknown>) =>
  promise.then(
    () => 'found',
    (error: unknown) => (error instanceof Error && 'kind' in error ? error.kind : error),
  );

describe('look-ups', () => {
  test('of one name at the same time are one, with a turn and without', async () => {
    const resolver = new Resolver();
    const names = resolver.names();
    const all = ['ada', 'ada', 'eve', 'eve', 'eve'].map((name) => names.find(name, asker()));
    resolver.answer('ada');
    await Promise.all(all.slice(0, 2));
    resolver.answer('eve');
    for (const found of await Promise.all(all)) expect(found).toEqual(ADDRESSES);
    expect(resolver.asked).toEqual(['ada', 'eve']);
    void names.find('ada', asker());
    expect(resolver.asked).toHaveLength(3);
  });

  test.each([1, 2])('are %i at once, the others in order', async (maxLookups) => {
    const resolver = new Resolver();
    const names = resolver.names(maxLookups);
    const order = ['ada', 'eve', 'bob', 'cy'];
    const all = order.map((name) => names.find(name, asker()));
    for (const [place, name] of order.entries()) {
      expect(resolver.asked).toEqual(order.slice(0, place + maxLookups));
      resolver.answer(name);
      await all[place];
    }
  });

  test('take no time of who waits for a turn', async () => {
    const resolver = new Resolver();
    const names = resolver.names();
    const [first, joined, waiting] = [asker(), asker(), asker()];
    const all = [names.find('ada', first), names.find('ada', joined), names.find('eve', waiting)];
    expect(waiting.spent).toEqual(['wait']);
    resolver.answer('ada');
    await all[1];
    resolver.answer('eve');
    await Promise.all(all);
    expect(waiting.spent).toEqual(['wait', 'work']);
    expect([...first.spent, ...joined.spent]).toEqual([]);
  });

  test('that nobody waits for any more are not begun', async () => {
    const resolver = new Resolver();
    const names = resolver.names();
    const ending = new AbortController();
    const first = names.find('ada', asker());
    const left = [settled(names.find('eve', asker(ending.signal))), settled(names.find('eve', asker(ending.signal)))];
    const last = names.find('bob', asker());
    ending.abort('enough');
    expect(await Promise.all(left)).toEqual(['enough', 'enough']);
    resolver.answer('ada');
    await first;
    resolver.answer('bob');
    await last;
    expect(resolver.asked).toEqual(['ada', 'bob']);
  });

  test('keep their turn when whoever asked has gone, for they go on', async () => {
    const resolver = new Resolver();
    const names = resolver.names();
    const ending = new AbortController();
    const hanging = settled(names.find('ada', asker(ending.signal)));
    const waiting = names.find('eve', asker());
    ending.abort('too late');
    expect(await hanging).toBe('too late');
    expect(resolver.asked).toEqual(['ada']);
    resolver.fail('ada');
    await expect.poll(() => resolver.asked).toEqual(['ada', 'eve']);
    resolver.answer('eve');
    expect(await waiting).toEqual(ADDRESSES);
  });
});

describe('an answer that was late', () => {
  test.each([
    ['good', 'answer', 'found'],
    ['bad', 'fail', 'timeout'],
  ] as const)(
    'and %s is valid for a minute, so that the name takes no turn again and again',
    async (_, end, outcome) => {
      const resolver = new Resolver();
      const names = resolver.names();
      const first = settled(names.find('ada', asker()));
      resolver.now = 2001;
      resolver[end]('ada');
      expect(await first).toBe(outcome);
      resolver.now += 59_999;
      expect(await settled(names.find('ada', asker()))).toBe(outcome);
      expect(resolver.asked).toEqual(['ada']);
      resolver.now += 1;
      void names.find('ada', asker());
      expect(resolver.asked).toEqual(['ada', 'ada']);
    },
  );

  test('does not stand for one that was not', async () => {
    const resolver = new Resolver();
    const names = resolver.names();
    for (const [times, end, outcome] of [
      [1, 'fail', 'dns'],
      [2, 'answer', 'found'],
      [3, 'fail', 'dns'],
    ] as const) {
      const finding = settled(names.find('ada', asker()));
      expect(resolver.asked).toHaveLength(times);
      resolver.now += 2000;
      resolver[end]('ada');
      expect(await finding).toBe(outcome);
    }
  });
});
