// The buses that a suite tests: replicas on the stores of one backend, callers, and what reads their streams.
import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { HeldClock } from '@hypercode/clock/testing';
import {
  type GroupEvent,
  type PolicyRules,
  type PublishInput,
  type SubscriptionEvent,
  SwarmError,
} from '@hypercode/contracts';
import { type Database, migrate } from '@hypercode/stores';
import { type Signal, type StreamItem } from '@hypercode/feed';
import { afterAll, afterEach, beforeAll, beforeEach, vi } from 'vitest';
import type { PublishRate } from '../../src/admission/admit.ts';
import type { AgentCaller, AgentCircuit, BusCaller } from '../../src/admission/caller.ts';
import { Bus, type BusOptions, type Surroundings } from '../../src/bus.ts';
import { busSchema } from '../../src/database-schema.ts';
import type { PolicySchema } from '../../src/policies/policy-table.ts';
import type { BusStore } from '../../src/store/bus-store.ts';
import type { StoreTime } from '../bus-store.ts';
import { putPolicy } from '../policy-change.ts';
import type { LogSettings } from '../../src/store/event-log.ts';

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

export const SETTINGS: LogSettings = {
  retention: { maxEvents: 100_000, maxBytes: 2 ** 30, maxAgeMs: 86_400_000 },
  dedupWindowMs: 600_000,
};
export const OPERATOR: BusCaller = { kind: 'operator', name: 'ops', id: 'ops', readOnly: false };
export const VIEWER: BusCaller = { kind: 'operator', name: 'eye', id: 'eye', readOnly: true };
export const OPEN: PolicyRules = { roles: {}, default: { publish: ['>'], subscribe: ['>'], consume: ['*'] } };
const UNLIMITED: PublishRate = { take: () => undefined };
export const NO_TOKEN_ENDS = new AbortController().signal;

/** Allows each caller so many events. */
export function atMost(events: number): PublishRate {
  const taken = new Map<string, number>();
  return {
    take(caller) {
      const count = (taken.get(caller) ?? 0) + 1;
      taken.set(caller, count);
      if (count > events) throw new SwarmError('RATE_LIMITED', 'too many events', { retryAfterMs: 250 });
    },
  };
}

/** A replica without others, in a swarm in which no agent is registered. */
export const ALONE: Surroundings = {
  replica: 'here',
  otherStreams: async () => [],
  declaring: async () => [],
  roleAt: async () => null,
};

export function raise(): never {
  throw new Error('no replica was started');
}

export const until = <T>(condition: () => T | Promise<T>): Promise<T> =>
  vi.waitFor(condition, { timeout: 15_000, interval: 10 });

export const codeOf = (call: Promise<unknown>): Promise<string> =>
  call.then(
    () => 'no refusal',
    (error: unknown) => SwarmError.from(error).code,
  );

/** Reads a stream at its own pace into a list. */
export class Listener<V extends { type: string }> {
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

export const CLOSED: AgentCircuit = { circuit: 'closed', circuitOpenUntilMs: null, circuitReason: null };

export const dataOf = (listener: Listener<SubscriptionEvent>): unknown[] =>
  listener.of('event').map(({ event }) => event.data);

/**
 * Begins with new, empty stores, and ends with them. Each test has its own replicas, and a clock that stands still unless the test
 * moves it; after each, all replicas are closed and no timer is left.
 */
export class BusFixture {
  readonly #openBackend: () => Promise<BusBackend>;
  #opened: BusBackend | null = null;
  #storeTime: StoreTime | null = null;
  readonly stack: (() => Promise<void>)[] = [];
  /** Of the replicas, in the order in which they were started. */
  readonly stores: BusStore[] = [];
  namespace = '';
  /** Of all replicas of a test. */
  clock = new HeldClock();

