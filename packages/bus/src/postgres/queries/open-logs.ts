// Makes the logs that are not there yet, and returns how all of them stand.
import { type Kysely, sql } from 'kysely';
import type { BusSchema, LogTable } from '../schema.ts';

type LogRow = Pick<LogTable, 'namespace' | 'epoch'> & {
  head_seq: number;
  head_nonce: number;
  head_bytes: number;
  horizon_seq: number;
  horizon_nonce: number;
  horizon_bytes: number;
};

export async function openLogs(db: Kysely<BusSchema>, namespaces: readonly string[]): Promise<LogRow[]> {
  const found = await findLogs(db, namespaces);
  if (found.length === new Set(namespaces).size) return found;
  await sql`select bus_open_logs(${namespaces}::text[])`.execute(db);
  return findLogs(db, namespaces);
}

async function findLogs(db: Kysely<BusSchema>, namespaces: readonly string[]): Promise<LogRow[]> {
  const { rows } = await sql<LogRow>`
    select namespace, epoch, head_seq, head_nonce, head_bytes, horizon_seq, horizon_nonce, horizon_bytes
    from bus_logs where namespace = any(${namespaces}::text[])`.execute(db);
  return rows;
}
