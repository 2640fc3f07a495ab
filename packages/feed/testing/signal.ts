// The contract of the Signal port, which every driver passes.
import { randomUUID } from 'node:crypto';
import { setImmediate as turn } from 'node:timers/promises';
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import { type LeakTracker, trackLeaks, waitFor } from '@hypercode/testkit';
import type { Signal } from '../src/signal.ts';

/** Two signals as two replicas have them, on one backend. A driver without a backend gives the same signal twice. */
export interface SignalPair {
  first: Signal;
  second: Signal;
  /** Stops the servers of the pair; the suite closes the signals. */
  close?(): Promise<void>;
}

const HOSTILE_NAMES = [
  '',
  ' ',
  "'; drop table agents; --",
  '"quoted" \\ back\\slash',
  'new\nline\r\n',
  '\u0000',
  '\ud800',
  '*',
  '{a}{b}',
  '__proto__',
  'ünïcödé 🐝',
  '🐝'.repeat(5_000),
  'x'.repeat(20_000),
  `${'x'.repeat(20_000)}y`,
];

/** Runs the contract on the pairs that `makePair` gives, a new one for each test. */
export function signalConformance(name: string, makePair: () => Promise<SignalPair>): void {
  describe(`${name} as a Signal`, () => {
    let leaks: LeakTracker;
    let pair: SignalPair;
    let channel: string;

    beforeEach(async () => {
      leaks = trackLeaks();
      pair = await makePair();
      channel = randomUUID();
      await connected(pair.first, pair.second);
    });

    afterEach(async () => {
      await closeAll(pair);
      await leaks.check();
    });

    test('a notification skips the excluded listener, and no other', async () => {
      const knowing = vi.fn();
      pair.first.subscribe(channel, knowing);
      const others = [pair.first, pair.second].map((signal) => count(signal, channel));
      const before = others.map(({ calls }) => calls);
      knowing.mockClear();
      pair.first.notify(channel, knowing);
      await waitFor(() => others.every(({ calls }, i) => calls > (before[i] ?? 0)), { what: 'the others to be woken' });
      expect(knowing).not.toHaveBeenCalled();
      pair.second.notify(channel, () => undefined);
      await waitFor(() => knowing.mock.calls.length > 0, { what: 'a wake-up from elsewhere' });
    });

    test('wakes all subscribers on both replicas', async () => {
      const listeners = [pair.first, pair.first, pair.second, pair.second].map((signal) => count(signal, channel));
      pair.first.notify(channel);
      await expectSoon(() => listeners.every(({ calls }) => calls > 0), 'all four listeners');
    });

    test('wakes from either replica', async () => {
      for (const signal of [pair.first, pair.second]) {
        const here = count(pair.first, channel);
        const there = count(pair.second, channel);
        signal.notify(channel);
        await expectSoon(() => here.calls > 0 && there.calls > 0, 'both replicas');
        here.stop();
        there.stop();
      }
    });

    test('an ended subscription receives nothing, and the others still do', async () => {
      const ended = count(pair.second, channel);
      const kept = count(pair.second, channel);
      pair.second.notify(channel);
      ended.stop();
      ended.stop();
      await expectSoon(() => kept.calls > 0, 'the kept subscription');
      const before = kept.calls;
      pair.first.notify(channel);
      await expectSoon(() => kept.calls > before, 'the kept subscription again');
      expect(ended.calls).toBe(0);
    });

    test('one listener may subscribe twice, and end each on its own', async () => {
      let calls = 0;
      const listener = () => void calls++;
      const endFirst = pair.second.subscribe(channel, listener);
      const endSecond = pair.second.subscribe(channel, listener);
      endFirst();
      pair.first.notify(channel);
      await expectSoon(() => calls > 0, 'the second subscription');
      endSecond();
    });

    test('a subscription that a listener ends while it is woken is not woken', async () => {
      const calls: string[] = [];
      const ends = ['a', 'b'].map((listener, index) =>
        pair.second.subscribe(channel, () => {
          calls.push(listener);
          ends[1 - index]?.();
        }),
      );
      pair.first.notify(channel);
      await expectSoon(() => calls.length > 0, 'one of the two');
      await passes(pair, pair.first);
      expect(new Set(calls).size).toBe(1);
    });

    test('a listener that throws does not affect the others', async () => {
      pair.second.subscribe(channel, () => {
        throw new Error('a fault in a listener');
      });
      const after = count(pair.second, channel);
      pair.first.notify(channel);
      await expectSoon(() => after.calls > 0, 'the listener after the faulty one');
      const before = after.calls;
      pair.second.notify(channel);
      await expectSoon(() => after.calls > before, 'the next wake-up');
    });

    test('ten thousand notifies become few wake-ups, one of them after the last', async () => {
      let state = 0;
      const seen = [pair.first, pair.second].map((signal) => {
        const watcher = { last: 0, calls: 0 };
        signal.subscribe(channel, () => {
          watcher.last = state;
          watcher.calls++;
        });
        return watcher;
      });
      for (let call = 1; call <= 10_000; call++) {
        state = call;
        pair.first.notify(channel);
        if (call % 100 === 0) await turn();
      }
      await expectSoon(() => seen.every(({ last }) => last === 10_000), 'a wake-up after the last notify');
      await passes(pair, pair.first);
      for (const { calls } of seen) expect(calls).toBeLessThanOrEqual(250);
    });

    test('channels do not mix, whatever their names', async () => {
      const names = HOSTILE_NAMES.map((hostile) => hostile + (hostile.length > 100 ? '' : channel));
      const distinct = [...names, ...HOSTILE_NAMES.filter((hostile) => !names.includes(hostile))];
      const counts = distinct.map((each) => count(pair.second, each));
      for (const [index, each] of distinct.entries()) {
        const before = counts.map(({ calls }) => calls);
        pair.first.notify(each);
        await expectSoon(() => (counts[index]?.calls ?? 0) > (before[index] ?? 0), `channel ${index}`);
        await passes(pair, pair.first);
        const others = counts.map(({ calls }) => calls).filter((_, other) => other !== index);
        expect(others).toEqual(before.filter((_, other) => other !== index));
      }
    });

    test('a link that lasts is not reported again, whatever is notified', async () => {
      const linked = vi.fn();
      const ends = [pair.first, pair.second].map((signal) => signal.onLinked(linked));
      pair.first.notify(channel);
      await passes(pair, pair.first);
      await passes(pair, pair.second);
      expect(linked).not.toHaveBeenCalled();
      for (const end of ends) {
        end();
        end();
      }
    });

    test('after close it is silent, and using it harms nothing', async () => {
      const { first, second } = pair;
      const closed = count(first, channel);
      const survivor = first === second ? undefined : count(second, channel);
      first.notify(channel);
      await first.close();
      await first.close();
      const before = closed.calls;
      first.notify(channel);
      const late = count(first, channel);
      survivor?.stop();
      second.notify(channel);
      if (first !== second) await passes({ first: second, second }, second);
      await turn();
      expect(closed.calls).toBe(before);
      expect(late.calls).toBe(0);
      late.stop();
      closed.stop();
    });

    test('closing while it connects leaves nothing', async () => {
      const early = await makePair();
      const listener = count(early.first, channel);
      early.first.notify(channel);
      await closeAll(early);
      const before = listener.calls;
      await turn();
      expect(listener.calls).toBe(before);
    });
  });
}

