// One consumer group as the tests of the GroupStore port use it.
import { type describeIn, waitFor } from '@hypercode/testkit';
import { at, type Replicas, entriesOf, newEvents, newNamespace, type OpenStores } from './bus-store.ts';
import type { BusStore } from '../src/store/bus-store.ts';
import type { NewEvent } from '../src/store/event-log.ts';
import type { GroupSettings } from '../src/store/group-settings.ts';
import type {
  ClaimOutcome,
  ClaimRequest,
  DeliveryRef,
  ExtendOutcome,
  GroupDelivery,
  StoredDeadLetter,
  StoredGroup,
} from '../src/store/group-store.ts';
import type { LogPosition } from '../src/store/position.ts';

export const MIB = 1024 * 1024;
export const HOUR_MS = 3_600_000;
export const SETTINGS: GroupSettings = { topics: ['>'], ackDeadlineMs: HOUR_MS, maxDeliveries: 3 };
/** Long enough for the calls that a test makes before it, short enough to wait for. */
export const SHORT_DEADLINE_MS = 300;
export const AT_ONCE = { delayMs: 0, reason: null };

/** One group, as a test uses it from either replica. */
export class GroupUnderTest {
  readonly #first: BusStore;
  readonly namespace = newNamespace();
  readonly name = 'workers';

  /** `first` is the replica that makes the group and appends its events. */
  constructor(first: BusStore) {
    this.#first = first;
  }

  openGroup(settings: Partial<GroupSettings> = {}): ReturnType<BusStore['groups']['open']> {
    return this.#first.groups.open(this.namespace, this.name, { ...SETTINGS, ...settings }, 'earliest');
  }

  /** Makes the group, with `count` events that are unread. */
  async withEvents(
    count: number,
    settings: Partial<GroupSettings> = {},
  ): Promise<{ events: NewEvent[]; positions: LogPosition[] }> {
    await this.openGroup(settings);
    const events = newEvents(count);
    const appended = await this.#first.log.append(this.namespace, events);
    return { events, positions: appended.map(({ position }) => position) };
  }

  /** Makes the group, with `count` events that have all died, in their order. */
  async withDeadLetters(
    count: number,
  ): Promise<{ events: NewEvent[]; positions: LogPosition[]; deliveries: readonly GroupDelivery[] }> {
    const made = await this.withEvents(count, { maxDeliveries: 1 });
    const { deliveries } = await this.claim(this.#first);
    for (const delivery of deliveries) {
      await this.nack(this.#first, [delivery], { delayMs: 0, reason: `no ${delivery.position.seq}` });
    }
    return { ...made, deliveries };
  }

  async figures(store: BusStore): Promise<StoredGroup> {
    const groups = await store.groups.list(this.namespace);
    return at(
      groups.filter(({ group }) => group === this.name),
      0,
    );
  }

  /** What is unread, as a caller would offer it. */
  async offer(store: BusStore, limit = 1_000): Promise<NonNullable<ClaimRequest['offer']>> {
    const { cursor, version } = await this.figures(store);
    const entries = await entriesOf(store.log, this.namespace, cursor, limit);
    return { version, after: cursor, entries, upTo: entries.at(-1)?.position ?? cursor };
  }

  /** Claims due and unread events. */
  async claim(
    store: BusStore,
    request: {
      consumer?: string;
      maxInFlight?: number;
      max?: number;
      isSign?: boolean;
      patienceMs?: number;
      offer?: NonNullable<ClaimRequest['offer']> | null;
    } = {},
  ): Promise<ClaimOutcome> {
    const { consumer = 'ann', maxInFlight = 1_000, max = 1_000, isSign = true, patienceMs = 0 } = request;
    const offer = request.offer === undefined ? await this.offer(store) : request.offer;
    return store.groups.claim(this.namespace, this.name, { consumer, isSign, patienceMs, maxInFlight, max, offer });
  }

  /** Claims due events until there is one. */
  async due(store: BusStore, consumer = 'ann'): Promise<GroupDelivery> {
    return waitFor(async () => (await this.claim(store, { consumer, max: 1, offer: null })).deliveries[0], {
      what: 'an event to be due',
      intervalMs: 5,
    });
  }

  ack(store: BusStore, deliveries: readonly DeliveryRef[]): Promise<number> {
    return store.groups.ack(this.namespace, this.name, deliveries);
  }

  nack(
    store: BusStore,
    deliveries: readonly DeliveryRef[],
    how: { delayMs: number; reason: string | null } = AT_ONCE,
  ): Promise<number> {
    return store.groups.nack(this.namespace, this.name, deliveries, how);
  }

  giveBack(store: BusStore, deliveries: readonly DeliveryRef[]): Promise<number> {
    return store.groups.giveBack(this.namespace, this.name, deliveries);
  }

  extend(store: BusStore, deliveries: readonly DeliveryRef[], byMs: number): Promise<ExtendOutcome> {
    return store.groups.extend(this.namespace, this.name, deliveries, byMs);
  }

  async deadLetters(
    store: BusStore,
    page: { after: number | null; limit: number } = { after: null, limit: 1_000 },
  ): Promise<readonly StoredDeadLetter[]> {
    return (await store.groups.deadLetters(this.namespace, this.name, page)).letters;
  }
}

/** What the parts of the suite share. */
export interface GroupSuite {
  readonly open: OpenStores;
  /** `describe`, for what does not run on a driver that repeats another one. */
  readonly describeWhole: ReturnType<typeof describeIn>;
  /** The stores, and the group of the test that runs. */
  current(): { stores: Replicas; first: BusStore; second: BusStore; group: GroupUnderTest };
}
