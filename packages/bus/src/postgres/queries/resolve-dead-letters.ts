// Redrives or discards dead letters, all in batches. Null: there is no such group.
import { type Kysely, sql } from 'kysely';
import type { LogPosition } from '../../store/position.ts';
import type { BusSchema } from '../schema.ts';

/** Of one statement, so that none takes long. */
const BATCH = 2_000;

export interface Resolution {
  group: string;
  /** Null: the oldest, up to an ordinal. */
  positions: readonly LogPosition[] | null;
  upTo: number;
  redrive: boolean;
  /** Who asks, as the journal keeps it. */
  by: string | null;
  journal: boolean;
}

export interface Resolved {
  resolved: number;
  /** Whether there may be more. */
  more: boolean;
}

export async function resolveDeadLetters(
  db: Kysely<BusSchema>,
  namespace: string,
  { group, positions, upTo, redrive, by, journal }: Resolution,
): Promise<Resolved | null> {
  const column = (name: keyof LogPosition) => positions?.map((position) => position[name]) ?? null;
  const { rows } = await sql<{ resolved: number | null }>`
    select bus_settle_dead(
      ${namespace}, ${group}, ${column('epoch')}::text[], ${column('seq')}::bigint[], ${column('nonce')}::bigint[],
      ${upTo}, ${BATCH}, ${redrive}, ${by}, ${journal}) as resolved`.execute(db);
  const resolved = rows[0]?.resolved ?? null;
  return resolved === null ? null : { resolved, more: positions === null && resolved === BATCH };
}
