// The tables as Kysely sees them. The migrations are the definition; this is their reading.
import type { AuditOutcome, Replica } from '@hypercode/contracts';

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

// A type and not an interface, which Kysely would not take for a set of tables.
export type Schema = {
  audit_entries: AuditEntryTable;
  audit_heads: AuditHeadTable;
  replicas: ReplicaTable;
  replica_streams: ReplicaStreamsTable;
  statistics: StatisticsTable;
  traffic: TrafficTable;
};
