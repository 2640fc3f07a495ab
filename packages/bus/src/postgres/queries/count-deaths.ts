// How many of a group's events have died: the ordinal of the last. Null: there is no such group.
import { type Kysely, sql } from 'kysely';
import type { BusSchema } from '../schema.ts';

export async function countDeaths(db: Kysely<BusSchema>, namespace: string, group: string): Promise<number | null> {
  const { rows } = await sql<{ deaths: number | null }>`
    select (entered).deaths from bus_enter_group(${namespace}, ${group})`.execute(db);
  return rows[0]?.deaths ?? null;
}
