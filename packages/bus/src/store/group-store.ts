// The port to where consumer groups keep what they know: how far each has read, and what became of every event it took.
import type { GapReason } from '@hypercode/contracts';
import type { DeathReport, ReasonCounts } from './group-deaths.ts';
import type { GroupFates } from './group-fates.ts';
import type { SettingsOfGroup, WantedSettings } from './group-settings.ts';
import type { LogEntry } from './event-log.ts';
import type { LogPosition } from './position.ts';

/**
 * States of an event in a group:
 * - unread: after the group's cursor. → in flight, when a claim takes it.
 * - in flight: a member has it until its deadline. ack → settled; nack → waiting, or dead after the last attempt; the deadline
 *   passes → waiting (due at once), or dead after the last attempt; taken back → waiting (due at once), as if it had not been
 *   handed out: the next attempt has the same number, and `uncounted` tells the two apart.
 * - waiting: for its time, then for a claim → in flight, attempt + 1.
 * - dead: redrive → waiting (due at once, in its next life: the next attempt is 1, the history begins anew); discard → settled.
 *   A group keeps `LIMITS.deadLetters` of them, and `LIMITS.deadLetterBytes` of their texts: when one more dies, the oldest are settled
 *   in the same step. Of the failed attempts of one event it keeps the newest `LIMITS.failedAttempts`.
 * - settled: the group keeps nothing of it. An ack settles from in flight, waiting and dead, whichever attempt it names, but no
 *   later life than the one it names; a nack, an extension and taking back concern only the attempt that is in flight and whose
 *   deadline has not passed, of the same life. A seek back reads the event again → unread.
 *
 * Lives. The first life of an event is 0. A redrive and a seek each take the next number from the group's counter, so no life of an
 * event is used twice. An event that is taken again after a seek is in the life of that seek.
 *
 * Replaying. A seek back sets the cursor before the furthest position that the group has reached. Up to that position a claim passes
 * over events that the group holds (in flight, waiting, dead): they stay as they are. After it the group holds none.
 *
 * A paused group hands nothing out, and its cursor stands still. Everything else goes on: deadlines, acks, nacks, redrives.
 *
 * The deadline is the one with which the delivery was handed out, or to which it was extended last.
 *
 * A member shows a sign of life when it claims, and when what it was handed is acknowledged, refused or extended. One that let
 * everything pass that it held, without a sign since, is silent, and is handed nothing. An event whose deadline passed with one member
 * is left to the others for a while, if there are others that let nothing pass.
 *
 * Deadlines are judged on the store's clock, at the beginning of each operation on the group.
 */
export interface ClaimRequest {
  /** The group that the caller takes part in. Absent: the one that has the name. */
  readonly groupId?: string | undefined;
  /** Empty when nobody claims, and only the cursor is to move on. */
  readonly consumer: string;
  /** Whether the member itself asks now. What a core asks for a stream that it once opened proves nothing. Default true. */
  readonly isSign?: boolean;
  /** For how long an event whose deadline passed with this member is left to others, in milliseconds. Default 0. */
  readonly patienceMs?: number;
  /** Most deliveries that the consumer has open, these included. */
  readonly maxInFlight: number;
  /** Most deliveries to hand out now. Large events come in less than that: about 4 MiB of due ones in one answer. */
  readonly max: number;
  /**
   * Unread events as the caller knows them: those between `after` and `upTo` that match the group's topics. They are taken if the
   * group's cursor is at `after`, oldest first, as many as there is room for; the cursor moves past the last one taken, or
   * to `upTo` when all were. Null: only due events are wanted.
   *
   * `version` is that of the settings by which the caller chose them. When others are in force, nothing is taken of the offer and the
   * cursor stays, so that a caller that does not know of a change passes over no event.
   *
   * Due and unread events share the answer, so that neither starves the other: each has a right to half of the places (and of the
   * bytes), and takes those that the other leaves. Due events stand before unread ones in the answer.
   */
  readonly offer: {
    readonly version: number;
    readonly after: LogPosition;
    readonly entries: readonly LogEntry[];
    readonly upTo: LogPosition;
    /** Who has a right to the place that is left when the places are halved: the only place, where there is one. Default `due`. */
    readonly oddPlace?: 'due' | 'unread';
  } | null;
}