  /** Registers its hooks with the suite that is being described. */
  constructor(openBackend: () => Promise<BusBackend>) {
    this.#openBackend = openBackend;
    beforeAll(() => this.#begin(), 120_000);
    beforeEach(() => {
      this.clock = new HeldClock();
    });
    afterEach(async () => {
      for (const undo of this.stack.splice(0).toReversed()) await undo();
      assert.equal(this.clock.armed, 0);
    });
    afterAll(() => this.#opened?.close());
  }

  get backend(): BusBackend {
    return this.#opened ?? raise();
  }

  async #begin(): Promise<void> {
    this.#opened = await this.#openBackend();
    const { database, close } = await this.backend.database();
    await migrate(database.kysely, [busSchema]);
    await close();
    this.#storeTime = await this.backend.time();
  }

  readonly replica = async (options: Partial<BusOptions> = {}, settings: Partial<LogSettings> = {}): Promise<Bus> => {
    const { database, close } = await this.backend.database();
    const store = this.backend.store(database, { ...SETTINGS, ...settings });
    this.stores.push(store);
    const signal = this.backend.signal();
    const bus = new Bus({
      store,
      db: database.kysely.$extendTables<PolicySchema>(),
      signal,
      circuitOf: () => CLOSED,
      isAgent: async () => false,
      surroundings: ALONE,
      rate: UNLIMITED,
      byteRate: UNLIMITED,
      clock: this.clock,
      onError: () => undefined,
      ...options,
    });
    this.stack.push(async () => {
      await bus.close();
      await signal.close();
      await store.close();
      await close();
    });
    return bus;
  };

  /** Lets so much time pass in the store, and then on the replicas. */
  readonly pass = async (ms: number): Promise<void> => {
    await this.#storeTime?.pass(ms);
    this.clock.advance(ms);
  };

  /** The time of the store. */
  readonly nowMs = async (): Promise<number> => (await this.#storeTime?.nowMs()) ?? raise();

  /** One bus in a namespace of its own, in which everybody may do everything. */
  readonly swarm = async (options: Partial<BusOptions> = {}, settings: Partial<LogSettings> = {}): Promise<Bus> => {
    this.namespace = `n${randomUUID().slice(0, 12)}`;
    const bus = await this.replica(options, settings);
    await putPolicy(bus, this.namespace, OPEN, undefined);
    return bus;
  };

  readonly agent = (name: string): AgentCaller => ({
    kind: 'agent',
    agentId: `id-of-${name}`,
    namespace: this.namespace,
    name,
    role: 'coder',
  });

  readonly publish = (bus: Bus, data: PublishInput['data'], more: Partial<PublishInput> & { by?: BusCaller } = {}) => {
    const { by = this.agent('ada'), topic = 'work.done', ...input } = more;
    return bus.publish(by, this.namespace, { topic, data, ...input });
  };

  readonly subscribe = (
    bus: Bus,
    {
      by = this.agent('eve'),
      topics = ['>'],
      from = 'latest',
      lastEventId = undefined as string | undefined,
      ...more
    }: {
      by?: BusCaller;
      topics?: string[];
      from?: 'latest' | 'earliest' | { after: string } | { time: string };
      lastEventId?: string | undefined;
    } = {},
  ): Listener<SubscriptionEvent> => {
    const input = { namespace: this.namespace, topics, from, lastEventId, ...more };
    const listener = new Listener<SubscriptionEvent>(({ signal }) => bus.subscribe(by, input, signal));
    this.stack.push(() => listener.stop());
    return listener;
  };

  readonly attached = (listener: Listener<SubscriptionEvent>) =>
    until(() => assert.equal(listener.values[0]?.type, 'bookmark'));

  readonly groupInput = (more: object = {}) => ({
    namespace: this.namespace,
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

  readonly consume = (bus: Bus, more: object = {}, by: BusCaller = this.agent('worker')): Listener<GroupEvent> => {
    const listener = new Listener<GroupEvent>((over) => bus.consume(by, this.groupInput(more), over));
    this.stack.push(() => listener.stop());
    return listener;
  };

  readonly ack = (bus: Bus, deliveryIds: string[], by: BusCaller = this.agent('worker')) =>
    bus.ack(by, this.namespace, 'crew', deliveryIds);
}
