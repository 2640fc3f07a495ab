// Consumer groups: each event to one member at a time, again when it is not acknowledged in time, and at last to the dead letters.
import type { Clock } from '@hypercode/clock';
import {
  type ClaimResult,
  type DeadLetter,
  type ExtendResult,
  type GetGroupResult,
  type GroupInfo,
  SwarmError,
} from '@hypercode/contracts';
import { Alarm, Bookmarks, ended, type Signal, type StreamBatch } from '@hypercode/feed';
import type { EventLog } from '../store/event-log.ts';
import { groupNotFound, isDeleted } from '../store/group-refusals.ts';
import { groupSettings } from '../store/group-settings.ts';
import type {
  ClaimOutcome,
  GroupDelivery,
  GroupLimits,
  GroupPage,
  GroupState,
  GroupStore,
  OpenPlace,
  UsedGroup,
} from '../store/group-store.ts';
import { formatPosition, isSamePosition, type LogPosition } from '../store/position.ts';
import type { EventFeeds } from '../subscriptions/event-feeds.ts';
import { AfterStall } from './after-stall.ts';
import { toDeadLetter } from './dead-letter.ts';
import { deliveryOf, groupBookmarkItem, type GroupItem, type IdentifiedOutcome } from './delivery.ts';
import { formatDeliveryId } from './delivery-id.ts';
import { groupInfo, memberShown, openShown } from './group-info.ts';
import type { GroupObserver } from './group-observer.ts';
import { type Claim, type GroupReader } from './group-reader.ts';
import { GroupReadings } from './group-readings.ts';
import type { GroupRequest } from './group-request.ts';
import { KnownGroups } from './known-groups.ts';
import { ProvenDeliveries } from './proven-deliveries.ts';
import { MemberStream } from './member-stream.ts';

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
  /** Deaths that were reported to this replica, and dead letters that groups had no room for. */
  dead: number;
  dropped: number;
}

/** How often a member is sent a bookmark, in milliseconds. */
const BOOKMARK_INTERVAL_MS = 15_000;

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

interface ClaimOfGroup extends GroupRequest {
  max: number;
  /** Most that the consumer has open. Default 10,000. */
  maxInFlight?: number | undefined;
  waitMs: number;
  room?: ClaimRoom | undefined;
}

export class Groups {
  readonly tally: GroupTally = { delivered: 0, redelivered: 0, acked: 0, nacked: 0, dead: 0, dropped: 0 };
  readonly #options: GroupsOptions;
  readonly #readings: GroupReadings;
  readonly #known: KnownGroups;
  readonly #proven: ProvenDeliveries;
  readonly #bookmarks: Bookmarks<LogPosition, GroupItem>;
  /** The newest stream of each consumer. */
  readonly #streams = new Map<string, MemberStream>();
  /** What is on its way to the store without anybody waiting for it. */
  readonly #underWay = new Set<Promise<void>>();
  readonly #afterStall: AfterStall;
  #closed = false;