/** One attempt at one event. */
export interface GroupDelivery {
  readonly position: LogPosition;
  /** 0 for the first, or the number of the redrive or the seek with which it began. */
  readonly life: number;
  readonly attempt: number;
  readonly uncounted: number;
  /** The deadline as it is now, in milliseconds since the epoch. */
  readonly dueAt: number;
  readonly text: string;
}

export interface ClaimOutcome {
  readonly deliveries: readonly GroupDelivery[];
  /** Where the group's cursor is now. When it is not where the caller's offer began, nothing of the offer was taken. */
  readonly cursor: LogPosition;
  /** How many more deliveries the consumer may have open. */
  readonly room: number;
  /** Milliseconds until the next event is due, or passes its deadline; null when there is none. */
  readonly nextDueMs: number | null;
  /** The member is silent. */
  readonly isSilent: boolean;
  /** A paused group hands nothing out. */
  readonly paused: boolean;
  /** The group as it is, when the offer was made under other settings: nothing of it was taken. */
  readonly changed: GroupState | null;
  /** The group was before the horizon, or on a log that was lost, and was moved. `lost` events were missed; null: unknown. */
  readonly gap: { readonly lost: number | null; readonly reason: GapReason } | null;
}

/** An attempt, as a delivery id names it. */
export interface DeliveryRef {
  readonly position: LogPosition;
  readonly life: number;
  readonly attempt: number;
  /** Deliveries of the same life before it that did not count: the group took them back. */
  readonly uncounted: number;
}

export interface ExtendOutcome {
  /** How many of the deliveries are in flight. */
  readonly extended: number;
  /** The first of their deadlines, in milliseconds since the epoch; null when there are none. */
  readonly dueAt: number | null;
}

export interface StoredAttempt {
  readonly attempt: number;
  readonly consumer: string;
  /** Milliseconds since the epoch. */
  readonly deliveredAt: number;
  readonly failedAt: number;
  /** Null: the deadline passed. */
  readonly reason: string | null;
}

export interface StoredDeadLetter {
  readonly position: LogPosition;
  readonly life: number;
  /** The last attempt. */
  readonly attempt: number;
  readonly uncounted: number;
  readonly text: string;
  /** Milliseconds since the epoch. */
  readonly deadAt: number;
  readonly history: readonly StoredAttempt[];
  /** Its place in the order of deaths. */
  readonly ordinal: number;
}

export interface DeadLetterPage {
  readonly letters: readonly StoredDeadLetter[];
  readonly next: number | null;
}

export interface StoredMember {
  readonly consumer: string;
  readonly inFlight: number;
  /** Milliseconds since the epoch, to about a second. */
  readonly lastSignAt: number;
  readonly isSilent: boolean;
}

/** What a group holds and is not dead. */
export interface StoredOpenDelivery {
  readonly position: LogPosition;
  readonly topic: string;
  readonly state: 'in_flight' | 'waiting';
  readonly life: number;
  /** The one that is in flight, or was last; 0 when it begins anew. */
  readonly attempt: number;
  readonly uncounted: number;
  /** Who has it, or had it last; null when it begins anew. */
  readonly consumer: string | null;
  /** Milliseconds since the epoch; null when it begins anew. */
  readonly deliveredAt: number | null;
  /** In flight: the deadline. Waiting: when it is due. Milliseconds since the epoch. */
  readonly dueAt: number;
}

/** The place of an open delivery in their order: those in flight by their deadlines, then those that wait by when they are due. */
export interface OpenPlace {
  readonly state: 'in_flight' | 'waiting';
  readonly dueAt: number;
  readonly seq: number;
}

export interface GroupPage {
  readonly after: string | null;
  readonly limit: number;
}

export interface GroupPause {
  readonly reason: string | null;
  /** The source of the operator. */
  readonly by: string;
  /** Milliseconds since the epoch. */
  readonly at: number;
}

