// What a bus promises, as tests through its public face: run on PGlite, PostgreSQL and Redis.
import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { HeldClock } from '@hypercode/clock/testing';
import {
  type GroupEvent,
  type PolicyRules,
  type PublishInput,
  type PublishResult,
  type SubscriptionEvent,
  SwarmError,
} from '@hypercode/contracts';
import { type Database, migrate } from '@hypercode/stores';
import { createLocalSignal, type Signal, type StreamItem } from '@hypercode/feed';
import { describeIn, type SuiteScope } from '@hypercode/testkit';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test, vi } from 'vitest';
import type { PublishRate } from '../src/admission/admit.ts';
import type { AgentCaller, AgentCircuit, BusCaller } from '../src/admission/caller.ts';
import { Bus, type BusOptions } from '../src/bus.ts';
import { busSchema } from '../src/database-schema.ts';
import type { PolicySchema } from '../src/policies/policy-table.ts';
import type { BusStore } from '../src/store/bus-store.ts';
import type { StoreTime } from './bus-store.ts';
import { putPolicy } from './policy-change.ts';
import type { LogSettings } from '../src/store/event-log.ts';

/** The stores of one test file, whatever they are. */
export interface BusBackend {
  /** Where policies are, for one more replica. */
  database(): Promise<{ database: Database; close: () => Promise<void> }>;
  /** Where events are, for one more replica. */
  store(database: Database, settings: LogSettings): BusStore;
  /** A signal that reaches the other replicas. */
  signal(): Signal;
  /** The store's time from now on. Called once, when the tables are made. */
  time(): Promise<StoreTime>;
  /** Takes away what the store has of a namespace's log, as a store that lost its data does; groups stay. */
  loseLog(namespace: string): Promise<void>;
  close(): Promise<void>;
}

const SETTINGS: LogSettings = {
  retention: { maxEvents: 100_000, maxBytes: 2 ** 30, maxAgeMs: 86_400_000 },
  dedupWindowMs: 600_000,
};
const OPERATOR: BusCaller = { kind: 'operator', name: 'ops', id: 'ops', readOnly: false };
const VIEWER: BusCaller = { kind: 'operator', name: 'eye', id: 'eye', readOnly: true };
const OPEN: PolicyRules = { roles: {}, default: { publish: ['>'], subscribe: ['>'], consume: ['*'] } };
const UNLIMITED: PublishRate = { take: () => undefined };
const NO_TOKEN_ENDS = new AbortController().signal;

/** Allows each caller so many events. */
function atMost(events: number): PublishRate {
  const taken = new Map<string, number>();
  return {
    take(caller) {
      const count = (taken.get(caller) ?? 0) + 1;
      taken.set(caller, count);
      if (count > events) throw new SwarmError('RATE_LIMITED', 'too many events', { retryAfterMs: 250 });
    },
  };
}

function raise(): never {
  throw new Error('no replica was started');
}

const until = <T>(condition: () => T | Promise<T>): Promise<T> =>
  vi.waitFor(condition, { timeout: 15_000, interval: 10 });

const codeOf = (call: Promise<unknown>): Promise<string> =>
  call.then(
    () => 'no refusal',
    (error: unknown) => SwarmError.from(error).code,
  );

/** Reads a stream at its own pace into a list. */
class Listener<V extends { type: string }> {
  readonly values: V[] = [];
  readonly ids: string[] = [];
  refusal: SwarmError | null = null;
  ended = false;
  readonly #over = new AbortController();
  readonly #reading: Promise<void>;

  constructor(open: (over: AbortController) => AsyncGenerator<readonly StreamItem<V>[], void>) {
    this.#reading = this.#read(open(this.#over)).catch((error: unknown) => {
      this.refusal = SwarmError.from(error);
    });
  }

  of<T extends V['type']>(type: T): Extract<V, { type: T }>[] {
    return this.values.filter((value): value is Extract<V, { type: T }> => value.type === type);
  }

  async stop(): Promise<void> {
    this.#over.abort();
    await this.#reading;
  }

  async #read(stream: AsyncGenerator<readonly StreamItem<V>[], void>): Promise<void> {
    for await (const batch of stream) {
      for (const item of batch) {
        // What goes out as text is what goes out as a value.
        assert.deepEqual(JSON.parse(item.json), item.event);
        assert.equal(item.type, item.event.type);
        item.sent?.();
        this.values.push(item.event);
        this.ids.push(item.id);
      }
    }
    this.ended = true;
  }
}

const CLOSED: AgentCircuit = { circuit: 'closed', circuitOpenUntilMs: null, circuitReason: null };

const dataOf = (listener: Listener<SubscriptionEvent>): unknown[] =>
  listener.of('event').map(({ event }) => event.data);

