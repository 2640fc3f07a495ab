// Consumer groups: each event to one member at a time, again when it is not acknowledged in time, and at last to the dead letters.
import { type Clock, repeat } from '@hypercode/clock';
import {
  type ClaimResult,
  type DeadLetter,
  type ExtendResult,
  type GroupInfo,
  type GroupStart,
  SwarmError,
  type SwarmEvent,
} from '@hypercode/contracts';
import { unavailable } from '@hypercode/stores';
import { Alarm, Bookmarks, ended, type Signal, type StreamBatch } from '@hypercode/feed';
import { LRUCache } from 'lru-cache';
import type { EventLog } from '../store/event-log.ts';
import { isDeleted } from '../store/group-refusals.ts';
import { assertSameSettings, groupSettings, type WantedSettings } from '../store/group-settings.ts';
import type {
  ClaimOutcome,
  DeliveryRef,
  GroupDelivery,
  GroupLimits,
  GroupMaker,
  GroupPage,
  GroupState,
  GroupStore,
  OpenedGroup,
  StoredDeadLetter,
  UsedGroup,
} from '../store/group-store.ts';
import { formatPosition, isSamePosition, type LogPosition } from '../store/position.ts';
import type { EventFeeds } from '../subscriptions/event-feeds.ts';
import { AfterStall } from './after-stall.ts';
import { deliveryIn, deliveryOf, formatDeliveryId, groupBookmarkItem, type GroupItem } from './delivery.ts';
import { groupInfo } from './group-info.ts';
import type { GroupObserver } from './group-observer.ts';
import { type Claim, GroupReader } from './group-reader.ts';
import { MemberStream } from './member-stream.ts';

export interface GroupRequest {
  namespace: string;
  group: string;
  /** The group that the caller comes back to. */
  groupId?: string | undefined;
  /** What the caller names of the settings. */
  settings: WantedSettings;
  /** Where the group begins if it is made now. */
  from: GroupStart;
  /** Default: a name of its own. */
  consumer: string | undefined;
  /** Who makes the group if it is made now. */
  maker?: GroupMaker;
  /** Refuses a member that may not receive these topics: those of the group, also after they were changed. */
  admit?: (topics: readonly string[]) => Promise<void>;
}

