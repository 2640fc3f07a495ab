// Consumer groups: each event to one member at a time, again when it is not acknowledged in time, and at last to the dead letters.
import { type Clock, repeat } from '@hypercode/clock';
import { type ClaimResult, type DeadLetter, type GroupInfo, SwarmError, type SwarmEvent } from '@hypercode/contracts';
import { unavailable } from '@hypercode/stores';
import { Alarm, Bookmarks, ended, type Signal, type StreamBatch } from '@hypercode/feed';
import { LRUCache } from 'lru-cache';
import { assertSameSettings, type GroupSettings } from '../store/group-settings.ts';
import type {
  ClaimOutcome,
  DeliveryRef,
  GroupDelivery,
  GroupPage,
  GroupStore,
  StoredDeadLetter,
} from '../store/group-store.ts';
import { formatPosition, type LogPosition } from '../store/position.ts';
import type { EventFeeds } from '../subscriptions/event-feeds.ts';
import { deliveryIn, deliveryOf, formatDeliveryId, groupBookmarkItem, type GroupItem } from './delivery.ts';
import type { GroupObserver } from './group-observer.ts';
import { type Claim, GroupReader } from './group-reader.ts';
import { MemberStream } from './member-stream.ts';

export interface GroupRequest {
  namespace: string;
  group: string;
  settings: GroupSettings;
  /** Where the group begins if it is made now. */
  from: 'latest' | 'earliest';
  /** Default: a name of its own. */
  consumer: string | undefined;
}

export interface GroupsOptions {
  store: GroupStore;
  feeds: EventFeeds;
  signal: Signal;
  clock: Clock;
  onError: (error: unknown) => void;
  observers: ReadonlySet<Partial<GroupObserver>>;
  /** How often a member is sent a bookmark, in milliseconds; default 15,000. */
  bookmarkIntervalMs?: number;
}

/** Plain numbers, since they move with every delivery; read when Prometheus asks. */
export interface GroupTally {
  delivered: number;
  redelivered: number;
  acked: number;
  nacked: number;
}

/** How often cursors pass events that do not match their group, and idle readers are released, in milliseconds. */
const UPKEEP_INTERVAL_MS = 1000;
/** Upkeeps after which the reader of a group without members on this replica is released. */
const IDLE_UPKEEPS = 60;
/** Cursors that are moved at the same time. */
const ADVANCED_AT_ONCE = 4;
/** How often a member is sent a bookmark, in milliseconds. */
const BOOKMARK_INTERVAL_MS = 15_000;
/** Groups whose settings are remembered for ack and nack, and for how long: a group that was lost may be made anew with others. */
const MAX_KNOWN = 10_000;
const KNOWN_MS = 5000;

interface Reading {
  readonly namespace: string;
  readonly reader: GroupReader;
  readonly unsubscribe: () => void;
  idleUpkeeps: number;
}

/** The memory that the deliveries of a claim take: taken before the store is asked for any, and left when it had none. */
export interface ClaimRoom {
  take(): void | Promise<void>;
  leave(): void;
}

export class Groups {
  readonly tally: GroupTally = { delivered: 0, redelivered: 0, acked: 0, nacked: 0 };
  readonly #options: GroupsOptions;
  readonly #readings = new Map<string, Promise<Reading>>();
  readonly #known: LRUCache<string, GroupSettings>;
  readonly #bookmarks: Bookmarks<LogPosition, GroupItem>;
  /** The newest stream of each consumer. */
  readonly #streams = new Map<string, MemberStream>();
  readonly #givingBack = new Set<Promise<void>>();
  readonly #endUpkeep: () => void;
  #keepingUp: Promise<void> = Promise.resolve();
  #closed = false;