/** A pair on a server that the suite may stop. */
export interface SignalOutage extends SignalPair {
  server: { stop(): Promise<void>; start(): Promise<void>; kill(): Promise<void> };
  /** What `onError` of `second` was called with. */
  errors: Error[];
}

/** Runs what the contract says about outages. `makeOutage` gives a pair on a server of its own, once for the suite. */
export function signalOutageConformance(name: string, makeOutage: () => Promise<SignalOutage>): void {
  describe(`${name} as a Signal whose server goes away`, () => {
    for (const end of ['stop', 'kill'] as const) {
      test(`survives ${end}, wakes its listeners after it, and works as before`, { timeout: 60_000 }, async () => {
        const leaks = trackLeaks();
        const outage = await makeOutage();
        const { first, second, server, errors } = outage;
        await connected(first, second);
        const channel = randomUUID();
        const linked = { first: 0, second: 0, ended: 0 };
        first.onLinked(() => {
          linked.first += 1;
          throw new Error('a fault in a listener');
        });
        second.onLinked(() => void (linked.second += 1));
        second.onLinked(() => void (linked.ended += 1))();

        for (let round = 1; round <= 2; round++) {
          const there = count(second, channel);
          await server[end]();
          await expectSoon(() => errors.length === round, 'the outage to be noticed');
          const here = count(first, channel);
          first.notify(channel);
          await waitFor(() => here.calls > 0, { what: 'the own replica, although the server is away' });
          const during = { here: here.calls, there: there.calls };
          await server.start();
          const woken = () => here.calls > during.here && there.calls > during.there;
          await waitFor(woken, { what: 'all listeners to be woken after the outage', timeoutMs: 20_000 });
          there.stop();
          here.stop();
          await connected(first, second);
          expect(errors).toHaveLength(round);
          expect(linked).toEqual({ first: round, second: round, ended: 0 });
        }
        await closeAll(outage);
        await leaks.check();
      });
    }

    test('closes while its server is away, having reported that once', { timeout: 60_000 }, async () => {
      const leaks = trackLeaks();
      const outage = await makeOutage();
      await outage.server.stop();
      await expectSoon(() => outage.errors.length > 0, 'the outage to be noticed');
      await Promise.all([outage.first.close(), outage.second.close()]);
      expect(outage.errors).toHaveLength(1);
      await closeAll(outage);
      await leaks.check();
    });
  });
}

function count(signal: Signal, channel: string): { calls: number; stop: () => void } {
  const counter = { calls: 0, stop: () => undefined as void };
  counter.stop = signal.subscribe(channel, () => void counter.calls++);
  return counter;
}

/** Looks often, since a suite waits hundreds of times. */
function expectSoon(condition: () => boolean, what: string): Promise<boolean> {
  return waitFor(condition, { what, intervalMs: 1 });
}

/** Resolves when wake-ups go both ways: connections are made in the background. */
async function connected(first: Signal, second: Signal): Promise<void> {
  for (const [from, to] of [
    [first, second],
    [second, first],
  ] as const) {
    const channel = randomUUID();
    const probe = count(to, channel);
    const received = () => {
      from.notify(channel);
      return probe.calls > 0;
    };
    await waitFor(received, { what: 'the signals to be connected', timeoutMs: 20_000 });
    probe.stop();
  }
}

/** Resolves when what `from` sent before has arrived: later wake-ups do not overtake earlier ones. */
async function passes({ second }: SignalPair, from: Signal): Promise<void> {
  const marker = randomUUID();
  const probe = count(second, marker);
  from.notify(marker);
  await expectSoon(() => probe.calls > 0, 'a later wake-up to pass');
  probe.stop();
}

async function closeAll(pair: SignalPair): Promise<void> {
  await Promise.all([pair.first.close(), pair.second.close()]);
  await pair.close?.();
}