export interface GroupsOptions {
  store: GroupStore;
  log: Pick<EventLog, 'positionBefore'>;
  feeds: EventFeeds;
  signal: Signal;
  clock: Clock;
  onError: (error: unknown) => void;
  /** Default: none. */
  limits?: GroupLimits | undefined;
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

/** The reader of a group, and whether it was made for this caller. */
interface Entered {
  readonly reader: GroupReader;
  readonly isNew: boolean;
}

/** A caller that takes part in a group. */
interface Membership {
  readonly request: GroupRequest;
  readonly reader: GroupReader;
  /** The group whose topics the caller was last found to be allowed to receive. */
  admitted: UsedGroup | null;
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
  readonly #known: LRUCache<string, GroupState>;
  readonly #bookmarks: Bookmarks<LogPosition, GroupItem>;
  /** The newest stream of each consumer. */
  readonly #streams = new Map<string, MemberStream>();
  /** What is on its way to the store without anybody waiting for it, and readers of groups that were deleted, on their way out. */
  readonly #underWay = new Set<Promise<void>>();
  readonly #afterStall: AfterStall;
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
    this.#afterStall = new AfterStall(options.clock);
    this.#endUpkeep = repeat(options.clock, UPKEEP_INTERVAL_MS, () => {
      this.#keepingUp = this.#keepUp().catch(options.onError);
      return this.#keepingUp;
    });
  }

  /**
   * Deliveries to one member, at most `maxInFlight` open at a time, for as long as it goes on pulling; see `MemberStream`. What it
   * leaves open is given to others at the deadline. A second stream of one consumer takes the place of the first, on this
   * replica. CONFLICT when the group has other settings; NOT_FOUND (`details.deleted`) when it is deleted.
   */
  async *consume(
    request: GroupRequest & { maxInFlight: number },
    signal: AbortSignal,
  ): AsyncGenerator<StreamBatch<GroupItem>, void, undefined> {
    const { maxInFlight, consumer = this.#options.clock.newId() } = request;
    const { reader } = await this.#enterAnew(request);
    const membership: Membership = { request, reader, admitted: null };
    await this.#admit(membership);
    const stream = new MemberStream({
      reader,
      clock: this.#options.clock,
      bookmarks: this.#bookmarks,
      consumer,
      maxInFlight,
      claim: (claim) => this.#claim(membership, claim),
      giveBack: (deliveries) => this.#giveBack(request, deliveries),
      isClosing: () => this.#closed,
    });
    const key = `${keyOf(request.namespace, request.group)}/${consumer}`;
    this.#streams.get(key)?.replace();
    this.#streams.set(key, stream);
    try {
      yield* stream.run(signal);
    } finally {
      if (this.#streams.get(key) === stream) {
        this.#streams.delete(key);
        this.#leave(request, consumer);
      }
    }
  }

  /**
   * Up to `max` deliveries, as soon as there is one; none when there was none within `waitMs`, and at once when the group is paused.
   * NOT_FOUND (`details.deleted`) when the group is deleted.
   */
  async claim(
    request: GroupRequest & { max: number; waitMs: number; room?: ClaimRoom | undefined },
    signal: AbortSignal,
  ): Promise<ClaimResult> {
    const entered = await this.#enter(request);
    try {
      return await this.#claimFrom(entered.reader, request, signal);
    } catch (error) {
      // What this replica knew was a group that is no more. A caller that names no group means the one that has the name now.
      const isOther = request.groupId === undefined && isDeleted(error) && !entered.isNew;
      if (!isOther) throw error;
      const { reader } = await this.#enter(request);
      return this.#claimFrom(reader, request, signal);
    }
  }

  async #claimFrom(
    reader: GroupReader,
    request: GroupRequest & { max: number; waitMs: number; room?: ClaimRoom | undefined },
    signal: AbortSignal,
  ): Promise<ClaimResult> {
    const { max, waitMs, room, consumer = this.#options.clock.newId() } = request;
    const membership: Membership = { request, reader, admitted: null };
    await this.#admit(membership);
    const none = (): ClaimResult => ({ deliveries: [], groupId: reader.state.id });
    const alarm = new Alarm();
    const ring = () => alarm.ring();
    const member = { onChange: ring, onRoom: ring, hasRoom: true };
    const leave = reader.join(member);
    signal.addEventListener('abort', ring);
    let isLate = waitMs === 0;
    const cancel = this.#options.clock.schedule(waitMs, () => {
      isLate = true;
      ring();
    });
    try {
      for (let asked = false; ;) {
        if (ended(signal)) return none();
        if (!asked || reader.promising) {
          const claim = { consumer, maxInFlight: MAX_CLAIMED, max, ifPromising: asked, by: member };
          await room?.take();
          const outcome = await this.#claim(membership, claim);
          asked = true;
          if (signal.aborted) {
            await this.#giveBack(request, outcome.deliveries);
            continue;
          }
          const { deliveries, gap } = outcome;
          if (deliveries.length > 0 || gap !== null) {
            return { ...none(), deliveries: deliveries.map(deliveryOf), ...(gap === null ? {} : { gap }) };
          }
          room?.leave();
          if (outcome.paused) return { ...none(), paused: true };
        }
        if (isLate || this.#closed) return none();
        await alarm.wait();
      }
    } finally {
      cancel();
      signal.removeEventListener('abort', ring);
      leave();
    }
  }

  /** The group with its settings, at most 5 seconds old. NOT_FOUND when there is none. */
  async settingsOf(namespace: string, group: string): Promise<GroupState> {
    const key = keyOf(namespace, group);
    const known = this.#known.get(key);
    if (known !== undefined) return known;
    const found = await this.#options.store.find(namespace, group);
    if (found === null) throw new SwarmError('NOT_FOUND', `there is no consumer group "${group}"`);
    this.#known.set(key, found);
    return found;
  }

  /** The topics of the group; none when it does not exist, or is not known while the store does not answer. */
  topicsOf(namespace: string, group: string): Promise<readonly string[]> {
    return this.settingsOf(namespace, group).then(
      ({ topics }) => topics,
      () => [],
    );
  }

  /** An answer of a member. Settings of a group are remembered as long as the store has it. */
  async #settle<T>(namespace: string, group: string, settling: Promise<T>): Promise<T> {
    try {
      return await this.#afterStall.during(settling);
    } catch (error) {
      if (error instanceof SwarmError && error.code === 'NOT_FOUND') this.#known.delete(keyOf(namespace, group));
      throw error;
    }
  }

  /** How many were open and are not any more. INVALID_INPUT for an id that is none. */
  async ack(namespace: string, group: string, deliveryIds: readonly string[]): Promise<number> {
    const deliveries = deliveryIds.map(deliveryIn);
    const settled = await this.#settle(namespace, group, this.#options.store.ack(namespace, group, deliveries));
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
    const settled = await this.#settle(namespace, group, this.#options.store.nack(namespace, group, deliveries, how));
    this.tally.nacked += settled;
    await this.#noteDead(namespace, group, { deliveries, settled });
    this.#notify(namespace, group);
    return settled;
  }

  /** The deadlines become now + `byMs`, where that is later. INVALID_INPUT for an id that is none. */
  async extend(
    namespace: string,
    group: string,
    { deliveryIds, byMs }: { deliveryIds: readonly string[]; byMs: number },
  ): Promise<ExtendResult> {
    const deliveries = deliveryIds.map(deliveryIn);
    const extending = this.#options.store.extend(namespace, group, deliveries, byMs);
    const { extended, dueAt } = await this.#settle(namespace, group, extending);
    return { extended, dueAt: dueAt === null ? null : new Date(dueAt).toISOString() };
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
    return (await this.#options.store.list(namespace, page)).map(groupInfo);
  }

  /** Takes note that the group was changed through this replica, and notifies its members, here and on the other replicas. */
  changed(namespace: string, group: string): void {
    this.#known.delete(keyOf(namespace, group));
    this.#notify(namespace, group);
  }

  async close(): Promise<void> {
    this.#closed = true;
    this.#endUpkeep();
    this.#afterStall.close();
    this.#bookmarks.close();
    await this.#keepingUp;
    const readings = await Promise.allSettled(this.#readings.values());
    this.#readings.clear();
    const running = readings.filter((reading) => reading.status === 'fulfilled');
    await Promise.all(running.map(({ value }) => shut(value)));
    await Promise.all(this.#underWay);
  }

  /** Refuses a member that may not receive the topics of the group. */
  async #admit(membership: Membership): Promise<void> {
    const { request, reader, admitted } = membership;
    const { state } = reader;
    if (state === admitted) return;
    await request.admit?.(state.topics);
    membership.admitted = state;
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
  async #claim(membership: Membership, claim: Claim): Promise<ClaimOutcome> {
    const { request, reader } = membership;
    const { namespace, group, maker } = request;
    await this.#afterStall.answersTaken();
    let outcome: ClaimOutcome;
    try {
      outcome = await reader.claim(claim);
    } catch (error) {
      if (!(error instanceof SwarmError) || error.code !== 'NOT_FOUND') throw error;
      if (isDeleted(error)) {
        await this.#forget(request, reader);
        throw error;
      }
      const { limits } = this.#options;
      const settings = groupSettings(reader.state);
      // The group of an agent may have been removed because it was idle: then it goes on where it stood.
      const from = reader.state.ownedBy === null ? 'earliest' : reader.cursor;
      const opened = await this.#options.store.open(namespace, group, settings, from, { maker, limits });
      const { state, cursor, created } = opened;
      const isLost = created && !(from !== 'earliest' && isSamePosition(cursor, from));
      reader.restart(state, cursor);
      const gap = isLost ? { lost: null, reason: 'log_lost' as const } : null;
      const { paused } = reader;
      return {
        deliveries: [],
        cursor,
        room: claim.maxInFlight,
        nextDueMs: null,
        isSilent: false,
        paused,
        changed: null,
        gap,
      };
    }
    try {
      await this.#admit(membership);
    } catch (error) {
      await this.#giveBack(request, outcome.deliveries);
      throw error;
    }
    this.tally.delivered += outcome.deliveries.length;
    for (const { attempt } of outcome.deliveries) if (attempt > 1) this.tally.redelivered += 1;
    if (outcome.deliveries.length > 0) {
      for (const observer of this.#options.observers) observer.onDeliver?.(namespace, group, outcome.deliveries);
    }
    return outcome;
  }

  /** Forgets a member that has left. If the store does not answer, events whose deadline passed are left to it for a while. */
  #leave({ namespace, group }: GroupRequest, consumer: string): void {
    const left = this.#options.store
      .leave(namespace, group, consumer)
      .catch((error: unknown) => {
        if (!(error instanceof SwarmError)) this.#options.onError(error);
      })
      .finally(() => this.#underWay.delete(left));
    this.#underWay.add(left);
  }

  /**
   * What was claimed for a caller that has disconnected, or lost the right to it, goes to other members at once: it was not sent,
   * so the attempt does not count.
   */
  #giveBack(request: GroupRequest, deliveries: readonly GroupDelivery[]): Promise<void> {
    const given = this.#returnToGroup(request, deliveries).finally(() => this.#underWay.delete(given));
    this.#underWay.add(given);
    return given;
  }

  async #returnToGroup({ namespace, group }: GroupRequest, deliveries: readonly GroupDelivery[]): Promise<void> {
    if (deliveries.length === 0) return;
    try {
      await this.#options.store.giveBack(namespace, group, deliveries);
      this.#notify(namespace, group);
    } catch (error) {
      // When the store does not answer, the deadline gives them back.
      if (!(error instanceof SwarmError)) this.#options.onError(error);
    }
  }

  /** Its members have been notified; the next one that comes is of another group. */
  async #forget({ namespace, group }: GroupRequest, reader: GroupReader): Promise<void> {
    const key = keyOf(namespace, group);
    const opening = this.#readings.get(key);
    const reading = await opening?.catch(() => undefined);
    if (reading?.reader !== reader || this.#readings.get(key) !== opening) return;
    this.#readings.delete(key);
    const left = shut(reading)
      .catch(this.#options.onError)
      .finally(() => this.#underWay.delete(left));
    this.#underWay.add(left);
  }

  /** The same as `#enter`, for a stream: a reader without members may be of a group that was deleted since. */
  async #enterAnew(request: GroupRequest): Promise<Entered> {
    const entered = await this.#enter(request);
    const { reader, isNew } = entered;
    if (isNew || reader.size > 0) return entered;
    const found = await this.#options.store.find(request.namespace, request.group);
    if (found?.id === reader.state.id) return entered;
    await this.#forget(request, reader);
    return this.#enter(request);
  }

  /** The group's reader on this replica, made at the first call. */
  async #enter(request: GroupRequest): Promise<Entered> {
    if (this.#closed) throw unavailable('the core is shutting down');
    const { namespace, group, settings, groupId } = request;
    const key = keyOf(namespace, group);
    let opening = this.#readings.get(key);
    const isOwn = opening === undefined;
    if (opening === undefined) {
      opening = this.#start(request);
      this.#readings.set(key, opening);
      opening.catch(() => this.#readings.delete(key));
    }
    const reading = await opening.catch((error: unknown) => {
      if (isOwn || !(error instanceof SwarmError) || !OF_ITS_CALLER.has(error.code)) throw error;
      return null;
    });
    // Another caller was refused, or the reader was released in this moment.
    if (reading === null || this.#readings.get(key) !== opening) return this.#enter(request);
    reading.idleUpkeeps = 0;
    const { reader } = reading;
    // The caller comes back to another group than the one that is known here: the store knows whether that was deleted.
    if (groupId !== undefined && groupId !== reader.state.id) await this.#open(request);
    await this.#assertSameSettings(group, settings, { namespace, reader });
    return { reader, isNew: isOwn };
  }

  /** What is known here may be old. */
  async #assertSameSettings(
    group: string,
    settings: WantedSettings,
    { namespace, reader }: { namespace: string; reader: GroupReader },
  ): Promise<void> {
    try {
      assertSameSettings(group, reader.state, settings);
    } catch (error) {
      const found = await this.#options.store.find(namespace, group);
      if (found?.id !== reader.state.id || found.version === reader.state.version) throw error;
      reader.learn({ ...found, id: reader.state.id });
      assertSameSettings(group, found, settings);
    }
  }

  async #open({ namespace, group, settings, from, groupId, maker }: GroupRequest): Promise<OpenedGroup> {
    const { store, log, limits } = this.#options;
    const start = typeof from === 'string' ? from : await log.positionBefore(namespace, Date.parse(from.time));
    return store.open(namespace, group, settings, start, { groupId, maker, limits });
  }

  async #start(request: GroupRequest): Promise<Reading> {
    const { namespace, group } = request;
    const { store, feeds, signal, clock } = this.#options;
    const { followed, release } = await feeds.use(namespace);
    try {
      const { state, cursor } = await this.#open(request);
      this.#known.set(keyOf(namespace, group), state);
      const { retention } = feeds;
      const reader = new GroupReader({ namespace, group, state, store, feeds, followed, retention, cursor, clock });
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

/** Refusals for what a call names: they say nothing of a call that waited for it. */
const OF_ITS_CALLER: ReadonlySet<string> = new Set(['CONFLICT', 'INVALID_INPUT', 'NOT_FOUND']);

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

function toDeadLetter({ position, life, attempt, uncounted, text, deadAt, history }: StoredDeadLetter): DeadLetter {
  return {
    deliveryId: formatDeliveryId({ position, life, attempt, uncounted }),
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
