// Reads what the upkeep of the embedded database is decided on.
import { type Kysely, sql } from 'kysely';
import type { TableState } from './table-steps.ts';

/** The write-ahead log since the last checkpoint began, in bytes. */
export async function readWalBytes(db: Kysely<object>): Promise<number> {
  const { rows } = await sql<{ bytes: number }>`
    select (pg_current_wal_insert_lsn() - redo_lsn)::float8 as bytes from pg_control_checkpoint()`.execute(db);
  return rows[0]?.bytes ?? 0;
}

/** Every table that may need something; with what statistics have counted until now. */
export async function readTables(db: Kysely<object>): Promise<TableState[]> {
  // Otherwise a session reports to statistics once a second.
  await sql`select pg_stat_force_next_flush()`.execute(db);
  const { rows } = await sql<TableState>`
    select t.oid::regclass::text as name, t.relkind = 't' as "isToast", pg_relation_size(t.oid)::float8 as bytes,
      t.live::float8 as "liveRows", t.dead::float8 as "deadRows", t.inserted::float8 as "insertedRows",
      t.changed::float8 as "changedRows", t.vacuums > 0 as "wasVacuumed", t.analyzes > 0 as "wasAnalyzed", t.age
    from (
      select oid, relkind, pg_stat_get_live_tuples(oid) as live, pg_stat_get_dead_tuples(oid) as dead,
        pg_stat_get_ins_since_vacuum(oid) as inserted, pg_stat_get_mod_since_analyze(oid) as changed,
        pg_stat_get_vacuum_count(oid) as vacuums, pg_stat_get_analyze_count(oid) as analyzes, age(relfrozenxid) as age
      from pg_class where relkind in ('r', 't') and relpersistence = 'p'
    ) t
    where dead >= 100 or changed >= 100 or inserted >= 100 or vacuums = 0 or (analyzes = 0 and relkind = 'r')
      or age >= 100000000`.execute(db);
  return rows;
}
