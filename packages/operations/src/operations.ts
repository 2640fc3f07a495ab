// The composition of operations: what replicas report, what is read of it, the audit, and sessions.
import type { Clock } from '@hypercode/clock';
import type {
  OtherStreams,
  Replica,
  StatsSeries,
  StatsSeriesInput,
  StreamReport,
  Traffic,
  TrafficInput,
} from '@hypercode/contracts';
import type { Signal } from '@hypercode/feed';
import type { Database } from '@hypercode/stores';
import { type AuditHead, AuditLog } from './audit/audit-log.ts';
import { Questions } from './questions/questions.ts';
import type { ReplicaIdentity, ReplicaVitals } from './reports/replica-state.ts';
import { type ReportPart, Reporter } from './reports/reporter.ts';
import type { Schema } from './schema.ts';
import { Sessions } from './sessions/sessions.ts';
import { readSteps } from './statistics/queries/read-steps.ts';
import { rangeOf, seriesOf } from './statistics/series.ts';
import { StreamReports } from './streams/stream-reports.ts';
import { Statistics } from './statistics/statistics.ts';
import { readTraffic } from './traffic/queries/read-traffic.ts';
import { TrafficTally } from './traffic/traffic.ts';

export interface OperationsOptions {
  readonly database: Database;
  readonly clock: Clock;
  readonly signal: Signal;
  readonly replica: ReplicaIdentity;
  /** What this replica reports of itself beside what its process knows. */
  readonly vitals: () => ReplicaVitals;
  /** The subscriptions that are open on this replica, by namespace. */
  readonly streams: () => ReadonlyMap<string, StreamReport>;
  /** What other packages write with the reports. */
  readonly parts: readonly ReportPart[];
  /** How long the audit is kept, in milliseconds. */
  readonly auditMaxAgeMs: number;
  /** How long a session of a browser lasts, in milliseconds. */
  readonly sessionMs: number;
  /** See `AuditLogOptions`. */
  readonly onAuditHead: (head: AuditHead) => void;
  /** Called with failures in the background; what failed is tried again by itself. */
  readonly onError: (error: unknown) => void;
}

export interface Operations {
  readonly audit: AuditLog;
  readonly sessions: Sessions;
  /** What agents ask people. */
  readonly questions: Questions;
  /** Counts what happens at this replica. */
  readonly statistics: Statistics;
  /** Counts who receives whose events at this replica. */
  readonly traffic: TrafficTally;
  /** All replicas that have reported themselves within the last minute, and the namespaces whose guard holds. UNAVAILABLE. */
  replicas(): Promise<{ replicas: Replica[]; suspended: string[] }>;
  /** This replica as it is now. */
  own(): { replica: Replica; suspended: readonly string[] };
  /** See `StreamReports.others`. */
  otherStreams(namespace: string): Promise<OtherStreams[]>;
  /** Writes a report now, after the one under way. */
  report(): Promise<void>;
  /** INVALID_INPUT when there would be too many points, UNAVAILABLE. */
  readSeries(input: StatsSeriesInput): Promise<StatsSeries>;
  /** UNAVAILABLE. */
  readTraffic(input: TrafficInput): Promise<Traffic>;
  /** Writes what was counted and ends. The database stays open. */
  close(): Promise<void>;
}

/** Works until it is closed. */
export function createOperations(options: OperationsOptions): Operations {
  const { database, clock, signal, replica, vitals, streams, parts, auditMaxAgeMs, sessionMs, onAuditHead, onError } =
    options;
  const db = database.kysely.$extendTables<Schema>();
  const statistics = new Statistics(clock);
  const traffic = new TrafficTally(clock);
  const streamReports = new StreamReports({ db, clock, replica: replica.id, streams });
  const reporter = new Reporter({
    db,
    clock,
    replica,
    vitals,
    statistics,
    traffic,
    streams: streamReports,
    parts,
    onError,
  });
  const audit = new AuditLog({ db, clock, maxAgeMs: auditMaxAgeMs, onHead: onAuditHead, onError });
  const sessions = new Sessions({ db, clock, signal, sessionMs, onError });
  return {
    audit,
    sessions,
    questions: new Questions(db),
    statistics,
    traffic,
    replicas: () => reporter.replicas(),
    own: () => reporter.own(),
    otherStreams: (namespace) => streamReports.others(namespace),
    report: () => reporter.report(),
    async readSeries({ namespace, metrics, since, stepMs }) {
      const range = rangeOf(since, stepMs, clock.epochMs());
      return seriesOf(metrics, await readSteps(db, namespace, range), range);
    },
    readTraffic: ({ namespace, windowMs }) => readTraffic(db, namespace, windowMs),
    async close() {
      await sessions.close();
      await audit.close();
      await reporter.close();
    },
  };
}