/** `openBackend` is called once, for new, empty stores. */
/** `scope` is what runs of it, on a backend that repeats another one. */
export function busSuite(openBackend: () => Promise<BusBackend>, scope: SuiteScope = 'whole'): void {
  const describeWhole = describeIn(scope);
  let backend: BusBackend;
  const stack: (() => Promise<void>)[] = [];
  /** Of the replicas, in the order in which they were started. */
  const stores: BusStore[] = [];
  let namespace = '';
  let storeTime: StoreTime;
  /** Of all replicas of a test. It stands still unless the test moves it. */
  let clock: HeldClock;

  beforeAll(async () => {
    backend = await openBackend();
    const { database, close } = await backend.database();
    await migrate(database.kysely, [busSchema]);
    await close();
    storeTime = await backend.time();
  }, 120_000);
  beforeEach(() => {
    clock = new HeldClock();
  });
  afterEach(async () => {
    for (const undo of stack.splice(0).toReversed()) await undo();
    expect(clock.armed).toBe(0);
  });
  afterAll(() => backend.close());

  async function replica(options: Partial<BusOptions> = {}, settings: Partial<LogSettings> = {}): Promise<Bus> {
    const { database, close } = await backend.database();
    const store = backend.store(database, { ...SETTINGS, ...settings });
    stores.push(store);
    const signal = backend.signal();
    const bus = new Bus({
      store,
      db: database.kysely.$extendTables<PolicySchema>(),
      signal,
      circuitOf: () => CLOSED,
      isAgent: async () => false,
      rate: UNLIMITED,
      byteRate: UNLIMITED,
      clock,
      onError: () => undefined,
      ...options,
    });
    stack.push(async () => {
      await bus.close();
      await signal.close();
      await store.close();
      await close();
    });
    return bus;
  }

  /** Lets so much time pass in the store, and then on the replicas. */
  async function pass(ms: number): Promise<void> {
    await storeTime.pass(ms);
    clock.advance(ms);
  }

  /** One bus in a namespace of its own, in which everybody may do everything. */
  async function swarm(options: Partial<BusOptions> = {}, settings: Partial<LogSettings> = {}): Promise<Bus> {
    namespace = `n${randomUUID().slice(0, 12)}`;
    const bus = await replica(options, settings);
    await putPolicy(bus, namespace, OPEN, undefined);
    return bus;
  }

  const agent = (name: string): AgentCaller => ({
    kind: 'agent',
    agentId: `id-of-${name}`,
    namespace,
    name,
    role: 'coder',
  });

  const publish = (bus: Bus, data: PublishInput['data'], more: Partial<PublishInput> & { by?: BusCaller } = {}) => {
    const { by = agent('ada'), topic = 'work.done', ...input } = more;
    return bus.publish(by, namespace, { topic, data, ...input });
  };

  function subscribe(
    bus: Bus,
    {
      by = agent('eve'),
      topics = ['>'],
      from = 'latest',
      lastEventId = undefined as string | undefined,
      ...more
    }: {
      by?: BusCaller;
      topics?: string[];
      from?: 'latest' | 'earliest' | { after: string };
      lastEventId?: string | undefined;
    } = {},
  ): Listener<SubscriptionEvent> {
    const input = { namespace, topics, from, lastEventId, ...more };
    const listener = new Listener<SubscriptionEvent>(({ signal }) => bus.subscribe(by, input, signal));
    stack.push(() => listener.stop());
    return listener;
  }

  const attached = (listener: Listener<SubscriptionEvent>) =>
    until(() => expect(listener.values[0]).toMatchObject({ type: 'bookmark' }));

  const groupInput = (more: object = {}) => ({
    namespace,
    group: 'crew',
    topics: ['work.>'],
    from: 'earliest' as const,
    ackDeadlineMs: 30_000,
    maxDeliveries: 3,
    consumer: undefined,
    maxInFlight: 16,
    lastEventId: undefined,
    ...more,
  });

  function consume(bus: Bus, more: object = {}, by: BusCaller = agent('worker')): Listener<GroupEvent> {
    const listener = new Listener<GroupEvent>((over) => bus.consume(by, groupInput(more), over));
    stack.push(() => listener.stop());
    return listener;
  }

  const ack = (bus: Bus, deliveryIds: string[], by: BusCaller = agent('worker')) =>
    bus.ack(by, namespace, 'crew', deliveryIds);

  describe('publishing', () => {
    test('a publish is answered with the id and position, and the core sets the source', async () => {
      const bus = await swarm();
      const result = await publish(bus, { n: 1 }, { subject: 'x' });
      const input = { topic: 'work.done', data: 2, source: '/agents/x/somebody-else', namespace: 'elsewhere' };
      await bus.publishMany(agent('ada'), namespace, [input]);
      await bus.publish(OPERATOR, namespace, { topic: 'work.done', data: 3 });
      const { events } = await bus.read(VIEWER, { namespace, topics: ['>'], after: undefined, limit: 10 });
      expect(events[0]).toMatchObject({ position: result.position, event: { id: result.id, subject: 'x' } });
      expect(events.map(({ event }) => [event.data, event.source, event.namespace])).toEqual([
        [{ n: 1 }, `/agents/${namespace}/ada`, namespace],
        [2, `/agents/${namespace}/ada`, namespace],
        [3, '/operators/ops', namespace],
      ]);
    });

    test('a repeated publish, on any replica, is answered with the first position', async () => {
      const bus = await swarm();
      const other = await replica();
      const listener = subscribe(other);
      await attached(listener);
      const id = randomUUID();
      const first = await publish(bus, 'once', { id });
      const again = await Promise.all([publish(bus, 'once', { id }), publish(other, 'once', { id: id.toUpperCase() })]);
      for (const one of again) expect(one).toEqual({ ...first, duplicate: true });
      const [a, b] = (
        await other.publishMany(agent('ada'), namespace, [
          { id, topic: 'work.done', data: 'once' },
          { topic: 'work.done', data: 'last' },
        ])
      ).results;
      expect(a).toEqual({ ...first, duplicate: true });
      expect(b).toMatchObject({ duplicate: false });
      await until(() => expect(dataOf(listener)).toEqual(['once', 'last']));
    });

    test('a source cannot use up an id of another source', async () => {
      const bus = await swarm();
      const id = randomUUID();
      await publish(bus, 'mine', { id, by: agent('eve') });
      expect(await publish(bus, 'yours', { id, by: agent('ada') })).toMatchObject({ id, duplicate: false });
    });

    test('each event of a list is admitted by itself', async () => {
      const bus = await swarm();
      await putPolicy(bus, namespace, { roles: {}, default: { publish: ['a.*'], subscribe: ['>'] } }, 1);
      const id = randomUUID();
      const { results } = await bus.publishMany(agent('ada'), namespace, [
        { topic: 'a.b', data: 1 },
        { id, topic: 'b', data: 2 },
        { topic: 'a..b', data: 3 },
        { topic: 'a.c', data: undefined },
        null,
        { topic: 'a.d', data: 'x'.repeat(300_000) },
        { topic: 'system.a', data: 1 },
        { topic: 'a.e', data: '\ud800' },
        { topic: 'a.f', data: 4 },
      ]);
      const codes = results.map((result) => ('error' in result ? result.error.code : 'ok'));
      expect(codes).toEqual([
        'ok',
        'ACL_DENIED',
        'INVALID_INPUT',
        'INVALID_INPUT',
        'INVALID_INPUT',
        'PAYLOAD_TOO_LARGE',
        'ACL_DENIED',
        'INVALID_INPUT',
        'ok',
      ]);
      expect(results[1]).toMatchObject({ id, error: { details: { role: 'coder', topic: 'b', rule: null } } });
    });

    test('a refusal by circuit or rate carries the time after which to retry', async () => {
      const now = clock.epochMs();
      let circuit: AgentCircuit | null = CLOSED;
      const circuitOf = ({ name }: AgentCaller) => (name === 'ada' ? circuit : CLOSED);
      const bus = await swarm({ rate: atMost(3), circuitOf });
      const refusalOf = (more: Partial<AgentCircuit>) => {
        circuit = { circuit: 'open', circuitReason: 'four failures', circuitOpenUntilMs: null, ...more };
        return publish(bus, 1).catch((error: unknown) => error);
      };
      expect(await refusalOf({ circuitOpenUntilMs: now + 28_999.5 })).toMatchObject({
        code: 'CIRCUIT_OPEN',
        message: expect.stringContaining('four failures'),
        retryAfterMs: 29_000,
      });
      // The time is unknown: an operator tripped it, its time has passed by this clock, or it has its trials.
      expect(await refusalOf({})).toMatchObject({ code: 'CIRCUIT_OPEN', retryAfterMs: 1000 });
      expect(await refusalOf({ circuitOpenUntilMs: now })).toMatchObject({ code: 'CIRCUIT_OPEN', retryAfterMs: 1000 });
      expect(await refusalOf({ circuit: 'half_open' })).toMatchObject({ code: 'CIRCUIT_OPEN', retryAfterMs: 1000 });
      circuit = null;
      await expect(publish(bus, 1)).rejects.toMatchObject({ code: 'UNAVAILABLE' });
      circuit = CLOSED;
      for (let i = 0; i < 3; i += 1) await publish(bus, i);
      await expect(publish(bus, 4)).rejects.toMatchObject({ code: 'RATE_LIMITED', retryAfterMs: 250 });
      await publish(bus, 'another agent', { by: agent('eve') });
    });

    test('events are counted by their bytes as JSON, and the rest of a list is refused with the event that is too much', async () => {
      const taken: [caller: string, bytes: number | undefined][] = [];
      const byteRate: PublishRate = {
        take: (caller, bytes = 0) => {
          if (bytes > 1000) throw new SwarmError('RATE_LIMITED', 'too many bytes', { retryAfterMs: 10 });
          taken.push([caller, bytes]);
        },
      };
      const bus = await swarm({ byteRate });
      const given = ['a', 'x'.repeat(1000), 'c'].map((data) => ({ topic: 'a.a', data }));
      const { results } = await bus.publishMany(agent('ada'), namespace, given);
      const limited = { error: { code: 'RATE_LIMITED', retryAfterMs: 10 } };
      expect(results).toMatchObject([{ duplicate: false }, limited, limited]);
      await expect(bus.publish(agent('ada'), namespace, { topic: 'a.a', data: '€'.repeat(400) })).rejects.toMatchObject(
        {
          code: 'RATE_LIMITED',
        },
      );
      const { events } = await bus.read(OPERATOR, { namespace, topics: ['a.a'], after: undefined, limit: 10 });
      expect(taken).toEqual([[`agent ${namespace} ada`, Buffer.byteLength(JSON.stringify(events[0]?.event))]]);
      // The core's own events have no limit.
      await bus.publishSystem(namespace, { topic: 'system.test', data: 'x'.repeat(1000) });
    });

    test('what was published of a list that met the rate is its beginning', async () => {
      // The next one is allowed again, as when the bucket fills while the list is read.
      const refusing = new Set([3]);
      let count = 0;
      const rate: PublishRate = {
        take: () => {
          count += 1;
          if (refusing.has(count)) throw new SwarmError('RATE_LIMITED', 'too many events', { retryAfterMs: 10 });
        },
      };
      const bus = await swarm({ rate });
      const listener = subscribe(bus);
      await attached(listener);
      const given = ['a.a', 'system.no', 'a.b', 'a.c', 'a.d', 'system.no', 'a.e'].map((topic, data) => ({
        topic,
        data,
      }));
      const ids = given.map(() => randomUUID());
      const events = [...given.map((event, index) => ({ ...event, id: ids[index] })), { topic: 'not a topic' }];
      const { results } = await bus.publishMany(agent('ada'), namespace, events);
      const limited = { code: 'RATE_LIMITED', retryable: true, retryAfterMs: 10 };
      expect(results).toMatchObject([
        { id: ids[0], duplicate: false },
        { id: ids[1], error: { code: 'ACL_DENIED' } },
        { id: ids[2], duplicate: false },
        ...ids.slice(3).map((id) => ({ id, error: limited })),
        { id: null, error: limited },
      ]);
      // None of them was counted.
      expect(count).toBe(3);
      await bus.publishMany(agent('ada'), namespace, events.slice(3, 5));
      await until(() => expect(dataOf(listener)).toEqual([0, 2, 3, 4]));
    });

    test('thousands of concurrent publishes keep the order of each publisher', async () => {
      const bus = await swarm();
      const other = await replica();
      const listeners = [subscribe(bus), subscribe(other), subscribe(other, { topics: ['work.done'] })];
      for (const listener of listeners) await attached(listener);
      const writers = Array.from({ length: 8 }, async (_, writer) => {
        for (let i = 0; i < 25; i += 1) await publish(writer % 2 === 0 ? bus : other, [writer, i]);
      });
      await Promise.all(writers);
      for (const listener of listeners) {
        await until(() => expect(listener.of('event')).toHaveLength(200));
        for (let writer = 0; writer < 8; writer += 1) {
          const own = (dataOf(listener) as [number, number][]).filter(([who]) => who === writer);
          expect(own.map(([, i]) => i)).toEqual(Array.from({ length: 25 }, (_, i) => i));
        }
      }
      expect(new Set(listeners.map((listener) => JSON.stringify(dataOf(listener)))).size).toBe(1);
    });
  });

  describeWhole('subscribing', () => {
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
        const page = await bus.read(VIEWER, { namespace, topics: ['>'], after: cursor, limit: 10 });
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
        const input = { namespace, topics: ['>'], from: 'latest' as const, lastEventId: undefined };
        const stream = bus.subscribe(agent('eve'), input, over.signal);
        await stream.next();
        void stream.next().then(({ value }) => sent.push(value ?? {}));
        stack.push(async () => over.abort());
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
      clock.advance(14_999);
      expect(listener.ids).toHaveLength(1);
      clock.advance(1);
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
      expect(await codeOf(bus.read(OPERATOR, { namespace, topics: ['>'], after: position, limit: 5 }))).toBe(
        'COMPACTED',
      );
      const one = { namespace, topics: ['>'], after: undefined, at: position, limit: 5 };
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
      await backend.loseLog(namespace);
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
      await putPolicy(bus, namespace, { roles: {}, default: hiding }, undefined);
      await until(async () => expect((await other.getPolicy(namespace)).version).toBe(2));
      await publish(bus, 2, { topic: 'work.secret.plan' });
      await publish(bus, 3, { topic: 'work.open' });
      await until(() => expect(dataOf(listener)).toEqual([1, 3]));
      await putPolicy(bus, namespace, { roles: {}, default: { publish: ['>'], subscribe: [] } }, 2);
      await until(() => expect(listener.refusal).toMatchObject({ code: 'ACL_DENIED', details: { topic: 'work.>' } }));
    });

    test('a subscriber receives events and changes of policy with the poll when wake-ups are lost', async () => {
      const bus = await swarm();
      const silence = createLocalSignal();
      stack.push(() => silence.close());
      const listener = subscribe(await replica({ signal: silence }));
      await attached(listener);
      await publish(bus, 1);
      expect(dataOf(listener)).toEqual([]);
      clock.advance(1000);
      await until(() => expect(dataOf(listener)).toEqual([1]));
      await putPolicy(bus, namespace, { roles: {}, default: { publish: ['>'], subscribe: [] } }, undefined);
      expect(listener.refusal).toBeNull();
      clock.advance(1000);
      await until(() => expect(listener.refusal?.code).toBe('ACL_DENIED'));
    });

    test('a policy that changes while a subscription opens applies to it', async () => {
      const bus = await swarm();
      const { log } = stores.at(-1) ?? raise();
      const ranges = log.ranges.bind(log);
      const asked = vi.spyOn(log, 'ranges').mockImplementationOnce(async (namespaces) => {
        await putPolicy(bus, namespace, { roles: {}, default: { publish: ['>'], subscribe: [] } }, undefined);
        return ranges(namespaces);
      });
      const listener = subscribe(bus);
      await until(() => expect(listener.refusal?.code).toBe('ACL_DENIED'));
      asked.mockRestore();
    });
  });

  describeWhole('reading', () => {
    test('a read scans a bounded part of the log and returns where to go on', async () => {
      const bus = await swarm();
      const noise = Array.from({ length: 1000 }, (_, i) => ({ topic: 'noise', data: i }));
      for (let i = 0; i < 6; i += 1) await bus.publishMany(agent('ada'), namespace, noise);
      await publish(bus, 'needle');
      const read = vi.spyOn(stores.at(-1)?.log ?? raise(), 'read');
      const found: unknown[] = [];
      for (let after: string | undefined, pages = 0; found.length === 0; pages += 1) {
        expect(pages).toBeLessThan(4);
        read.mockClear();
        const page = await bus.read(VIEWER, { namespace, topics: ['work.done'], after, limit: 5 });
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
      const input = { namespace, after: undefined, limit: 5 };
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
      for (let i = 0; i < 3; i += 1) sent.push(...(await bus.publishMany(agent('ada'), namespace, large)).results);
      const input = { namespace, topics: ['>'], limit: 100 };
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
        goals.push(await bus.publish(OPERATOR, namespace, { topic: 'goal.submitted', data: goal }));
        await bus.publishMany(agent('ada'), namespace, flood);
      }
      await bus.applyRetention();

      // However its pages end, a reader that began with the oldest event is not refused.
      for (const [topics, limit] of [[['goal.>'], 1] as const, [['>'], 1] as const, [['>'], 7] as const]) {
        const read: unknown[] = [];
        for (let after: string | undefined, end = false; !end;) {
          const page = await bus.read(VIEWER, { namespace, topics: [...topics], after, limit });
          read.push(...page.events.map(({ event }) => event.data));
          ({ next: after, end } = page);
        }
        expect(read.filter((data) => data !== 'flood')).toEqual([0, 1, 2, 3, 4, 5]);
        expect(read.length).toBeLessThanOrEqual(100);
      }
      const position = goals[1]?.position ?? '';
      const { events } = await bus.read(VIEWER, { namespace, topics: ['>'], at: position, after: undefined, limit: 1 });
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
      const { log } = stores.at(-1) ?? raise();
      const ranges = log.ranges.bind(log);
      const asked = vi.spyOn(log, 'ranges').mockImplementationOnce(async (namespaces) => {
        const before = await ranges(namespaces);
        for (let i = 0; i < 60; i += 1) await publish(bus, i);
        await bus.applyRetention();
        return before;
      });
      const { events } = await bus.read(VIEWER, { namespace, topics: ['>'], after: undefined, limit: 100 });
      expect(events.at(-1)?.event.data).toBe(59);
      asked.mockRestore();
    });
  });

  describeWhole('policies', () => {
    test('a namespace begins with the shipped policy, and a put with the current version replaces it', async () => {
      const bus = await replica();
      namespace = `n${randomUUID().slice(0, 12)}`;
      expect(await bus.getPolicy(namespace)).toMatchObject({ version: 0, default: { publish: [] } });
      expect(await putPolicy(bus, namespace, OPEN, 0)).toMatchObject({ version: 1, ...OPEN });
      expect(await codeOf(putPolicy(bus, namespace, OPEN, 0))).toBe('CONFLICT');
      expect(await codeOf(putPolicy(bus, namespace, OPEN, 2))).toBe('CONFLICT');
      expect(await putPolicy(bus, namespace, OPEN, 1)).toMatchObject({ version: 2 });
      const racing = [bus, await replica()].map((one) => codeOf(putPolicy(one, namespace, OPEN, 2)));
      expect((await Promise.all(racing)).toSorted()).toEqual(['CONFLICT', 'no refusal']);
    });

    test('an explanation names the rule that decided', async () => {
      const bus = await replica();
      namespace = `n${randomUUID().slice(0, 12)}`;
      const ada = { name: 'ada', role: 'worker', circuit: 'closed' as const };
      const explain = (topic: string, who: Parameters<typeof bus.explainPolicy>[1] = ada) =>
        bus.explainPolicy(namespace, who, { action: 'publish', topic });
      expect(await explain('task.ada.done')).toMatchObject({ allowed: true, rule: 'task.{name}.>' });
      expect(await explain('task.ada.assigned')).toMatchObject({ allowed: false, rule: 'task.{name}.assigned' });
      expect(await explain('other')).toMatchObject({ allowed: false, rule: null });
      const before = await bus.getPolicy(namespace);
      await putPolicy(bus, namespace, OPEN, undefined);
      expect(await explain('system.x')).toMatchObject({ allowed: false, rule: 'system.>' });
      await putPolicy(bus, namespace, before, undefined);
      expect(await explain('task.ada.done', { ...ada, circuit: 'open' })).toMatchObject({
        allowed: false,
        rule: 'task.{name}.>',
        circuit: 'open',
      });
    });

    test('an explanation of a group names its owner, or the pattern that decided', async () => {
      const bus = await replica({ isAgent: async (_namespace, name) => name === 'worker-1' || name === 'ada' });
      namespace = `n${randomUUID().slice(0, 12)}`;
      const ada = { name: 'ada', role: 'worker', circuit: 'closed' as const };
      const explain = (group: string) => bus.explainPolicy(namespace, ada, { action: 'consume', group });
      expect(await explain('ada')).toMatchObject({ allowed: true, rule: 'group of agent "ada"' });
      expect(await explain('worker')).toMatchObject({ allowed: true, rule: 'group of role "worker"' });
      expect(await explain('worker-night')).toMatchObject({ allowed: true, rule: '{role}-*' });
      expect(await explain('worker-1')).toMatchObject({ allowed: false, rule: 'group of agent "worker-1"' });
      expect(await explain('coder')).toMatchObject({ allowed: false, rule: 'group of role "coder"' });
      expect(await explain('ops')).toMatchObject({ allowed: false, rule: null, circuit: 'closed' });
      expect(await codeOf(bus.explainPolicy(namespace, ada, { action: 'consume', topic: 'a' }))).toBe('INVALID_INPUT');
      expect(await codeOf(bus.explainPolicy(namespace, ada, { action: 'publish', group: 'a' }))).toBe('INVALID_INPUT');
    });
  });

  describe('consumer groups', () => {
    test('members on both replicas share the events of a group, each event once', async () => {
      const bus = await swarm();
      const other = await replica();
      for (let i = 0; i < 60; i += 1) await publish(bus, i);
      const members = [
        consume(bus, { maxInFlight: 5 }),
        consume(other, { maxInFlight: 5 }),
        consume(other, { maxInFlight: 5 }),
      ];
      // Looked at afterwards: what a condition throws is only tried again.
      const acked = new Map<string, number>();
      await until(async () => {
        const open = members
          .flatMap((member) => member.of('delivery'))
          .filter(({ deliveryId }) => !acked.has(deliveryId));
        for (const { deliveryId } of open) acked.set(deliveryId, await ack(bus, [deliveryId]));
        expect(acked.size).toBe(60);
      });
      expect(new Set(acked.values())).toEqual(new Set([1]));
      const delivered = members.flatMap((member) => member.of('delivery'));
      expect(delivered.map(({ event }) => event.data as number).toSorted((a, b) => a - b)).toEqual(
        Array.from({ length: 60 }, (_, i) => i),
      );
      expect(members.filter((member) => member.of('delivery').length > 0).length).toBeGreaterThan(1);
      await publish(other, 'live');
      await until(() => {
        expect(members.flatMap((member) => member.of('delivery')).map(({ event }) => event.data)).toContain('live');
      });
    });

    test('a member has no more in flight than it asked for', async () => {
      const bus = await swarm();
      for (let i = 0; i < 10; i += 1) await publish(bus, i);
      const member = consume(bus, { maxInFlight: 3 });
      await until(() => expect(member.of('delivery')).toHaveLength(3));
      await publish(bus, 'more');
      expect(await ack(bus, [member.of('delivery')[0]?.deliveryId ?? ''])).toBe(1);
      await until(() => expect(member.of('delivery')).toHaveLength(4));
      await ack(
        await replica(),
        member
          .of('delivery')
          .slice(1)
          .map(({ deliveryId }) => deliveryId),
      );
      await until(() => expect(member.of('delivery')).toHaveLength(7));
      expect(await bus.listGroups(OPERATOR, namespace)).toMatchObject([
        { group: 'crew', inFlight: 3, lag: 4, deadLetters: 0 },
      ]);
    });

    test('a group redelivers what is not acknowledged in time, and moves it to dead letters in the end', async () => {
      const bus = await swarm();
      const dying = consume(bus, { ackDeadlineMs: 150, maxInFlight: 1 });
      const { id } = await publish(bus, 'poison');
      await until(() => expect(dying.of('delivery').map(({ attempt }) => attempt)).toEqual([1]));
      await dying.stop();
      await pass(150);
      const other = consume(await replica(), { ackDeadlineMs: 150, maxInFlight: 1 });
      await until(() => expect(other.of('delivery').map(({ attempt }) => attempt)).toEqual([2]));
      await pass(151);
      await until(() => expect(other.of('delivery').map(({ attempt }) => attempt)).toEqual([2, 3]));
      await pass(151);
      const dead = await until(async () => {
        const page = await bus.deadLetters(OPERATOR, { namespace, group: 'crew', limit: 10, cursor: undefined });
        expect(page.deadLetters).toHaveLength(1);
        return page.deadLetters[0];
      });
      expect(dead).toMatchObject({ event: { id, data: 'poison' }, reason: null });
      expect(dead?.history.map(({ attempt }) => attempt)).toEqual([1, 2, 3]);
      const choice = { namespace, group: 'crew', deliveryIds: [dead?.deliveryId ?? ''], all: undefined };
      expect(await bus.redrive(OPERATOR, choice)).toEqual({ count: 1 });
      await until(() => expect(other.of('delivery').at(-1)?.attempt).toBe(1));
      expect(await ack(bus, [other.of('delivery').at(-1)?.deliveryId ?? ''])).toBe(1);
      expect(await bus.discard(OPERATOR, { namespace, group: 'crew', deliveryIds: undefined, all: true })).toEqual({
        count: 0,
      });
    });

    test('a refused delivery is delivered again after its delay, and not before', async () => {
      const bus = await swarm();
      await publish(bus, 1);
      const member = consume(bus, { maxInFlight: 1 });
      await until(() => expect(member.of('delivery')).toHaveLength(1));
      const [first] = member.of('delivery');
      const deliveryIds = [first?.deliveryId ?? ''];
      const nack = { namespace, group: 'crew', deliveryIds, delayMs: 300, reason: 'not now' };
      expect(await bus.nack(agent('worker'), nack)).toBe(1);
      expect(await bus.nack(agent('worker'), nack)).toBe(0);
      // Without a delay it would be here before the group is described.
      await bus.listGroups(OPERATOR, namespace);
      expect(member.of('delivery')).toHaveLength(1);
      await pass(301);
      await until(() => expect(member.of('delivery').map(({ attempt }) => attempt)).toEqual([1, 2]));
      // A late ack settles; the attempt that it names is over.
      expect(await ack(bus, deliveryIds)).toBe(1);
      expect(await ack(bus, deliveryIds)).toBe(0);
    });

    test.each([1, 3])('events that are refused at once keep a new one waiting in no claim of %i', async (max) => {
      const bus = await swarm();
      for (let i = 0; i < 6; i += 1) await publish(bus, 'poison');
      const input = { ...groupInput({ maxDeliveries: 1_000 }), consumer: 'py', max, waitMs: 0 };
      const claim = async () => {
        const { deliveries } = await bus.claim(agent('py'), input, NO_TOKEN_ENDS);
        const deliveryIds = deliveries.map(({ deliveryId }) => deliveryId);
        await bus.nack(agent('py'), { namespace, group: 'crew', deliveryIds, delayMs: 0, reason: 'no' });
        return deliveries;
      };
      // Claims of one event alternate between due and unread events: each event was delivered once before the unread ones run out.
      for (let round = 0; round < 12; round += 1) await claim();
      await publish(bus, 'good');
      const rounds = [await claim(), await claim(), await claim()];
      expect(rounds.slice(0, 2).flatMap((round) => round.map(({ event }) => event.data))).toContain('good');
      // Nor do new ones keep the refused ones waiting.
      expect(rounds.flat().filter(({ attempt }) => attempt > 1).length).toBeGreaterThanOrEqual(max);
    });

    test('a claim without a stream answers at once or after a wait', async () => {
      const bus = await swarm();
      const input = { ...groupInput(), consumer: 'py', max: 10, waitMs: 0 };
      expect(await bus.claim(agent('py'), input, NO_TOKEN_ENDS)).toEqual({ deliveries: [] });
      const waiting = bus.claim(agent('py'), { ...input, waitMs: 20_000 }, NO_TOKEN_ENDS);
      await publish(await replica(), 'hello');
      const { deliveries } = await waiting;
      expect(deliveries).toMatchObject([{ attempt: 1, event: { data: 'hello' } }]);
      expect(await ack(bus, [deliveries[0]?.deliveryId ?? ''], agent('py'))).toBe(1);
      const gone = new AbortController();
      const given = bus.claim(agent('py'), { ...input, waitMs: 20_000 }, gone.signal);
      gone.abort();
      expect(await given).toEqual({ deliveries: [] });
    });

    test('a group gets back at once what was claimed for a caller that left or lost its rights', async () => {
      const bus = await swarm();
      const { groups: store } = stores.at(-1) ?? raise();
      const claim = store.claim.bind(store);
      const ask = vi.spyOn(store, 'claim');
      /** Ends the caller while the store is asked on its behalf. */
      const endMeanwhile = (over: AbortController, reason?: SwarmError) =>
        ask.mockImplementationOnce(async (...args) => {
          const outcome = await claim(...args);
          expect(outcome.deliveries).toHaveLength(1);
          over.abort(reason);
          return outcome;
        });
      await publish(bus, 'unseen');
      const input = { ...groupInput({ maxDeliveries: 5 }), consumer: 'py', max: 10, waitMs: 0 };

      const gone = new AbortController();
      endMeanwhile(gone);
      expect(await bus.claim(agent('py'), input, gone.signal)).toEqual({ deliveries: [] });
      const revoked = new AbortController();
      endMeanwhile(revoked, new SwarmError('UNAUTHENTICATED', 'revoked'));
      expect(await codeOf(bus.claim(agent('py'), input, revoked.signal))).toBe('UNAUTHENTICATED');
      const stopped = new AbortController();
      endMeanwhile(stopped);
      const stream = bus.consume(agent('worker'), groupInput({ maxDeliveries: 5 }), stopped);
      expect(await stream.next()).toMatchObject({ value: [{ type: 'joined' }] });
      expect(await stream.next()).toEqual({ done: true, value: undefined });

      const { deliveries } = await bus.claim(agent('py'), input, NO_TOKEN_ENDS);
      expect(deliveries).toMatchObject([{ attempt: 4, event: { data: 'unseen' } }]);
      ask.mockRestore();
    });

    test('an event for one member costs the store one claim', async () => {
      const bus = await swarm();
      const members = Array.from({ length: 20 }, () => consume(bus));
      const delivered = () => members.flatMap((member) => member.of('delivery'));
      await publish(bus, 'first');
      await until(() => expect(delivered()).toHaveLength(1));
      const { groups: store } = stores.at(-1) ?? raise();
      const claim = vi.spyOn(store, 'claim');
      for (let i = 2; i <= 6; i += 1) {
        await publish(bus, i);
        await until(() => expect(delivered()).toHaveLength(i));
        await bus.listGroups(OPERATOR, namespace);
      }
      // One for each event; a poll or a deadline may have added some, but not each of twenty members its own.
      expect(claim.mock.calls.length).toBeLessThan(15);
      claim.mockRestore();
    });

    test('a claim answers at once however much of the log does not match', async () => {
      const bus = await swarm();
      const noise = Array.from({ length: 900 }, (_, i) => ({ topic: 'noise', data: i }));
      for (let i = 0; i < 3; i += 1) await bus.publishMany(agent('ada'), namespace, noise);
      await publish(bus, 'needle');
      const input = { ...groupInput(), consumer: 'py', max: 10, waitMs: 0 };
      const { deliveries } = await (await replica()).claim(agent('py'), input, NO_TOKEN_ENDS);
      expect(deliveries).toMatchObject([{ event: { data: 'needle' } }]);
    });

    test('a claim receives nothing after the policy has denied it', async () => {
      const bus = await swarm();
      const input = { ...groupInput(), consumer: 'py', max: 10, waitMs: 5000 };
      const waiting = codeOf(bus.claim(agent('py'), input, NO_TOKEN_ENDS));
      await until(async () => expect(await bus.listGroups(OPERATOR, namespace)).toHaveLength(1));
      await putPolicy(
        bus,
        namespace,
        { roles: {}, default: { publish: ['>'], subscribe: [], consume: ['*'] } },
        undefined,
      );
      expect(await waiting).toBe('ACL_DENIED');
    });

    test('a member with other settings is refused, and members that come at the same time are served', async () => {
      const bus = await swarm();
      const input = { ...groupInput(), consumer: 'py', max: 10, waitMs: 0 };
      await bus.claim(agent('py'), input, NO_TOKEN_ENDS);
      const other = await replica();
      const codes = [{ ...input, maxDeliveries: 9 }, input, input, { ...input, topics: ['>'] }].map((one) =>
        codeOf(other.claim(agent('py'), one, NO_TOKEN_ENDS)),
      );
      expect(await Promise.all(codes)).toEqual(['CONFLICT', 'no refusal', 'no refusal', 'CONFLICT']);
    });

    test('a member of a group receives its name and the settings first, and the cursor of the group every 15 s', async () => {
      const bus = await swarm();
      const settings = { topics: ['work.>'], ackDeadlineMs: 30_000, maxDeliveries: 3 };
      const member = consume(bus, { consumer: 'ada' });
      await until(() => expect(member.values).toMatchObject([{ type: 'joined', consumer: 'ada', settings }]));
      const { position } = await publish(bus, 1);
      await until(() => expect(member.of('delivery')).toHaveLength(1));
      clock.advance(15_000);
      await until(() => expect(member.of('bookmark')).toMatchObject([{ position, paused: false }]));
      expect(await bus.listGroups(OPERATOR, namespace)).toMatchObject([{ position }]);
    });

    test('a second stream of a consumer ends the first', async () => {
      const bus = await swarm();
      const before = consume(bus, { consumer: 'laptop' });
      await until(() => expect(before.of('joined')).toHaveLength(1));
      const other = consume(bus, { consumer: 'desktop' });
      const after = consume(bus, { consumer: 'laptop' });
      await until(() => expect(before.refusal?.code).toBe('CONFLICT'));
      await publish(bus, 1);
      await until(() => expect([...after.of('delivery'), ...other.of('delivery')]).toHaveLength(1));
      expect(before.of('delivery')).toEqual([]);
      expect([after.refusal, other.refusal]).toEqual([null, null]);
    });

    test('a group sends no claims to the store while what is due waits for room', async () => {
      const bus = await swarm();
      await publish(bus, 1);
      await publish(bus, 2);
      const member = consume(bus, { maxInFlight: 2 });
      await until(() => expect(member.of('delivery')).toHaveLength(2));
      const deliveryIds = member.of('delivery').map(({ deliveryId }) => deliveryId);
      await member.stop();
      const full = consume(bus, { maxInFlight: 1 });
      const nack = { namespace, group: 'crew', deliveryIds, delayMs: 0, reason: undefined };
      expect(await bus.nack(agent('worker'), nack)).toBe(2);
      await until(() => expect(full.of('delivery')).toHaveLength(1));
      const claim = vi.spyOn(stores.at(-1)?.groups ?? raise(), 'claim');
      const { length: before } = full.of('delivery');
      for (let i = 0; i < 100; i += 1) await bus.listGroups(OPERATOR, namespace);
      expect(full.of('delivery')).toHaveLength(before);
      expect(claim.mock.calls.length).toBeLessThan(10);
      claim.mockRestore();
      expect(await ack(bus, [full.of('delivery')[0]?.deliveryId ?? ''])).toBe(1);
      await until(() => expect(full.of('delivery')).toHaveLength(2));
    });

    test('the streams of a group end with the bus', async () => {
      const bus = await swarm();
      const member = consume(bus);
      const input = { ...groupInput(), consumer: 'py', max: 10, waitMs: 20_000 };
      const waiting = bus.claim(agent('py'), input, NO_TOKEN_ENDS);
      const { groups: store } = stores.at(-1) ?? raise();
      const claim = vi.spyOn(store, 'claim');
      await until(() => expect(claim.mock.calls.length).toBeGreaterThanOrEqual(1));
      await until(() => expect(member.of('joined')).toHaveLength(1));
      await bus.close();
      await until(() => expect(member.refusal?.code).toBe('UNAVAILABLE'));
      expect(await waiting).toEqual({ deliveries: [] });
      claim.mockRestore();
    });

    test('a group stream receives a gap for what retention removed', async () => {
      const retention = { ...SETTINGS.retention, maxEvents: 20 };
      const bus = await swarm({}, { retention });
      const member = consume(bus, { maxInFlight: 1 });
      await publish(bus, 'held');
      await until(() => expect(member.of('delivery')).toHaveLength(1));
      for (let i = 0; i < 100; i += 1) await publish(bus, i);
      await bus.applyRetention();
      expect(await ack(bus, [member.of('delivery')[0]?.deliveryId ?? ''])).toBe(1);
      await until(() => expect(member.of('delivery')).toHaveLength(2));
      // Retention may overtake the group once more while it is published: each time, the gap has what was lost since.
      const gaps = member.of('gap');
      expect(gaps.every(({ reason }) => reason === 'retention')).toBe(true);
      const lost = gaps.reduce((sum, gap) => sum + (gap.lost ?? Number.NaN), 0);
      expect(lost).toBe(member.of('delivery')[1]?.event.data);
      expect(lost).toBeGreaterThan(0);
    });

    test('a group stream receives a gap when its log is lost, and goes on with the new log', async () => {
      const bus = await swarm();
      const member = consume(bus);
      await publish(bus, 'before');
      await until(() => expect(member.of('delivery')).toHaveLength(1));
      await backend.loseLog(namespace);
      await publish(bus, 'after');
      await until(() => expect(member.of('delivery').map(({ event }) => event.data)).toEqual(['before', 'after']));
      expect(member.of('gap')).toMatchObject([{ reason: 'log_lost', lost: null }]);
      for (const { deliveryId } of member.of('delivery')) expect(await ack(bus, [deliveryId])).toBe(1);
    });

    test('a group has one set of settings, and refuses callers that may not subscribe to all its topics', async () => {
      const bus = await swarm();
      await publish(bus, 1);
      const member = consume(bus);
      await until(() => expect(member.of('delivery')).toHaveLength(1));
      for (const change of [{ topics: ['>'] }, { ackDeadlineMs: 999 }, { maxDeliveries: 9 }]) {
        for (const at of [bus, await replica()]) {
          const refused = consume(at, change);
          await until(() => expect(refused.refusal?.code).toBe('CONFLICT'));
        }
      }
      const deliveryIds = [member.of('delivery')[0]?.deliveryId ?? ''];
      expect(await codeOf(ack(bus, deliveryIds, VIEWER))).toBe('FORBIDDEN');
      expect(await codeOf(bus.ack(agent('worker'), namespace, 'nobody', deliveryIds))).toBe('NOT_FOUND');
      expect(await codeOf(ack(bus, ['nonsense']))).toBe('INVALID_INPUT');
      const half = { publish: ['>'], subscribe: ['>'], denySubscribe: ['work.secret'], consume: ['*'] };
      await putPolicy(bus, namespace, { roles: {}, default: half }, undefined);
      await until(() => expect(member.refusal).toMatchObject({ code: 'ACL_DENIED', details: { rule: 'work.secret' } }));
      expect(await codeOf(ack(bus, deliveryIds))).toBe('ACL_DENIED');
      expect(await ack(bus, deliveryIds, OPERATOR)).toBe(1);
    });

    describe('belong to somebody', () => {
      /** Agents by name; the registry of the test. */
      const agents = new Set<string>();
      const isAgent = async (_namespace: string, name: string) => agents.has(name);
      const as = (name: string, role: string): AgentCaller => ({ ...agent(name), role });
      const all = { publish: ['>'], subscribe: ['>'] };
      const rules: PolicyRules = {
        roles: {
          coder: all,
          qa: { ...all, consume: ['{role}', 'shared', 'night-*', 'ada'] },
          observer: { publish: [], subscribe: ['>'] },
        },
        default: { publish: [], subscribe: ['>'] },
      };

      async function protectedSwarm(): Promise<Bus> {
        agents.clear();
        for (const name of ['ada', 'coder-1', 'eve']) agents.add(name);
        const bus = await swarm({ isAgent });
        await putPolicy(bus, namespace, rules, undefined);
        return bus;
      }

      /** What each call to a group ends with; all of them alike, or the list. */
      async function doors(bus: Bus, by: BusCaller, group: string): Promise<unknown> {
        const deliveryIds = ['lost-5-5.1.1'];
        const stream = consume(bus, { group, maxInFlight: 1 }, by);
        const codes = await Promise.all([
          codeOf(bus.claim(by, { ...groupInput({ group }), consumer: 'x', max: 1, waitMs: 0 }, NO_TOKEN_ENDS)),
          codeOf(bus.ack(by, namespace, group, deliveryIds)),
          codeOf(bus.nack(by, { namespace, group, deliveryIds, delayMs: 0, reason: undefined })),
          codeOf(bus.deadLetters(by, { namespace, group, limit: 1, cursor: undefined })),
          codeOf(bus.redrive(by, { namespace, group, deliveryIds: undefined, all: true })),
          codeOf(bus.discard(by, { namespace, group, deliveryIds: undefined, all: true })),
          until(() => {
            expect(stream.values.length + (stream.refusal === null ? 0 : 1)).toBeGreaterThan(0);
            return stream.refusal?.code ?? 'no refusal';
          }),
        ]);
        await stream.stop();
        return new Set(codes).size === 1 ? codes[0] : codes;
      }

      test('groups come in pages by name, to an agent those that it may consume', async () => {
        const bus = await protectedSwarm();
        const names = ['coder', 'coder-day', 'ops', 'qa', 'shared'];
        for (const group of names)
          await bus.claim(OPERATOR, { ...groupInput({ group }), max: 1, waitMs: 0 }, NO_TOKEN_ENDS);
        const page = async (caller: BusCaller, cursor?: string) => {
          const { groups, nextCursor } = await bus.groups(caller, { namespace, limit: 2, cursor });
          return { groups: groups.map(({ group }) => group), nextCursor };
        };
        expect(await page(VIEWER)).toEqual({ groups: ['coder', 'coder-day'], nextCursor: 'coder-day' });
        expect(await page(VIEWER, 'coder-day')).toEqual({ groups: ['ops', 'qa'], nextCursor: 'qa' });
        expect(await page(VIEWER, 'qa')).toEqual({ groups: ['shared'], nextCursor: null });
        expect(await page(as('bob', 'qa'))).toEqual({ groups: ['qa', 'shared'], nextCursor: null });
      });

      test('each call to a group is for those that it belongs to, and for operators', async () => {
        const bus = await protectedSwarm();
        const groups = ['coder', 'qa', 'ada', 'coder-1', 'coder-day', 'shared', 'night-7', 'eve', 'ops', 'bob'];
        for (const group of groups)
          await bus.claim(OPERATOR, { ...groupInput({ group }), max: 1, waitMs: 0 }, NO_TOKEN_ENDS);
        const callers: [BusCaller, string[]][] = [
          [as('ada', 'coder'), ['coder', 'ada', 'coder-day']],
          [as('coder-1', 'coder'), ['coder', 'coder-1', 'coder-day']],
          // What its role may consume by pattern is another agent's all the same.
          [as('bob', 'qa'), ['qa', 'shared', 'night-7', 'bob']],
          [as('eve', 'observer'), ['eve']],
          [as('mallory', 'guest'), []],
        ];
        for (const [caller, own] of callers) {
          for (const group of groups) {
            const outcome = await doors(bus, caller, group);
            expect([caller.name, group, outcome]).toEqual([
              caller.name,
              group,
              own.includes(group) ? 'no refusal' : 'ACL_DENIED',
            ]);
          }
          const listed = await bus.listGroups(caller, namespace);
          expect(listed.map(({ group }) => group).toSorted()).toEqual(own.toSorted());
        }
        expect(await doors(bus, OPERATOR, 'ada')).toBe('no refusal');
        expect(await doors(bus, VIEWER, 'ada')).toEqual(Object.assign(Array(7).fill('FORBIDDEN'), { 3: 'no refusal' }));
        expect(await bus.listGroups(VIEWER, namespace)).toHaveLength(groups.length);
      });

      test('a group that is not there is not told apart from one of somebody else', async () => {
        const bus = await protectedSwarm();
        const refused = await bus
          .ack(as('bob', 'qa'), namespace, 'coder', ['lost-5-5.1.1'])
          .catch((error: unknown) => error);
        expect(refused).toMatchObject({
          code: 'ACL_DENIED',
          details: { role: 'qa', action: 'consume', group: 'coder', rule: 'group of role "coder"' },
        });
        expect(await codeOf(bus.ack(as('ada', 'coder'), namespace, 'coder', ['lost-5-5.1.1']))).toBe('NOT_FOUND');
      });

      test('a guest cannot make the group of an agent that comes later', async () => {
        const bus = await protectedSwarm();
        const input = { ...groupInput({ group: 'victim' }), max: 1, waitMs: 0 };
        expect(await codeOf(bus.claim(as('mallory', 'guest'), input, NO_TOKEN_ENDS))).toBe('ACL_DENIED');
        agents.add('victim');
        const own = { ...input, topics: ['task.victim.assigned'] };
        expect(await bus.claim(as('victim', 'coder'), own, NO_TOKEN_ENDS)).toEqual({ deliveries: [] });
      });

      test('a change of policy ends a stream and a waiting claim on a group, on every replica', async () => {
        const bus = await protectedSwarm();
        const stream = consume(await replica({ isAgent }), { group: 'shared' }, as('bob', 'qa'));
        const kept = consume(bus, { group: 'bob' }, as('bob', 'qa'));
        const input = { ...groupInput({ group: 'shared' }), consumer: 'x', max: 1, waitMs: 20_000 };
        const waiting = codeOf(bus.claim(as('bob', 'qa'), input, NO_TOKEN_ENDS));
        await until(() => expect([stream.values.length, kept.values.length]).toEqual([1, 1]));
        await putPolicy(bus, namespace, { ...rules, roles: { qa: all } }, undefined);
        expect(await waiting).toBe('ACL_DENIED');
        await until(() => expect(stream.refusal).toMatchObject({ code: 'ACL_DENIED', details: { group: 'shared' } }));
        expect(kept.refusal).toBeNull();
      });

      test('an agent that comes with the name of a group ends the streams of others on it', async () => {
        const bus = await protectedSwarm();
        const stream = consume(bus, { group: 'night-7' }, as('bob', 'qa'));
        const kept = consume(bus, { group: 'night-8' }, as('bob', 'qa'));
        await until(() => expect([stream.values.length, kept.values.length]).toEqual([1, 1]));
        agents.add('night-7');
        await until(() => {
          clock.advance(1000);
          expect(stream.refusal).toMatchObject({ code: 'ACL_DENIED', details: { rule: 'group of agent "night-7"' } });
        });
        expect(kept.refusal).toBeNull();
      });

      test('while the registry does not answer, what it said goes on, and a group that it was not asked about waits', async () => {
        await protectedSwarm();
        let away = false;
        const asked: string[] = [];
        const other = await replica({
          isAgent: async (_namespace, name) => {
            asked.push(name);
            if (away) throw new SwarmError('UNAVAILABLE', 'away');
            return agents.has(name);
          },
        });
        const bob = as('bob', 'qa');
        const claim = (group: string, by = bob) =>
          codeOf(other.claim(by, { ...groupInput({ group }), consumer: 'x', max: 1, waitMs: 0 }, NO_TOKEN_ENDS));
        const stream = consume(other, { group: 'shared' }, bob);
        await until(() => expect(stream.values).toHaveLength(1));
        expect(await claim('shared')).toBe('no refusal');
        expect(await claim('bob')).toBe('no refusal');
        expect(asked).toEqual(['shared']);
        away = true;
        await until(() => {
          clock.advance(1000);
          expect(asked.length).toBeGreaterThan(2);
        });
        expect([await claim('shared'), await claim('bob'), await claim('night-7')]).toEqual([
          'no refusal',
          'no refusal',
          'UNAVAILABLE',
        ]);
        expect(stream.refusal).toBeNull();
      });
    });

    test('all groups of a namespace read the log through the one ring of the replica', async () => {
      const bus = await swarm();
      const read = vi.spyOn(stores.at(-1)?.log ?? raise(), 'read');
      const groups = Array.from({ length: 40 }, (_, i) => consume(bus, { group: `crew-${i}`, maxInFlight: 100 }));
      await until(async () => expect(await bus.listGroups(OPERATOR, namespace)).toHaveLength(40));
      read.mockClear();
      for (let i = 0; i < 50; i += 1) await publish(bus, i);
      for (const member of groups) await until(() => expect(member.of('delivery')).toHaveLength(50));
      // A lost wake-up or a poll may read it again; forty groups reading it would be far more.
      expect(read.mock.calls.length).toBeLessThan(40);
      read.mockRestore();
    });

    test('the cursor of a group passes events that do not match its topics', async () => {
      const bus = await swarm();
      const member = consume(bus, { topics: ['never'] });
      for (let i = 0; i < 30; i += 1) await publish(bus, i);
      await until(async () => {
        clock.advance(1000);
        expect(await bus.listGroups(OPERATOR, namespace)).toMatchObject([{ lag: 0, inFlight: 0 }]);
      });
      expect(member.values).toMatchObject([{ type: 'joined' }]);
    });
  });

  test('events are counted by topic', async () => {
    const bus = await swarm();
    for (let i = 0; i < 5; i += 1) await publish(bus, i, { topic: `t.${i % 2}` });
    const { log, topics } = await bus.topics({ namespace, limit: 10, cursor: undefined });
    expect(log).toMatchObject({ kept: 5, removed: 0, removedBytes: 0, retention: { maxEvents: expect.any(Number) } });
    expect(log.keptBytes).toBeGreaterThan(5 * 100);
    expect(topics.map(({ topic, count }) => [topic, count])).toEqual([
      ['t.0', 3],
      ['t.1', 2],
    ]);
    expect(topics[0]?.perSecond).toBeGreaterThan(0);
    const page = await bus.topics({ namespace, limit: 1, cursor: undefined });
    expect(page.nextCursor).toBe('t.0');
    expect((await bus.topics({ namespace, limit: 1, cursor: 't.0' })).topics).toMatchObject([{ topic: 't.1' }]);
  });
}
