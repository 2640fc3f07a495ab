// The tables as Kysely sees them. The migrations are the definition; this is their reading.
import type { AuditOutcome, Json, QuestionAsked, QuestionState, Replica } from '@hypercode/contracts';

/** The audit: a chain of hashes for each namespace. A row is never changed, and only retention deletes the oldest ones. */
export interface AuditEntryTable {
  namespace: string;
  seq: number;
  at: Date;
  actor: string;
  action: string;
  target: string;
  before: unknown;
  after: unknown;
  reason: string | null;
  outcome: AuditOutcome;
  request_id: string;
  /** Of an outcome: the entry that was written before the act. */
  begun: number | null;
  previous: Buffer;
  hash: Buffer;
}

/** One row a namespace: the end of its chain. */
export interface AuditHeadTable {
  namespace: string;
  seq: number;
  at: Date;
  hash: Buffer;
}

/** One row for each process of the core that has reported itself within the last minute. */
export interface ReplicaTable {
  id: string;
  version: string;
  host: string;
  started_at: Date;
  seen_at: Date;
  streams: Replica['streams'];
  rss_bytes: number;
  event_loop_p99_ms: number;
  /** Namespaces whose mass-failure guard holds, if this replica judges. */
  suspended: string[];
}

/** The streams that are open on a replica in one namespace, as it reported them last. */
export interface ReplicaStreamsTable {
  replica: string;
  namespace: string;
  /** StreamReport. */
  report: unknown;
}

/** What a replica counted in one namespace within ten seconds. */
export interface StatisticsTable {
  namespace: string;
  /** Where it begins, in milliseconds since the epoch. */
  bucket: number;
  replica: string;
  published: number;
  delivered: number;
  acked: number;
  redelivered: number;
  dead: number;
  refused: number;
  publish_p99_ms: number | null;
}

/** Who talked to whom in one namespace at one replica within a minute. */
export interface TrafficTable {
  namespace: string;
  /** Where it begins, in milliseconds since the epoch. */
  bucket: number;
  replica: string;
  /** [source, topic, kind of reader, name of reader, count]. */
  edges: [string, string, string, string, number][];
  other: number;
}

/** One row for each session of a browser. All secrets are hashes. */
export interface SessionTable {
  key_hash: Buffer;
  cookie_hash: Buffer;
  token_hash: Buffer;
  created_at: Date;
  expires_at: Date;
}

/** Codes that open a session once. */
export interface SessionCodeTable {
  code_hash: Buffer;
  token_hash: Buffer;
  expires_at: Date;
}

/**
 * One row for each question that an agent has asked people.
 *
 *   open ──answered or withdrawn, in the log──> that, settled
 *   open ──claimed by a call, expired, its agent left──> that ──its event is in the log──> settled
 */
export interface QuestionTable {
  namespace: string;
  agent: string;
  question_id: string;
  seq: number;
  asked: Pick<QuestionAsked, 'text' | 'options' | 'schema' | 'about'>;
  /** The event that asked. */
  origin: QuestionOrigin;
  asked_at: Date;
  expires_at: Date | null;
  state: QuestionState;
  outcome: QuestionOutcome | null;
  ended_at: Date | null;
  /** Whether the event of the outcome was read in the log. Until then another one may stand before it. */
  settled: boolean;
  /** Of an outcome that the core publishes: the id of that event. */
  event_id: string | null;
  /** Since when that event is to be published; null: it is not. */
  pending_since: Date | null;
}

export interface QuestionOrigin {
  readonly id: string;
  readonly correlationId: string;
  readonly traceparent: string | null;
}

export type QuestionOutcome =
  | { readonly answer: Json; readonly comment: string | null; readonly by: string }
  | { readonly reason: string };

/** One row for each namespace whose log is read for questions. */
export interface QuestionLogTable {
  namespace: string;
  /** Up to where it was read; null: from its beginning. */
  position: string | null;
  /** When an event about a question was last published, about. */
  used_at: Date;
}

/** Which replica reads the logs. */
export interface QuestionDutyTable {
  duty: string;
  holder: string;
  until: Date;
}

// A type and not an interface, which Kysely would not take for a set of tables.
export type Schema = {
  audit_entries: AuditEntryTable;
  audit_heads: AuditHeadTable;
  replicas: ReplicaTable;
  question_duty: QuestionDutyTable;
  question_logs: QuestionLogTable;
  questions: QuestionTable;
  sessions: SessionTable;
  session_codes: SessionCodeTable;
  replica_streams: ReplicaStreamsTable;
  statistics: StatisticsTable;
  traffic: TrafficTable;
};