  constructor(options: GroupsOptions) {
    this.#options = options;
    // The cache takes 0 for no time at all.
    const perf = { now: () => options.clock.monotonicMs() + 1 };
    this.#known = new LRUCache({ max: MAX_KNOWN, ttl: KNOWN_MS, ttlResolution: 0, perf });
    this.#bookmarks = new Bookmarks({
      clock: options.clock,
      intervalMs: options.bookmarkIntervalMs ?? BOOKMARK_INTERVAL_MS,
      idOf: formatPosition,
      make: groupBookmarkItem,
      onTick: () => {
        for (const stream of this.#streams.values()) stream.onChange();
      },
    });
    this.#endUpkeep = repeat(options.clock, UPKEEP_INTERVAL_MS, () => {
      this.#keepingUp = this.#keepUp().catch(options.onError);
      return this.#keepingUp;
    });
  }

  /**
   * Deliveries to one member, at most `maxInFlight` open at a time, for as long as it goes on pulling; see `MemberStream`. What it
   * leaves open is given to others at the deadline. A second stream of one consumer takes the place of the first, on this
   * replica. CONFLICT when the group has other settings.
   */
  async *consume(
    request: GroupRequest & { maxInFlight: number },
    signal: AbortSignal,
  ): AsyncGenerator<StreamBatch<GroupItem>, void, undefined> {
    const { maxInFlight, consumer = this.#options.clock.newId() } = request;
    const { reader } = await this.#enter(request);
    const stream = new MemberStream({
      reader,
      clock: this.#options.clock,
      bookmarks: this.#bookmarks,
      consumer,
      maxInFlight,
      claim: (claim) => this.#claim(request, reader, claim),
      giveBack: (deliveries) => this.#giveBack(request, deliveries),
      isClosing: () => this.#closed,
    });
    const key = `${keyOf(request.namespace, request.group)}/${consumer}`;
    this.#streams.get(key)?.replace();
    this.#streams.set(key, stream);
    try {
      yield* stream.run(signal);
    } finally {
      if (this.#streams.get(key) === stream) this.#streams.delete(key);
    }
  }

  /** Up to `max` deliveries, as soon as there is one; none when there was none within `waitMs`. */
  async claim(
    request: GroupRequest & { max: number; waitMs: number; room?: ClaimRoom | undefined },
    signal: AbortSignal,
  ): Promise<ClaimResult> {
    const { max, waitMs, room, consumer = this.#options.clock.newId() } = request;
    const { reader } = await this.#enter(request);
    const alarm = new Alarm();
    const ring = () => alarm.ring();
    const leave = reader.join({ onChange: ring, onRoom: ring });
    signal.addEventListener('abort', ring);
    let isLate = waitMs === 0;
    const cancel = this.#options.clock.schedule(waitMs, () => {
      isLate = true;
      ring();
    });
    try {
      for (let asked = false; ;) {
        if (ended(signal)) return { deliveries: [] };
        if (!asked || reader.promising) {
          const claim = { consumer, maxInFlight: MAX_CLAIMED, max, ifPromising: asked };
          await room?.take();
          const outcome = await this.#claim(request, reader, claim);
          asked = true;
          if (signal.aborted) {
            await this.#giveBack(request, outcome.deliveries);
            continue;
          }
          const { deliveries, gap } = outcome;
          if (deliveries.length > 0 || gap !== null) {
            return { deliveries: deliveries.map(deliveryOf), ...(gap === null ? {} : { gap }) };
          }
          room?.leave();
        }
        if (isLate || this.#closed) return { deliveries: [] };
        await alarm.wait();
      }
    } finally {
      cancel();
      signal.removeEventListener('abort', ring);
      leave();
    }
  }

  /** What the group was made with. NOT_FOUND when there is none. */
  async settingsOf(namespace: string, group: string): Promise<GroupSettings> {
    const key = keyOf(namespace, group);
    const known = this.#known.get(key);
    if (known !== undefined) return known;
    const found = await this.#options.store.find(namespace, group);
    if (found === null) throw new SwarmError('NOT_FOUND', `there is no consumer group "${group}"`);
    this.#known.set(key, found);
    return found;
  }

  /** An answer about a group whose settings are remembered as long as the store has it. */
  async #ofKnown<T>(namespace: string, group: string, answer: Promise<T>): Promise<T> {
    try {
      return await answer;
    } catch (error) {
      if (error instanceof SwarmError && error.code === 'NOT_FOUND') this.#known.delete(keyOf(namespace, group));
      throw error;
    }
  }

  /** How many were open and are not any more. INVALID_INPUT for an id that is none. */
  async ack(namespace: string, group: string, deliveryIds: readonly string[]): Promise<number> {
    const deliveries = deliveryIds.map(deliveryIn);
    const settled = await this.#ofKnown(namespace, group, this.#options.store.ack(namespace, group, deliveries));
    this.tally.acked += settled;
    if (settled > 0) for (const observer of this.#options.observers) observer.onAck?.(namespace, settled);
    const positions = deliveries.map(({ position }) => position);
    const reading = await this.#readings.get(keyOf(namespace, group))?.catch(() => undefined);
    if (reading?.reader.settled(positions) !== true) this.#notify(namespace, group);
    return settled;
  }

  async nack(
    namespace: string,
    group: string,
    { deliveryIds, delayMs, reason }: { deliveryIds: readonly string[]; delayMs: number; reason: string | undefined },
  ): Promise<number> {
    const deliveries = deliveryIds.map(deliveryIn);
    const how = { delayMs, reason: reason ?? null };
    const settled = await this.#ofKnown(namespace, group, this.#options.store.nack(namespace, group, deliveries, how));
    this.tally.nacked += settled;
    await this.#noteDead(namespace, group, { deliveries, settled });
    this.#notify(namespace, group);
    return settled;
  }

  async deadLetters(
    namespace: string,
    group: string,
    page: { after: number | null; limit: number },
  ): Promise<{ deadLetters: DeadLetter[]; next: number | null }> {
    const { letters, next } = await this.#options.store.deadLetters(namespace, group, page);
    return { deadLetters: letters.map(toDeadLetter), next };
  }

  /** Null: all. */
  async redrive(namespace: string, group: string, deliveryIds: readonly string[] | null): Promise<number> {
    const count = await this.#options.store.redrive(namespace, group, positionsOf(deliveryIds));
    this.#notify(namespace, group);
    return count;
  }

  /** Null: all. */
  discard(namespace: string, group: string, deliveryIds: readonly string[] | null): Promise<number> {
    return this.#options.store.discard(namespace, group, positionsOf(deliveryIds));
  }

  async list(namespace: string, page?: GroupPage): Promise<GroupInfo[]> {
    const groups = await this.#options.store.list(namespace, page);
    return groups.map(({ cursor, topics, ...rest }) => ({
      ...rest,
      topics: [...topics],
      position: formatPosition(cursor),
    }));
  }

  async close(): Promise<void> {
    this.#closed = true;
    this.#endUpkeep();
    this.#bookmarks.close();
    await this.#keepingUp;
    const readings = await Promise.allSettled(this.#readings.values());
    this.#readings.clear();
    const running = readings.filter((reading) => reading.status === 'fulfilled');
    await Promise.all(running.map(({ value }) => shut(value)));
    await Promise.all(this.#givingBack);
  }

  /** Counts the nacks of last attempts. When some of the nacks settled nothing, it is not known which: then at most those that did. */
  async #noteDead(
    namespace: string,
    group: string,
    { deliveries, settled }: { deliveries: readonly DeliveryRef[]; settled: number },
  ): Promise<void> {
    if (settled === 0 || this.#options.observers.size === 0) return;
    const settings = await this.settingsOf(namespace, group).catch(() => null);
    if (settings === null) return;
    const last = deliveries.filter(({ attempt }) => attempt >= settings.maxDeliveries).length;
    const count = Math.min(last, settled);
    if (count > 0) for (const observer of this.#options.observers) observer.onDead?.(namespace, count);
  }

  /** Asks the store, and makes the group again when the store has lost it. */
  async #claim({ namespace, group, settings }: GroupRequest, reader: GroupReader, claim: Claim): Promise<ClaimOutcome> {
    let outcome: ClaimOutcome;
    try {
      outcome = await reader.claim(claim);
    } catch (error) {
      if (!(error instanceof SwarmError) || error.code !== 'NOT_FOUND') throw error;
      const { cursor, created } = await this.#options.store.open(namespace, group, settings, 'earliest');
      reader.restart(cursor);
      const gap = created ? { lost: null, reason: 'log_lost' as const } : null;
      return { deliveries: [], cursor, room: claim.maxInFlight, nextDueMs: null, gap };
    }
    this.tally.delivered += outcome.deliveries.length;
    for (const { attempt } of outcome.deliveries) if (attempt > 1) this.tally.redelivered += 1;
    if (outcome.deliveries.length > 0) {
      for (const observer of this.#options.observers) observer.onDeliver?.(namespace, group, outcome.deliveries);
    }
    return outcome;
  }

  /**
   * What was claimed for a caller that has disconnected, or lost the right to it, goes to other members at once: it was not sent.
   * The attempt counts.
   */
  #giveBack(request: GroupRequest, deliveries: readonly GroupDelivery[]): Promise<void> {
    const given = this.#returnToGroup(request, deliveries).finally(() => this.#givingBack.delete(given));
    this.#givingBack.add(given);
    return given;
  }

  async #returnToGroup({ namespace, group }: GroupRequest, deliveries: readonly GroupDelivery[]): Promise<void> {
    if (deliveries.length === 0) return;
    const how = { delayMs: 0, reason: DISCONNECTED };
    try {
      await this.#options.store.nack(namespace, group, deliveries, how);
      this.#notify(namespace, group);
    } catch (error) {
      // When the store does not answer, the deadline gives them back.
      if (!(error instanceof SwarmError)) this.#options.onError(error);
    }
  }

  /** The group's reader on this replica, made at the first call. */
  async #enter(request: GroupRequest): Promise<Reading> {
    if (this.#closed) throw unavailable('the core is shutting down');
    const { namespace, group, settings, from } = request;
    const key = keyOf(namespace, group);
    let opening = this.#readings.get(key);
    const isOwn = opening === undefined;
    if (opening === undefined) {
      opening = this.#start({ namespace, group, settings, from });
      this.#readings.set(key, opening);
      opening.catch(() => this.#readings.delete(key));
    }
    const reading = await opening.catch((error: unknown) => {
      if (isOwn || !(error instanceof SwarmError) || error.code !== 'CONFLICT') throw error;
      return null;
    });
    // The settings of another caller were refused, or the reader was released in this moment.
    if (reading === null || this.#readings.get(key) !== opening) return this.#enter(request);
    reading.idleUpkeeps = 0;
    assertSameSettings(group, reading.reader.settings, settings);
    return reading;
  }

  async #start({ namespace, group, settings, from }: Omit<GroupRequest, 'consumer'>): Promise<Reading> {
    const { store, feeds, signal, clock } = this.#options;
    const { followed, release } = await feeds.use(namespace);
    try {
      const { cursor } = await store.open(namespace, group, settings, from);
      this.#known.set(keyOf(namespace, group), settings);
      const { retention } = feeds;
      const reader = new GroupReader({ namespace, group, settings, store, feeds, followed, retention, cursor, clock });
      const unsubscribe = signal.subscribe(channelOf(namespace, group), () => reader.tick());
      return { namespace, reader, unsubscribe, idleUpkeeps: 0 };
    } finally {
      release();
    }
  }

  /** Notifies the group's members, here and on the other replicas. */
  #notify(namespace: string, group: string): void {
    this.#options.signal.notify(channelOf(namespace, group));
  }

  async #keepUp(): Promise<void> {
    const kept: Reading[] = [];
    for (const [key, opening] of this.#readings) {
      const reading = await opening.catch(() => null);
      if (reading === null) continue;
      reading.idleUpkeeps = reading.reader.size > 0 ? 0 : reading.idleUpkeeps + 1;
      if (reading.idleUpkeeps > IDLE_UPKEEPS) {
        this.#readings.delete(key);
        await shut(reading);
      } else {
        kept.push(reading);
      }
    }
    // A store that does not answer takes two seconds for each that asks; on a Cluster it may be there for other namespaces.
    const unavailableIn = new Set<string>();
    const waiting = kept.values();
    const advance = async (): Promise<void> => {
      for (const { namespace, reader } of waiting) {
        if (unavailableIn.has(namespace)) continue;
        await reader.advance().catch((error: unknown) => {
          // The next member that joins makes it again, or waits for the store.
          if (!(error instanceof SwarmError)) throw error;
          if (error.code === 'UNAVAILABLE') unavailableIn.add(namespace);
        });
      }
    };
    await Promise.all(Array.from({ length: ADVANCED_AT_ONCE }, advance));
  }
}

/** Why an attempt failed that was not sent to its consumer. */
const DISCONNECTED = 'the consumer disconnected before the delivery was sent';

/** What one consumer over plain HTTP may have open, over all its claims. */
const MAX_CLAIMED = 10_000;

const keyOf = (namespace: string, group: string): string => `${namespace}/${group}`;
const channelOf = (namespace: string, group: string): string => `bus-group:${namespace}/${group}`;

async function shut({ reader, unsubscribe }: Reading): Promise<void> {
  unsubscribe();
  await reader.close();
}

const positionsOf = (deliveryIds: readonly string[] | null): LogPosition[] | null =>
  deliveryIds === null ? null : deliveryIds.map((id, index) => deliveryIn(id, index).position);

function toDeadLetter({ position, life, attempt, text, deadAt, history }: StoredDeadLetter): DeadLetter {
  return {
    deliveryId: formatDeliveryId({ position, life, attempt }),
    position: formatPosition(position),
    event: JSON.parse(text) as SwarmEvent,
    deadAt: new Date(deadAt).toISOString(),
    reason: history.at(-1)?.reason ?? null,
    history: history.map(({ deliveredAt, failedAt, ...rest }) => ({
      ...rest,
      deliveredAt: new Date(deliveredAt).toISOString(),
      failedAt: new Date(failedAt).toISOString(),
    })),
  };
}
