// What looking at events promises: both orders, filters, pages, ids, rights.
import { randomUUID } from 'node:crypto';
import { type ReadInput, SwarmError, type SwarmEvent } from '@hypercode/contracts';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import type { BusCaller } from '../../src/admission/caller.ts';
import type { Bus } from '../../src/bus.ts';
import type { EventLog } from '../../src/store/event-log.ts';
import { formatPosition } from '../../src/store/position.ts';
import { putPolicy } from '../policy-change.ts';
import { type BusFixture, codeOf, OPEN, OPERATOR, raise, SETTINGS, VIEWER } from './bus-fixture.ts';

type Query = Omit<ReadInput, 'namespace'>;

interface Kept {
  readonly position: string;
  readonly seq: number;
  readonly appendedAtMs: number;
  readonly event: SwarmEvent;
}

/** What the store keeps, oldest first. */
async function keptBy(log: EventLog, namespace: string): Promise<Kept[]> {
  const kept = new Map<number, Kept>();
  for (let upTo = null as Parameters<EventLog['readBack']>[1]; ;) {
    const read = await log.readBack(namespace, upTo, 200);
    if ('gap' in read) throw new Error(read.gap);
    for (const { position, appendedAtMs, text } of read.entries) {
      const event = JSON.parse(text) as SwarmEvent;
      kept.set(position.seq, {
        position: formatPosition(position),
        seq: position.seq,
        appendedAtMs: appendedAtMs ?? 0,
        event,
      });
    }
    if (read.end) return [...kept.values()].toSorted((a, b) => a.seq - b.seq);
    upTo = read.entries.at(-1)?.position ?? upTo;
  }
}

/** Everything that a query finds, page by page. What retention removes meanwhile is passed over; null when its first page is refused. */
async function readThrough(bus: Bus, namespace: string, query: Query): Promise<string[] | null> {
  const found: string[] = [];
  let { after, before } = query;
  for (let pages = 0; ; pages += 1) {
    expect(pages).toBeLessThan(2_000);
    try {
      const page = await bus.read(VIEWER, { ...query, namespace, after, before });
      expect(page.events.length).toBeLessThanOrEqual(query.limit);
      found.push(...page.events.map(({ position }) => position));
      if (page.end) return found;
      if (query.order === 'newest') before = page.next;
      else after = page.next;
    } catch (thrown) {
      const error = SwarmError.from(thrown);
      if (!error.is('COMPACTED')) throw error;
      if (pages === 0 || query.order === 'newest') return null;
      after = (error.details as { oldest: string }).oldest;
    }
  }
}

const CORRELATIONS = ['a', 'a"', 'b\\', 'é', '🐝', '","correlationId":"a', '\u2028', ' '];

