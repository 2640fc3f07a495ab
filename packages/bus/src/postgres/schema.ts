// The tables as Kysely sees them. The migrations are the definition; this is their reading.
import type { ColumnType, Generated, JSONColumnType } from 'kysely';
import type { GroupSettings } from '../store/group-settings.ts';
import type { GroupPause, StoredAttempt } from '../store/group-store.ts';

type Timestamp = ColumnType<Date, Date | string, Date | string>;

/** One row a namespace. An append locks it. */
export interface LogTable {
  namespace: string;
  epoch: string;
  head_seq: Generated<number>;
  head_nonce: Generated<number>;
  /** Bytes of all events that were ever appended. */
  head_bytes: Generated<number>;
  /** When the newest event was appended; null until a release with this column has appended one. */
  head_at: Timestamp | null;
  horizon_seq: Generated<number>;
  horizon_nonce: Generated<number>;
  /** `bytes` of the event at the horizon. */
  horizon_bytes: Generated<number>;
  /** Rows up to here were deleted. Those between here and the horizon are no longer read. */
  swept_seq: Generated<number>;
  /** Events up to the horizon that retention spared. */
  spared_events: Generated<number>;
  spared_bytes: Generated<number>;
  /** Sources with more than their share of what was published lately. */
  heavy: Generated<string[]>;
  /** From this event on, all are in the index of ids; null: the newest is not. */
  indexed_from: number | null;
}

export interface EventTable {
  namespace: string;
  seq: number;
  nonce: number;
  /** Of this event and all before it. */
  bytes: number;
  at: Timestamp;
  topic: string;
  text: string;
  /** The nonce of the event before it, of one that retention spared. */
  spared_after: number | null;
  /** See `idNumber`; null: it is not in the index. */
  id_key: number | null;
}

/** What a source has published lately. Of what was published earlier, the less counts the more the log has taken since. */
export interface FlowTable {
  namespace: string;
  source: string;
  events: number;
  bytes: number;
  /** How far the log was when this was counted. */
  at_seq: number;
  at_bytes: number;
}

/** What was appended within the window, and where it stands or stood. */
export interface DedupTable {
  namespace: string;
  source: string;
  id: string;
  seq: number;
  nonce: number;
  at: Timestamp;
  /** How often the event was published again. */
  duplicates: Generated<number>;
}

export interface TopicTable {
  namespace: string;
  topic: string;
  count: number;
  /** The last minute with an event, since 1970. */
  minute: number;
  in_minute: number;
  in_minute_before: Generated<number>;
  last_seq: number;
  last_nonce: number;
}

/** One row a group. Every operation on the group locks it. */
export interface GroupTable {
  namespace: string;
  name: string;
  topics: string[];
  ack_deadline_ms: number;
  max_deliveries: number;
  /** The furthest position that the cursor has reached; it is the cursor itself unless the group replays. */
  cursor_epoch: string;
  cursor_seq: number;
  cursor_nonce: number;
  /** Events that have died: the last one's ordinal. */
  deaths: Generated<number>;
  /** Random. */
  id: Generated<string>;
  /** Of the settings. */
  version: Generated<number>;
  /** The settings that the group was made with; null: those in force. */
  made: JSONColumnType<GroupSettings> | null;
  paused: JSONColumnType<GroupPause> | null;
  /** The agent that made it. */
  maker: string | null;
  owned_by: string | null;
  /** The source of its maker. */
  made_by: string | null;
  made_at: Timestamp | null;
  /** Redrives and seeks that have taken a number. */
  lives: Generated<number>;
  /** The cursor, while the group replays. */
  replay_epoch: string | null;
  replay_seq: number | null;
  replay_nonce: number | null;
  /** The life of events that are read again. */
  replay_life: number | null;
  /** Ranges that seeks forward passed over: { epoch, after, upTo, at }. */
  sought: Generated<unknown>;
}

/** Ids of groups that were deleted. */
export interface DeletedGroupTable {
  namespace: string;
  id: string;
  at: Timestamp;
}

/** Every event that a group has taken and not settled. */
export interface DeliveryTable {
  namespace: string;
  group_name: string;
  seq: number;
  nonce: number;
  epoch: string;
  state: 'in_flight' | 'waiting' | 'dead';
  /** 0, or the number of the redrive or the seek with which it began. */
  life: Generated<number>;
  /** Of the attempt that is in flight, or was last; 0 when it was redriven. */
  attempt: number;
  /** Deliveries of its life that did not count. */
  uncounted: Generated<number>;
  /** Waiting: whether the deadline of its last attempt passed. */
  passed: Generated<boolean>;
  /** The consumer that has it, or had it last. */
  consumer: string | null;
  delivered_at: Timestamp | null;
  /** In flight: the deadline. Waiting: when it is due. */
  due_at: Timestamp | null;
  dead_at: Timestamp | null;
  ordinal: number | null;
  history: JSONColumnType<StoredAttempt[]>;
  text: string;
}

/** What is known of the members of a group. */
export interface MemberTable {
  namespace: string;
  group_name: string;
  consumer: string;
  sign_at: Timestamp;
  /** How many deliveries it has let pass since. */
  missed: number;
}

// A type and not an interface, which Kysely would not take for a set of tables.
export type BusSchema = {
  bus_logs: LogTable;
  bus_events: EventTable;
  bus_dedup: DedupTable;
  bus_topics: TopicTable;
  bus_flows: FlowTable;
  bus_groups: GroupTable;
  bus_deliveries: DeliveryTable;
  bus_members: MemberTable;
  bus_deleted_groups: DeletedGroupTable;
};
