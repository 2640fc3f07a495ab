// How logs stand. A log without any write is not among them.
import { type Kysely, sql } from 'kysely';
import type { BusSchema, LogTable } from '../schema.ts';

export type LogRow = Pick<LogTable, 'namespace' | 'epoch'> & {
  head_seq: number;
  head_nonce: number;
  head_bytes: number;
  horizon_seq: number;
  horizon_nonce: number;
  horizon_bytes: number;
  spared_events: number;
  spared_bytes: number;
  /** Before the first event that is kept. */
  oldest_seq: number;
  oldest_nonce: number;
};

export async function findLogs(db: Kysely<BusSchema>, namespaces: readonly string[]): Promise<LogRow[]> {
  const { rows } = await sql<LogRow>`
    select l.namespace, l.epoch, l.head_seq, l.head_nonce, l.head_bytes, l.horizon_seq, l.horizon_nonce, l.horizon_bytes,
      l.spared_events, l.spared_bytes, oldest.seq as oldest_seq, oldest.nonce as oldest_nonce
    from bus_logs l cross join lateral bus_resume(l, 0, 0, 'log_lost') oldest
    where l.namespace = any(${namespaces}::text[])`.execute(db);
  return rows;
}
