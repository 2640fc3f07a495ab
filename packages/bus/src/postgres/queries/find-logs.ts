// How logs stand. A log that nobody has written to is not among them.
import { type Kysely, sql } from 'kysely';
import type { BusSchema, LogTable } from '../schema.ts';

export type LogRow = Pick<LogTable, 'namespace' | 'epoch'> & {
  head_seq: number;
  head_nonce: number;
  head_bytes: number;
  horizon_seq: number;
  horizon_nonce: number;
  horizon_bytes: number;
};

export async function findLogs(db: Kysely<BusSchema>, namespaces: readonly string[]): Promise<LogRow[]> {
  const { rows } = await sql<LogRow>`
    select namespace, epoch, head_seq, head_nonce, head_bytes, horizon_seq, horizon_nonce, horizon_bytes
    from bus_logs where namespace = any(${namespaces}::text[])`.execute(db);
  return rows;
}
