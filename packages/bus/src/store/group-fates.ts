// The port to what became of one event in all groups of a namespace: what each holds, what its journal has, and how it came by.
import type { GapReason } from '@hypercode/contracts';
import type { StoredAttempt } from './group-store.ts';
import type { LogPosition } from './position.ts';

/** What a group holds of an event. A deadline that has passed counts, also when no call has moved the event since. */
export interface HeldState {
  readonly state: 'in_flight' | 'waiting' | 'dead';
  /** The one that is in flight, or was last; 0 when it begins anew. */
  readonly attempt: number;
  /** Who has it, or had it last; null when it begins anew. */
  readonly consumer: string | null;
  /** Milliseconds since the epoch; null when it begins anew. */
  readonly deliveredAt: number | null;
  /** In flight: the deadline. Waiting: when it is due. Null: dead. */
  readonly dueAt: number | null;
  readonly history: readonly StoredAttempt[];
}

/**
 * The journal's record of how an event left a group: acknowledged, discarded, or `dropped` by a seek. An event that left more than once
 * has the record of the last ack or discard.
 */
export interface SettledRecord {
  readonly how: 'acked' | 'discarded' | 'dropped';
  /** Of the delivery; of a dropped event the number of lives that the group had begun. */
  readonly life: number;
  readonly attempt: number;
  /** Milliseconds since the epoch; null: it was not delivered in this life. */
  readonly deliveredAt: number | null;
  readonly settledAt: number;
  /** The consumer that had it last, or the source of the operator who discarded it; cut at MAX_JOURNAL_NAME bytes. */
  readonly by: string | null;
}

/** Most bytes of a name in the journal. */
export const MAX_JOURNAL_NAME = 48;
/** Positions whose records go together: all that have the same digits before the last three. */
export const JOURNAL_BLOCK = 1000;
/** Most bytes that a record takes in a store. */
const RECORD_BYTES = 160;

/** How many records are kept within so many bytes. */
export const recordsWithin = (journalMaxBytes: number): number => Math.floor(journalMaxBytes / RECORD_BYTES);

/** Most stretches of the log that are kept of how a group's cursor went over it, the newest. */
export const MAX_PASSES = 100;

/**
 * How a group's cursor last went over an event: it read it under these topics; it did not read it, for a reason; the group began after
 * it; or nobody noted how. `life` is the number of the seek since which this holds: what an older life left there says nothing of it.
 */
export interface CursorPass {
  readonly how: 'read' | 'seek' | GapReason | 'before' | 'unknown';
  /** Of `read`, else null. */
  readonly topics: readonly string[] | null;
  readonly life: number;
}

/** What one group knows of an event. */
export interface GroupFacts {
  readonly group: string;
  /** Where the group began; null for a group of the release before. */
  readonly began: LogPosition | null;
  /** In force. */
  readonly topics: readonly string[];
  readonly held: HeldState | null;
  readonly record: SettledRecord | null;
  /** Null: the cursor stands before the event. */
  readonly pass: CursorPass | null;
  /** Why the log does not have the event; null: it has it. */
  readonly missing: GapReason | null;
}

/** How an event that is held is named: by its position, or by its id and where it is known its source. */
export type HeldEventName = LogPosition | { readonly id: string; readonly source?: string | undefined };

export interface HeldEvent {
  readonly position: LogPosition;
  readonly text: string;
}

export interface HeldEvents {
  /** Each once, in no order; at most MAX_HELD_EVENTS. */
  readonly events: readonly HeldEvent[];
  /** False: not all that the groups hold was looked at. */
  readonly complete: boolean;
}

export const MAX_HELD_EVENTS = 10;
/** Events that are looked at for an id, of a namespace. */
export const MAX_HELD_SCANNED = 50_000;

/** Fails as the log does: UNAVAILABLE within two seconds. It changes nothing. */
export interface GroupFates {
  /** What every group of the namespace knows of the event at a position, in no order. */
  fates(namespace: string, position: LogPosition): Promise<GroupFacts[]>;
  /** Events of this name that groups hold, whether or not the log has them. By an id: at most MAX_HELD_SCANNED are looked at. */
  holding(namespace: string, name: HeldEventName): Promise<HeldEvents>;
}