  constructor(options: GroupsOptions) {
    this.#options = options;
    this.#known = new KnownGroups(options.store, options.clock);
    this.#proven = new ProvenDeliveries(this.#known, options.clock);
    this.#readings = new GroupReadings({ ...options, known: this.#known });
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
    const { reader } = await this.#readings.enterAnew(request);
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
  async claim(request: ClaimOfGroup, signal: AbortSignal): Promise<ClaimResult> {
    const entered = await this.#readings.enter(request);
    try {
      return await this.#claimFrom(entered.reader, request, signal);
    } catch (error) {
      // What this replica knew was a group that is no more. A caller that names no group means the one that has the name now.
      const isOther = request.groupId === undefined && isDeleted(error) && !entered.isNew;
      if (!isOther) throw error;
      const { reader } = await this.#readings.enter(request);
      return this.#claimFrom(reader, request, signal);
    }
  }

  async #claimFrom(reader: GroupReader, request: ClaimOfGroup, signal: AbortSignal): Promise<ClaimResult> {
    const { max, maxInFlight = MAX_CLAIMED, waitMs, room, consumer = this.#options.clock.newId() } = request;
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
          const claim = { consumer, maxInFlight, max, ifPromising: asked, isSign: !asked, by: member };
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
  settingsOf(namespace: string, group: string): Promise<GroupState> {
    return this.#known.get(namespace, group);
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
      if (error instanceof SwarmError && error.code === 'NOT_FOUND') this.#known.forget(namespace, group);
      throw error;
    }
  }

  /**
   * How many were open and are not any more. INVALID_INPUT for an id that is none; one that the group did not hand out counts for
   * nothing, in all calls.
   */
  async ack(namespace: string, group: string, deliveryIds: readonly string[]): Promise<number> {
    const deliveries = await this.#proven.of(namespace, group, deliveryIds);
    if (deliveries.length === 0) return 0;
    const settled = await this.#settle(namespace, group, this.#options.store.ack(namespace, group, deliveries));
    this.tally.acked += settled;
    if (settled > 0) for (const observer of this.#options.observers) observer.onAck?.(namespace, settled);
    const positions = deliveries.map(({ position }) => position);
    if (!(await this.#readings.settled(namespace, group, positions))) this.#readings.notify(namespace, group);
    return settled;
  }

  async nack(
    namespace: string,
    group: string,
    { deliveryIds, delayMs, reason }: { deliveryIds: readonly string[]; delayMs: number; reason: string | undefined },
  ): Promise<number> {
    const deliveries = await this.#proven.of(namespace, group, deliveryIds);
    if (deliveries.length === 0) return 0;
    const how = { delayMs, reason: reason ?? null };
    const settled = await this.#settle(namespace, group, this.#options.store.nack(namespace, group, deliveries, how));
    this.tally.nacked += settled;
    this.#readings.notify(namespace, group);
    return settled;
  }

  /** The deadlines become now + `byMs`, where that is later. INVALID_INPUT for an id that is none. */
  async extend(
    namespace: string,
    group: string,
    { deliveryIds, byMs }: { deliveryIds: readonly string[]; byMs: number },
  ): Promise<ExtendResult> {
    const deliveries = await this.#proven.of(namespace, group, deliveryIds);
    if (deliveries.length === 0) return { extended: 0, dueAt: null };
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
    const naming = { namespace, group, state: await this.settingsOf(namespace, group) };
    return { deadLetters: letters.map((letter) => toDeadLetter(letter, naming)), next };
  }

  /** Null: all. */
  async redrive(namespace: string, group: string, deliveryIds: readonly string[] | null): Promise<number> {
    const positions = await this.#positionsOf(namespace, group, deliveryIds);
    if (positions?.length === 0) return 0;
    const count = await this.#options.store.redrive(namespace, group, positions);
    this.#readings.notify(namespace, group);
    return count;
  }

  /** Null: all. */
  async discard(namespace: string, group: string, deliveryIds: readonly string[] | null, by: string): Promise<number> {
    const positions = await this.#positionsOf(namespace, group, deliveryIds);
    return positions?.length === 0 ? 0 : this.#options.store.discard(namespace, group, positions, by);
  }

  async #positionsOf(namespace: string, group: string, ids: readonly string[] | null): Promise<LogPosition[] | null> {
    if (ids === null) return null;
    return (await this.#proven.of(namespace, group, ids)).map(({ position }) => position);
  }

  /** NOT_FOUND. */
  async view(
    namespace: string,
    group: string,
    page: { after: OpenPlace | null; limit: number },
  ): Promise<Omit<GetGroupResult, 'nextCursor'> & { next: OpenPlace | null }> {
    const { store } = this.#options;
    const found = await store.get(namespace, group);
    if (found === null) throw groupNotFound(group);
    const [members, open] = await Promise.all([
      store.members(namespace, group),
      store.openDeliveries(namespace, group, { ...page, limit: page.limit + 1 }),
    ]);
    const naming = { namespace, group, state: found };
    const shown = open.slice(0, page.limit);
    const last = open.length > page.limit ? shown.at(-1) : undefined;
    const next = last === undefined ? null : { state: last.state, dueAt: last.dueAt, seq: last.position.seq };
    return {
      group: groupInfo(found),
      members: members.map(memberShown),
      open: shown.map((one) => openShown(one, naming)),
      next,
    };
  }

  async list(namespace: string, page?: GroupPage): Promise<GroupInfo[]> {
    return (await this.#options.store.list(namespace, page)).map(groupInfo);
  }

  /** Takes note that the group was changed through this replica, and notifies its members, here and on the other replicas. */
  changed(namespace: string, group: string): void {
    this.#known.forget(namespace, group);
    this.#readings.notify(namespace, group);
  }

  async close(): Promise<void> {
    this.#closed = true;
    this.#afterStall.close();
    this.#bookmarks.close();
    await this.#readings.close();
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

  /** Asks the store, and makes the group again when the store has lost it. */
  async #claim(membership: Membership, claim: Claim): Promise<IdentifiedOutcome> {
    const { request, reader } = membership;
    const { namespace, group, maker } = request;
    await this.#afterStall.answersTaken();
    let outcome: ClaimOutcome;
    try {
      outcome = await reader.claim(claim);
    } catch (error) {
      if (!(error instanceof SwarmError) || error.code !== 'NOT_FOUND') throw error;
      if (isDeleted(error)) {
        await this.#readings.forget(request, reader);
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
    const naming = { namespace, group, state: reader.state };
    const identified = outcome.deliveries.map((one) => ({ ...one, id: formatDeliveryId(one, naming) }));
    return { ...outcome, deliveries: identified };
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
      this.#readings.notify(namespace, group);
    } catch (error) {
      // When the store does not answer, the deadline gives them back.
      if (!(error instanceof SwarmError)) this.#options.onError(error);
    }
  }
}

/** What one consumer over plain HTTP may have open, over all its claims. */
const MAX_CLAIMED = 10_000;

const keyOf = (namespace: string, group: string): string => `${namespace}/${group}`;
