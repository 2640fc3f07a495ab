// What a subscription promises: its beginning, its resumption, gaps and bookmarks, the end of rights.
import { createLocalSignal } from '@hypercode/feed';
import { putPolicy } from '../policy-change.ts';
import { OPERATOR, VIEWER, raise, until, codeOf, dataOf, type BusFixture, SETTINGS } from './bus-fixture.ts';
import { type PublishResult } from '@hypercode/contracts';
import { expect, test, vi } from 'vitest';

export function subscribingSuite(t: BusFixture): void {
  const { agent, publish, subscribe, attached, replica, swarm, groupInput } = t;
  test('a subscription begins with a bookmark and goes on from there without gap or repeat', async () => {
    const bus = await swarm();
    await publish(bus, 'before');
    const first = subscribe(bus);
    await attached(first);
    await first.stop();
    for (let i = 0; i < 5; i += 1) await publish(bus, i);
    const resumed = subscribe(bus, { lastEventId: first.ids[0] });
    await until(() => expect(dataOf(resumed)).toEqual([0, 1, 2, 3, 4]));
    const other = await replica();
    const again = (['earliest', { after: first.ids[0] ?? '' }] as const).map((from) =>
      subscribe(other, { lastEventId: resumed.ids[3], from }),
    );
    for (const one of again) await until(() => expect(dataOf(one)).toEqual([3, 4]));
    await publish(bus, 5);
    for (const one of again) await until(() => expect(dataOf(one)).toEqual([3, 4, 5]));
    expect(dataOf(subscribe(bus, { from: 'latest' }))).toEqual([]);
  });

  test.each(['its first event', 'a group'])(
    'a subscription that came before the log receives it from its beginning, which %s made',
    async (beginning) => {
      const bus = await swarm();
      const early = [subscribe(bus), subscribe(await replica()), subscribe(bus, { from: 'earliest' })];
      for (const listener of early) await attached(listener);
      const [cursor = ''] = early[0]?.ids ?? [];
      if (beginning === 'a group')
        await bus.claim(OPERATOR, { ...groupInput(), max: 1, waitMs: 0 }, AbortSignal.timeout(60_000));
      const unread = subscribe(bus, { lastEventId: cursor });
      await attached(unread);
      for (const data of [1, 2]) await publish(bus, data);
      const late = subscribe(await replica(), { lastEventId: cursor });
      for (const listener of [...early, unread, late]) {
        await until(() => expect(dataOf(listener)).toEqual([1, 2]));
        expect(listener.of('gap')).toEqual([]);
      }
      const page = await bus.read(VIEWER, { namespace: t.namespace, topics: ['>'], after: cursor, limit: 10 });
      expect(page.events.map(({ event }) => event.data)).toEqual([1, 2]);
    },
  );

  test('a subscription begins at the earliest event or after a position', async () => {
    const bus = await swarm();
    const positions: PublishResult[] = [];
    for (let i = 0; i < 700; i += 1) positions.push(await publish(bus, i));
    const everything = subscribe(await replica(), { from: 'earliest' });
    await until(() => expect(dataOf(everything)).toEqual(Array.from({ length: 700 }, (_, i) => i)));
    const tail = subscribe(bus, { from: { after: positions[650]?.position ?? '' } });
    await until(() => expect(dataOf(tail)).toEqual(Array.from({ length: 49 }, (_, i) => 651 + i)));
  });

  test('a subscription receives the events that its patterns match', async () => {
    const bus = await swarm();
    const listeners = [['a.*'], ['a.>'], ['*.b', 'c'], ['a.b.c'], ['z']].map((topics) => subscribe(bus, { topics }));
    for (const listener of listeners) await attached(listener);
    for (const topic of ['a', 'a.b', 'a.b.c', 'x.b', 'c']) await publish(bus, topic, { topic });
    const received = [['a.b'], ['a.b', 'a.b.c'], ['a.b', 'x.b', 'c'], ['a.b.c'], []];
    for (const [i, listener] of listeners.entries()) {
      await until(() => expect(dataOf(listener)).toEqual(received[i]));
    }
  });

  test('subscribers of the same patterns share the encoded items', async () => {
    const bus = await swarm();
    const sent: object[] = [];
    for (let i = 0; i < 3; i += 1) {
      const over = new AbortController();
      const input = { namespace: t.namespace, topics: ['>'], from: 'latest' as const, lastEventId: undefined };
      const stream = bus.subscribe(agent('eve'), input, over.signal);
      await stream.next();
      void stream.next().then(({ value }) => sent.push(value ?? {}));
      t.stack.push(async () => over.abort());
    }
    await publish(bus, 1);
    await until(() => expect(sent).toHaveLength(3));
    expect(new Set(sent).size).toBe(1);
  });

  test('a subscriber that has everything is sent a bookmark every 15 seconds', async () => {
    const bus = await swarm();
    const listener = subscribe(bus, { topics: ['never'] });
    await attached(listener);
    const { position } = await publish(bus, 1);
    t.clock.advance(14_999);
    expect(listener.ids).toHaveLength(1);
    t.clock.advance(1);
    await until(() => expect(listener.ids.at(-1)).toBe(position));
    expect(listener.of('event')).toEqual([]);
  });

  test('a subscription receives a gap for what retention removed, and goes on after it', async () => {
    const retention = { ...SETTINGS.retention, maxEvents: 20 };
    const bus = await swarm({}, { retention });
    const { position } = await publish(bus, 'first');
    for (let i = 0; i < 60; i += 1) await publish(bus, i);
    await bus.applyRetention();
    const listener = subscribe(await replica({}, { retention }), { lastEventId: position });
    await until(() => expect(listener.of('gap')).toMatchObject([{ after: position, reason: 'retention' }]));
    await until(() => expect(dataOf(listener).at(-1)).toBe(59));
    const received = dataOf(listener) as number[];
    expect(received.length).toBeLessThanOrEqual(20);
    expect(received).toEqual(received.map((_, i) => 60 - received.length + i));
    expect(await codeOf(bus.read(OPERATOR, { namespace: t.namespace, topics: ['>'], after: position, limit: 5 }))).toBe(
      'COMPACTED',
    );
    const one = { namespace: t.namespace, topics: ['>'], after: undefined, at: position, limit: 5 };
    expect(await codeOf(bus.read(OPERATOR, one))).toBe('COMPACTED');
  });

  test('a position of another log yields a gap, and a malformed position is refused', async () => {
    const bus = await swarm();
    await publish(bus, 1);
    const lost = subscribe(bus, { lastEventId: 'another-5-5' });
    await until(() => expect(lost.of('gap')).toMatchObject([{ after: 'another-5-5', reason: 'log_lost' }]));
    await until(() => expect(dataOf(lost)).toEqual([1]));
    const none = subscribe(bus, { lastEventId: 'nonsense' });
    await until(() => expect(none.refusal?.code).toBe('INVALID_INPUT'));
  });

  test('a subscription whose log is lost receives a gap and then the new log from its beginning', async () => {
    const bus = await swarm();
    const listeners = [subscribe(bus), subscribe(await replica())];
    for (const listener of listeners) await attached(listener);
    for (let i = 0; i < 3; i += 1) await publish(bus, i);
    for (const listener of listeners) await until(() => expect(dataOf(listener)).toEqual([0, 1, 2]));
    const after = listeners.map(({ ids }) => ids.at(-1));
    await t.backend.loseLog(t.namespace);
    for (let i = 3; i < 9; i += 1) await publish(bus, i);
    for (const [i, listener] of listeners.entries()) {
      await until(() => expect(dataOf(listener)).toEqual([0, 1, 2, 3, 4, 5, 6, 7, 8]));
      expect(listener.of('gap')).toMatchObject([{ after: after[i], reason: 'log_lost' }]);
    }
  });

  test('a change of policy ends or keeps an open subscription', async () => {
    const bus = await swarm();
    const other = await replica();
    const listener = subscribe(other, { topics: ['work.>'] });
    await attached(listener);
    await publish(bus, 1, { topic: 'work.open' });
    await until(() => expect(dataOf(listener)).toEqual([1]));
    const hiding = { publish: ['>'], subscribe: ['>'], denySubscribe: ['work.secret.>'] };
    await putPolicy(bus, t.namespace, { roles: {}, default: hiding }, undefined);
    await until(async () => expect((await other.getPolicy(t.namespace)).version).toBe(2));
    await publish(bus, 2, { topic: 'work.secret.plan' });
    await publish(bus, 3, { topic: 'work.open' });
    await until(() => expect(dataOf(listener)).toEqual([1, 3]));
    await putPolicy(bus, t.namespace, { roles: {}, default: { publish: ['>'], subscribe: [] } }, 2);
    await until(() => expect(listener.refusal).toMatchObject({ code: 'ACL_DENIED', details: { topic: 'work.>' } }));
  });

  test('a subscriber receives events and changes of policy with the poll when wake-ups are lost', async () => {
    const bus = await swarm();
    const silence = createLocalSignal();
    t.stack.push(() => silence.close());
    const listener = subscribe(await replica({ signal: silence }));
    await attached(listener);
    await publish(bus, 1);
    expect(dataOf(listener)).toEqual([]);
    t.clock.advance(1000);
    await until(() => expect(dataOf(listener)).toEqual([1]));
    await putPolicy(bus, t.namespace, { roles: {}, default: { publish: ['>'], subscribe: [] } }, undefined);
    expect(listener.refusal).toBeNull();
    t.clock.advance(1000);
    await until(() => expect(listener.refusal?.code).toBe('ACL_DENIED'));
  });

  test('a policy that changes while a subscription opens applies to it', async () => {
    const bus = await swarm();
    const { log } = t.stores.at(-1) ?? raise();
    const ranges = log.ranges.bind(log);
    const asked = vi.spyOn(log, 'ranges').mockImplementationOnce(async (namespaces) => {
      await putPolicy(bus, t.namespace, { roles: {}, default: { publish: ['>'], subscribe: [] } }, undefined);
      return ranges(namespaces);
    });
    const listener = subscribe(bus);
    await until(() => expect(listener.refusal?.code).toBe('ACL_DENIED'));
    asked.mockRestore();
  });
}
