// What reading the log promises: pages, gaps, rights.
import { OPERATOR, VIEWER, raise, until, codeOf, dataOf, type BusFixture, SETTINGS } from './bus-fixture.ts';
import { expect, test, vi } from 'vitest';

export function readingSuite(t: BusFixture): void {
  const { agent, publish, subscribe, replica, swarm } = t;
  test('a read scans a bounded part of the log and returns where to go on', async () => {
    const bus = await swarm();
    const noise = Array.from({ length: 1000 }, (_, i) => ({ topic: 'noise', data: i }));
    for (let i = 0; i < 6; i += 1) await bus.publishMany(agent('ada'), t.namespace, noise);
    await publish(bus, 'needle');
    const read = vi.spyOn(t.stores.at(-1)?.log ?? raise(), 'read');
    const found: unknown[] = [];
    for (let after: string | undefined, pages = 0; found.length === 0; pages += 1) {
      expect(pages).toBeLessThan(4);
      read.mockClear();
      const page = await bus.read(VIEWER, { namespace: t.namespace, topics: ['work.done'], after, limit: 5 });
      expect(read.mock.calls.length).toBeLessThanOrEqual(10);
      expect(page.next).not.toBe(after);
      found.push(...page.events.map(({ event }) => event.data));
      expect(page.end).toBe(found.length > 0);
      after = page.next;
    }
    expect(found).toEqual(['needle']);
    read.mockRestore();
  });

  test('the event at a position is read alone, if it is allowed and its topic matches', async () => {
    const bus = await swarm();
    const { position: at } = await publish(bus, 'this one');
    await publish(bus, 'another');
    const input = { namespace: t.namespace, after: undefined, limit: 5 };
    expect(await bus.read(VIEWER, { ...input, topics: ['work.*'], at })).toMatchObject({
      events: [{ position: at, event: { data: 'this one' } }],
      next: at,
    });
    expect(await bus.read(VIEWER, { ...input, topics: ['noise'], at })).toEqual({ events: [], next: at, end: true });
    expect(await codeOf(bus.read(VIEWER, { ...input, topics: ['>'], at: 'elsewhere-1-1' }))).toBe('COMPACTED');
    expect(await codeOf(bus.read(VIEWER, { ...input, topics: ['>'], at: 'no position' }))).toBe('INVALID_INPUT');
    expect(await codeOf(bus.read(VIEWER, { ...input, topics: ['>'], at, after: at }))).toBe('INVALID_INPUT');
  });

  test('a read answers with about 4 MiB and returns where to go on', async () => {
    const bus = await swarm();
    const large = Array.from({ length: 8 }, () => ({ topic: 'work.done', data: 'x'.repeat(250_000) }));
    const sent = [];
    for (let i = 0; i < 3; i += 1) sent.push(...(await bus.publishMany(agent('ada'), t.namespace, large)).results);
    const input = { namespace: t.namespace, topics: ['>'], limit: 100 };
    const first = await bus.read(VIEWER, { ...input, after: undefined });
    const length = JSON.stringify(first).length;
    expect(length).toBeGreaterThan(4 * 2 ** 20);
    expect(length).toBeLessThan(4.5 * 2 ** 20);
    const second = await bus.read(VIEWER, { ...input, after: first.next });
    expect([first.end, second.end]).toEqual([false, true]);
    expect([...first.events, ...second.events].map(({ position }) => ({ position }))).toMatchObject(
      sent.map((result) => ({ position: 'position' in result ? result.position : null })),
    );
  });

  test('one agent does not push out the events of others, which reads and subscriptions find between gaps', async () => {
    const bus = await swarm({}, { retention: { ...SETTINGS.retention, maxEvents: 100 } });
    const flood = Array.from({ length: 60 }, () => ({ topic: 'work.done', data: 'flood' }));
    const goals = [];
    for (let goal = 0; goal < 6; goal += 1) {
      goals.push(await bus.publish(OPERATOR, t.namespace, { topic: 'goal.submitted', data: goal }));
      await bus.publishMany(agent('ada'), t.namespace, flood);
    }
    await bus.applyRetention();

    // However its pages end, a reader that began with the oldest event is not refused.
    for (const [topics, limit] of [[['goal.>'], 1] as const, [['>'], 1] as const, [['>'], 7] as const]) {
      const read: unknown[] = [];
      for (let after: string | undefined, end = false; !end;) {
        const page = await bus.read(VIEWER, { namespace: t.namespace, topics: [...topics], after, limit });
        read.push(...page.events.map(({ event }) => event.data));
        ({ next: after, end } = page);
      }
      expect(read.filter((data) => data !== 'flood')).toEqual([0, 1, 2, 3, 4, 5]);
      expect(read.length).toBeLessThanOrEqual(100);
    }
    const position = goals[1]?.position ?? '';
    const { events } = await bus.read(VIEWER, {
      namespace: t.namespace,
      topics: ['>'],
      at: position,
      after: undefined,
      limit: 1,
    });
    expect(events).toMatchObject([{ position, event: { data: 1 } }]);

    const other = await replica({}, { retention: { ...SETTINGS.retention, maxEvents: 100 } });
    const listener = subscribe(other, { topics: ['goal.>'], from: 'earliest' });
    await until(() => expect(dataOf(listener)).toEqual([0, 1, 2, 3, 4, 5]));
    const gaps = listener.values.filter(({ type }) => type === 'gap');
    expect(gaps.length).toBeGreaterThanOrEqual(3);
    expect(gaps).toEqual(gaps.map(() => expect.objectContaining({ reason: 'retention' })));
  });

  test('a read from the earliest event is not refused when retention removes events meanwhile', async () => {
    const bus = await swarm({}, { retention: { ...SETTINGS.retention, maxEvents: 20 } });
    await publish(bus, 'old');
    const { log } = t.stores.at(-1) ?? raise();
    const ranges = log.ranges.bind(log);
    const asked = vi.spyOn(log, 'ranges').mockImplementationOnce(async (namespaces) => {
      const before = await ranges(namespaces);
      for (let i = 0; i < 60; i += 1) await publish(bus, i);
      await bus.applyRetention();
      return before;
    });
    const { events } = await bus.read(VIEWER, { namespace: t.namespace, topics: ['>'], after: undefined, limit: 100 });
    expect(events.at(-1)?.event.data).toBe(59);
    asked.mockRestore();
  });

  test('events are counted by topic', async () => {
    const bus = await swarm();
    for (let i = 0; i < 5; i += 1) await publish(bus, i, { topic: `t.${i % 2}` });
    const { log, topics } = await bus.topics({ namespace: t.namespace, limit: 10, cursor: undefined });
    expect(log).toMatchObject({ kept: 5, removed: 0, removedBytes: 0, retention: { maxEvents: expect.any(Number) } });
    expect(log.keptBytes).toBeGreaterThan(5 * 100);
    expect(topics.map(({ topic, count }) => [topic, count])).toEqual([
      ['t.0', 3],
      ['t.1', 2],
    ]);
    expect(topics[0]?.perSecond).toBeGreaterThan(0);
    const page = await bus.topics({ namespace: t.namespace, limit: 1, cursor: undefined });
    expect(page.nextCursor).toBe('t.0');
    expect((await bus.topics({ namespace: t.namespace, limit: 1, cursor: 't.0' })).topics).toMatchObject([
      { topic: 't.1' },
    ]);
  });
}