/** What a group is. Its settings are those in force. */
export interface GroupState extends SettingsOfGroup {
  /** Random, and new each time that a group of the name is made. Null: a replica of the release before made it, and no other has used it. */
  readonly id: string | null;
  /** Of the settings: 1 at first, and one more with each change. */
  readonly version: number;
  readonly paused: GroupPause | null;
  /** The agent without which the group is removed, once nothing is left to do in it. */
  readonly ownedBy: string | null;
  /** The source of its maker, and when it was made, in milliseconds since the epoch. Null for a group of the release before. */
  readonly madeBy: string | null;
  readonly madeAt: number | null;
  /** By which ids of its deliveries are known to be its own; random, made with the group, and never shown. Null as with `id`. */
  readonly secret: string | null;
  /**
   * Until when ids without the proof of the secret are taken, in milliseconds since the epoch: a release before this one has handed
   * them out. Null: never.
   */
  readonly unsignedUntil: number | null;
}

/** The group as it is used: its state without what only lists show. */
export type UsedGroup = GroupState & { readonly id: string };

/** Who makes a group. */
export interface GroupMaker {
  readonly source: string;
  /** The name of an agent; null: an operator, who is not limited. */
  readonly agent: string | null;
  /** Whether the group is the agent's own: see `ownedBy`. */
  readonly owns: boolean;
}

export interface GroupLimits {
  /** Most groups of a namespace. */
  readonly inNamespace: number;
  /** Most groups that one agent has made and that exist. */
  readonly ofAgent: number;
}

export interface OpenOptions {
  /** The group that a caller comes back to. */
  readonly groupId?: string | undefined;
  /** Default: unknown, and without limits. */
  readonly maker?: GroupMaker | undefined;
  readonly limits?: GroupLimits | undefined;
}

export interface OpenedGroup {
  readonly state: UsedGroup;
  readonly cursor: LogPosition;
  /** Whether it was made now. */
  readonly created: boolean;
}

/** A group after a change; `changed` is false when it was so before. */
export interface SteeredGroup {
  readonly state: UsedGroup;
  readonly changed: boolean;
}

export interface SoughtGroup {
  readonly state: UsedGroup;
  /** Where the cursor was, and where it is now. */
  readonly before: LogPosition;
  readonly cursor: LogPosition;
  /** Events in flight and waiting that were released. */
  readonly dropped: number;
}

/** Most ids that a namespace keeps of groups that were deleted, the newest. */
export const MAX_DELETED_GROUPS = 10_000;

export interface StoredGroup extends GroupState {
  readonly group: string;
  readonly cursor: LogPosition;
  /** Events of all topics after the cursor. */
  readonly lag: number;
  readonly inFlight: number;
  readonly waiting: number;
  readonly deadLetters: number;
  /** Why the dead letters died; of more than about 20 reasons, those that came last. */
  readonly deadByReason: ReasonCounts;
  /** When the oldest dead letter died, in milliseconds since the epoch; null: there is none. */
  readonly oldestDeadAt: number | null;
  /** When the oldest event of all topics after the cursor was appended, in milliseconds since the epoch; null: none, or not known. */
  readonly oldestUnreadAt: number | null;
  /** As many as `members` lists. */
  readonly members: number;
  /** Settled by acknowledgements, over about the last minute. */
  readonly ratePerSecond: number;
}

/**
 * Fails as the log does: UNAVAILABLE within two seconds. Where a group is named that is not there: NOT_FOUND, with `details.deleted`
 * when the call names the id of a group that was deleted.
 */
