// The port to where consumer groups keep what they know: how far each has read, and what became of every event it took.
import type { GapReason } from '@hypercode/contracts';
import type { GroupSettings } from './group-settings.ts';
import type { LogEntry } from './event-log.ts';
import type { LogPosition } from './position.ts';

/**
 * States of an event in a group:
 * - unread: after the group's cursor. → in flight, when a claim takes it.
 * - in flight: a member has it until its deadline. ack → settled; nack → waiting, or dead after the last attempt; the deadline
 *   passes → waiting (due at once), or dead after the last attempt.
 * - waiting: for its time, then for a claim → in flight, attempt + 1.
 * - dead: redrive → waiting (due at once, in its next life: the next attempt is 1, the history begins anew); discard → settled.
 * - settled: the group keeps nothing of it. An ack settles from in flight, waiting and dead, whichever attempt it names; a nack only the attempt that is in
 *   flight and whose deadline has not passed, of the same life.
 *
 * Deadlines are judged on the store's clock, at the beginning of each operation on the group.
 */
export interface ClaimRequest {
  readonly consumer: string;
  /** Most deliveries that the consumer has open, these included. */
  readonly maxInFlight: number;
  /** Most deliveries to hand out now. Large events come in less than that: about 4 MiB of due ones in one answer. */
  readonly max: number;
  /**
   * Unread events as the caller knows them: those between `after` and `upTo` that match the group's topics. They are taken if the
   * group's cursor is at `after`, oldest first, as many as there is room for; the cursor moves past the last one taken, or
   * to `upTo` when all were. Null: only due events are wanted.
   *
   * Due and unread events share the answer, so that neither starves the other: each has a right to half of the places (and of the
   * bytes), and takes those that the other leaves. Due events stand before unread ones in the answer.
   */
  readonly offer: {
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
  /** How often the event was redriven before. */
  readonly life: number;
  readonly attempt: number;
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
  /** The group was before the horizon, or on a log that was lost, and was moved. `lost` events were missed; null: unknown. */
  readonly gap: { readonly lost: number | null; readonly reason: GapReason } | null;
}

/** An attempt, as a delivery id names it. */
export interface DeliveryRef {
  readonly position: LogPosition;
  readonly life: number;
  readonly attempt: number;
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

export interface GroupPage {
  readonly after: string | null;
  readonly limit: number;
}

export interface StoredGroup extends GroupSettings {
  readonly group: string;
  readonly cursor: LogPosition;
  /** Events of all topics after the cursor. */
  readonly lag: number;
  readonly inFlight: number;
  readonly waiting: number;
  readonly deadLetters: number;
}

/** Fails as the log does: UNAVAILABLE within two seconds. Where a group is named that is not there: NOT_FOUND. */
export interface GroupStore {
  /**
   * Makes the group unless it exists, at the log's head (`latest`) or horizon (`earliest`). Gives its cursor, and whether it was made
   * now. CONFLICT when it exists with other settings; `details` is `{ existing, requested }`, both GroupSettings.
   */
  open(
    namespace: string,
    group: string,
    settings: GroupSettings,
    from: 'latest' | 'earliest',
  ): Promise<{ cursor: LogPosition; created: boolean }>;
  /** The group's settings; null when there is none. */
  find(namespace: string, group: string): Promise<GroupSettings | null>;
  claim(namespace: string, group: string, request: ClaimRequest): Promise<ClaimOutcome>;
  /** How many were settled. A position that the group has never taken, or has settled, counts for nothing. */
  ack(namespace: string, group: string, deliveries: readonly DeliveryRef[]): Promise<number>;
  nack(
    namespace: string,
    group: string,
    deliveries: readonly DeliveryRef[],
    how: { delayMs: number; reason: string | null },
  ): Promise<number>;
  /**
   * In the order of their deaths, after the ordinal `after`; at most `limit`, and about 4 MiB of them. `next` is the ordinal to go
   * on after, null when there are no more.
   */
  deadLetters(namespace: string, group: string, page: { after: number | null; limit: number }): Promise<DeadLetterPage>;
  /** How many went back to waiting. Null: all. */
  redrive(namespace: string, group: string, positions: readonly LogPosition[] | null): Promise<number>;
  /** How many were dropped. Null: all. */
  discard(namespace: string, group: string, positions: readonly LogPosition[] | null): Promise<number>;
  /** How many groups there are. */
  count(namespace: string): Promise<number>;
  /** By name: all, or at most `limit` after `after`. */
  list(namespace: string, page?: GroupPage): Promise<StoredGroup[]>;
}