export function findingSuite(t: BusFixture): void {
  const { agent, publish, replica, swarm } = t;

  test(
    'a read finds what a model finds, by every filter and in both orders, while events come and go',
    { timeout: 120_000 },
    async () => {
      const limits = { retention: { ...SETTINGS.retention, maxEvents: 200 } };
      const buses = [await swarm({}, limits), await replica({}, limits)];
      const { namespace } = t;
      const { log } = t.stores.at(-1) ?? raise();
      const operator: BusCaller = { ...OPERATOR, name: 'o "\\é' };
      const publishers = [agent('ada'), agent('ada'), agent('ada'), agent('bob'), operator];
      const anEvent = fc.record(
        {
          topic: fc.constantFrom('work.done', 'work.begun', 'goal.submitted'),
          data: fc.constantFrom(1, { correlationId: 'a' }, '"correlationId":"a"', '"causationId":"é"'),
          correlationId: fc.constantFrom(...CORRELATIONS),
          causationId: fc.constantFrom(...CORRELATIONS),
        },
        { requiredKeys: ['topic', 'data'] },
      );
      const publishSome = async (count: number): Promise<void> => {
        for (const by of fc.sample(fc.constantFrom(...publishers), 4)) {
          await buses[count % 2]?.publishMany(by, namespace, fc.sample(anEvent, count));
          await buses[0]?.applyRetention();
        }
      };
      await publishSome(60);
      const aPlace = fc.option(fc.double({ min: 0, max: 1, noNaN: true }), { nil: undefined, freq: 2 });
      const aSearch = fc.record({
        bus: fc.constantFrom(...buses),
        busy: fc.boolean(),
        order: fc.constantFrom('oldest', 'newest', undefined),
        topics: fc.option(fc.constantFrom<string[]>(['work.*'], ['goal.submitted', 'work.done'], ['>']), {
          nil: undefined,
        }),
        places: fc.record({ after: aPlace, before: aPlace, since: aPlace, until: aPlace }),
        source: fc.option(fc.constantFrom(`/agents/${namespace}/bob`, '/operators/o%20%22%5C%C3%A9', '/operators/o'), {
          nil: undefined,
          freq: 1,
        }),
        correlationId: fc.option(fc.constantFrom(...CORRELATIONS), { nil: undefined, freq: 1 }),
        causationId: fc.option(fc.constantFrom(...CORRELATIONS), { nil: undefined, freq: 1 }),
        limit: fc.constantFrom(3, 20, 500),
      });
      for (const { bus, busy, places, order, topics, ...rest } of fc.sample(aSearch, 50)) {
        const kept = await keptBy(log, namespace);
        const at = (place: number | undefined) =>
          place === undefined ? undefined : kept[Math.floor(place * (kept.length - 1))];
        const timeAt = (place: number | undefined) => {
          const ms = at(place)?.appendedAtMs;
          return ms === undefined ? undefined : new Date(ms).toISOString();
        };
        const [after, before] = [at(places.after), at(places.before)];
        const [since, until] = [timeAt(places.since), timeAt(places.until)];
        const { source, correlationId, causationId } = rest;
        const query = { ...rest, order, topics, after: after?.position, before: before?.position, since, until };
        const isTopic = (topic: string) =>
          topics === undefined ||
          topics.some(
            (pattern) => pattern === '>' || pattern === topic || (pattern === 'work.*' && topic.startsWith('work.')),
          );
        const matches = ({ seq, appendedAtMs, event }: Kept) =>
          isTopic(event.topic) &&
          seq > (after?.seq ?? 0) &&
          seq < (before?.seq ?? Infinity) &&
          (since === undefined || appendedAtMs >= Date.parse(since)) &&
          (until === undefined || appendedAtMs < Date.parse(until)) &&
          (source === undefined || event.source === source) &&
          (correlationId === undefined || event.correlationId === correlationId) &&
          (causationId === undefined || event.causationId === causationId);
        const [found] = await Promise.all([readThrough(bus, namespace, query), busy ? publishSome(20) : undefined]);
        const keptAfter = await keptBy(log, namespace);
        const context = JSON.stringify({ query, busy });
        if (found === null) {
          // An event after `after` was removed, now or by the time of the read.
          expect(after, context).toBeDefined();
          const following = (busy ? keptAfter : kept).filter(({ seq }) => seq > (after?.seq ?? 0));
          expect(following.length, context).toBeLessThan((keptAfter.at(-1)?.seq ?? 0) - (after?.seq ?? 0));
          continue;
        }
        const wanted = kept.filter(matches).map(({ position }) => position);
        const inOrder = order === 'newest' ? wanted.toReversed() : wanted;
        if (!busy) {
          expect(found, context).toEqual(inOrder);
          continue;
        }
        expect(new Set(found).size, context).toBe(found.length);
        const stillKept = new Set(keptAfter.map(({ position }) => position));
        const must = inOrder.filter((position) => stillKept.has(position));
        const known = new Set(inOrder);
        expect(
          found.filter((position) => stillKept.has(position) && known.has(position)),
          context,
        ).toEqual(must);
        const all = new Map([...kept, ...keptAfter].map((one) => [one.position, one]));
        for (const position of found) {
          const one = all.get(position);
          if (one !== undefined) expect(matches(one), context).toBe(true);
        }
      }
    },
  );

  test('the newest events are read first, and the next page goes on before them', async () => {
    const bus = await swarm();
    const empty = await bus.read(VIEWER, { namespace: t.namespace, order: 'newest', limit: 2 });
    expect(empty).toMatchObject({ events: [], end: true });
    expect(await bus.read(VIEWER, { namespace: t.namespace, order: 'newest', before: empty.next, limit: 2 })).toEqual(
      empty,
    );
    for (let i = 0; i < 5; i += 1) await publish(bus, i);
    const pages: unknown[][] = [];
    for (let before: string | undefined, end = false; !end;) {
      const page = await bus.read(VIEWER, { namespace: t.namespace, order: 'newest', before, limit: 2 });
      pages.push(page.events.map(({ event }) => event.data));
      ({ next: before, end } = page);
    }
    expect(pages).toEqual([[4, 3], [2, 1], [0]]);
    const lost = { namespace: t.namespace, before: 'elsewhere-1-1', limit: 2 };
    expect(await codeOf(bus.read(VIEWER, { ...lost, order: 'newest' }))).toBe('COMPACTED');
    expect(await codeOf(bus.read(VIEWER, lost))).toBe('COMPACTED');
    const { events } = await bus.read(VIEWER, { namespace: t.namespace, limit: 1 });
    const at = events[0]?.position ?? '';
    for (const more of [{ order: 'newest' as const }, { before: at }, { since: '2020-01-01T00:00:00Z' }]) {
      expect(await codeOf(bus.read(VIEWER, { namespace: t.namespace, at, limit: 1, ...more }))).toBe('INVALID_INPUT');
    }
  });

  test('a read for a rare event, newest first, searches a bounded part of the log', async () => {
    const bus = await swarm();
    await publish(bus, 'needle', { correlationId: 'rare' });
    const noise = Array.from({ length: 1000 }, (_, i) => ({ topic: 'noise', data: i }));
    for (let i = 0; i < 6; i += 1) await bus.publishMany(agent('ada'), t.namespace, noise);
    const input = { namespace: t.namespace, order: 'newest' as const, correlationId: 'rare', limit: 5 };
    const first = await bus.read(VIEWER, input);
    expect(first).toMatchObject({ events: [], end: false });
    const second = await bus.read(VIEWER, { ...input, before: first.next });
    expect(second).toMatchObject({ events: [{ event: { data: 'needle' } }], end: true });
  });

  test('an event is found by its id where its topic may be read, whatever the source', async () => {
    const bus = await swarm();
    const subscribe = ['work.>', 'agent.{name}.inbox'];
    const roles = { coder: { publish: ['>'], subscribe, denySubscribe: ['work.secret'], consume: [] } };
    const id = randomUUID();
    await publish(bus, 'first', { id });
    await publish(bus, 'second', { id, by: agent('bob'), topic: 'work.secret' });
    await publish(bus, 'third', { id, by: OPERATOR, topic: 'goal.submitted' });
    const dataFor = async (caller: BusCaller, more: { source?: string } = {}) =>
      (await bus.find(caller, { namespace: t.namespace, id, ...more })).events.map(({ event }) => event.data);
    expect(await dataFor(VIEWER)).toEqual(['third', 'second', 'first']);
    expect(await dataFor(VIEWER, { source: `/agents/${t.namespace}/bob` })).toEqual(['second']);
    await putPolicy(bus, t.namespace, { ...OPEN, roles }, undefined);
    expect(await dataFor(agent('eve'))).toEqual(['first']);
    expect(await codeOf(dataFor(agent('eve'), { source: '/operators/ops' }))).toBe('NOT_FOUND');
    const absent = bus.find(VIEWER, { namespace: t.namespace, id: randomUUID() });
    await expect(absent).rejects.toMatchObject({ code: 'NOT_FOUND', details: { complete: true } });

    // Without topics, a read has what may be read, and no more.
    const { events } = await bus.read(agent('eve'), { namespace: t.namespace, limit: 10 });
    expect(events.map(({ event }) => event.data)).toEqual(['first']);
    expect((await bus.read(VIEWER, { namespace: t.namespace, limit: 10 })).events).toHaveLength(3);
  });

  test('without the index, an event is found by a search of the log', async () => {
    const bus = await swarm({}, { eventIndex: false });
    const { id } = await publish(bus, 'needle');
    await bus.publishMany(
      agent('ada'),
      t.namespace,
      Array.from({ length: 700 }, (_, i) => ({ topic: 'noise', data: i })),
    );
    const found = await bus.find(VIEWER, { namespace: t.namespace, id });
    expect(found).toMatchObject({ events: [{ event: { id, data: 'needle' } }], complete: true });
  });
}