export interface GroupStore extends GroupFates {
  /**
   * Makes the group unless it exists: at the log's head (`latest`), at its horizon (`earliest`), or after a position, as far as the log
   * can be read from there, else as `earliest`. CONFLICT when it exists with other settings,
   * both in force and as it was made; `details` is `{ existing, requested }`, both GroupSettings. CONFLICT when a limit leaves no room
   * for it; `details` is `{ limit }`. INVALID_INPUT when it does not exist and no topics are given.
   */
  open(
    namespace: string,
    group: string,
    settings: WantedSettings,
    from: 'latest' | 'earliest' | LogPosition,
    options?: OpenOptions,
  ): Promise<OpenedGroup>;
  /** The group; null when there is none. */
  find(namespace: string, group: string): Promise<GroupState | null>;
  pause(namespace: string, group: string, pause: { reason: string | null; by: string }): Promise<SteeredGroup>;
  resume(namespace: string, group: string): Promise<SteeredGroup>;
  /** Settings that are not given stay. What is in flight keeps its deadline. */
  update(namespace: string, group: string, set: WantedSettings): Promise<SteeredGroup>;
  /**
   * Moves the cursor, and nothing else; with `dropOpen`, what is in flight or waiting is released first. A seek forward is noted as one
   * stretch, see `CursorPass`. INVALID_INPUT for a position that is not of the log that there is.
   */
  seek(
    namespace: string,
    group: string,
    to: 'latest' | 'earliest' | LogPosition,
    how: { dropOpen: boolean },
  ): Promise<SoughtGroup>;
  /** Removes the group with everything that it holds. Its id is remembered as that of a group that was deleted. */
  delete(namespace: string, group: string): Promise<GroupState>;
  /** The groups that agents own, of all namespaces. */
  owned(): Promise<(StoredGroup & { readonly namespace: string })[]>;
  /**
   * Removes the group of this id if it holds nothing, is not paused, and its cursor is at the head of the log. Its id is not remembered.
   * Whether it was removed.
   */
  removeIdle(namespace: string, group: string, id: string): Promise<boolean>;
  claim(namespace: string, group: string, request: ClaimRequest): Promise<ClaimOutcome>;
  /** How many were settled. A position that the group has never taken, or has settled, counts for nothing. */
  ack(namespace: string, group: string, deliveries: readonly DeliveryRef[]): Promise<number>;
  nack(
    namespace: string,
    group: string,
    deliveries: readonly DeliveryRef[],
    how: { delayMs: number; reason: string | null },
  ): Promise<number>;
  /** Takes back what was claimed and not handed on. How many were. */
  giveBack(namespace: string, group: string, deliveries: readonly DeliveryRef[]): Promise<number>;
  /** The deadlines become now + `byMs`, where that is later. */
  extend(namespace: string, group: string, deliveries: readonly DeliveryRef[], byMs: number): Promise<ExtendOutcome>;
  /**
   * In the order of their deaths, after the ordinal `after`; at most `limit`, and about 4 MiB of them. `next` is the ordinal to go
   * on after, null when there are no more.
   */
  deadLetters(namespace: string, group: string, page: { after: number | null; limit: number }): Promise<DeadLetterPage>;
  /** How many went back to waiting. Null: all. */
  redrive(namespace: string, group: string, positions: readonly LogPosition[] | null): Promise<number>;
  /** How many were dropped. Null: all. `by` is the source of the operator or agent that does it. */
  discard(namespace: string, group: string, positions: readonly LogPosition[] | null, by: string): Promise<number>;
  /** The member has left: no event is left to it any more. */
  leave(namespace: string, group: string, consumer: string): Promise<void>;
  /** By name: at most 1,000, those that showed a sign of life last. */
  members(namespace: string, group: string): Promise<StoredMember[]>;
  /** How many groups there are. */
  count(namespace: string): Promise<number>;
  /** The group with its figures; null when there is none. */
  get(namespace: string, group: string): Promise<StoredGroup | null>;
  /** At most `limit` after `after`, in their order; see `OpenPlace`. */
  openDeliveries(
    namespace: string,
    group: string,
    page: { after: OpenPlace | null; limit: number },
  ): Promise<StoredOpenDelivery[]>;
  /**
   * Deaths that no call has returned yet, whichever operation noticed them: up to 100 groups of all namespaces, each at most once in
   * `DEATHS_INTERVAL_MS`. A death is in one answer, over all replicas.
   */
  takeDeaths(): Promise<DeathReport[]>;
  /** By name: all, or at most `limit` after `after`. */
  list(namespace: string, page?: GroupPage): Promise<StoredGroup[]>;
}
