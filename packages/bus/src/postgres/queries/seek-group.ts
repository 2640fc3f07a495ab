// Moves the cursor of a group. Undefined: there is no such group. The function is in functions/steer-group.ts.
import { type Kysely, sql } from 'kysely';
import type { UsedGroup } from '../../store/group-store.ts';
import type { LogPosition } from '../../store/position.ts';
import type { BusSchema } from '../schema.ts';

/** Events in flight and waiting that one statement releases, so that none takes long. */
const BATCH = 2_000;

export interface Seek {
  group: string;
  to: 'latest' | 'earliest' | LogPosition;
  dropOpen: boolean;
  journal: boolean;
}

export interface SoughtRow {
  not_there: boolean;
  /** There are more events to release, and the cursor has not moved. */
  more: boolean;
  dropped: number;
  state: UsedGroup;
  was: LogPosition;
  is: LogPosition;
}

export async function seekGroup(
  db: Kysely<BusSchema>,
  namespace: string,
  { group, to, dropOpen, journal }: Seek,
): Promise<SoughtRow | undefined> {
  const [kind, position] = typeof to === 'string' ? [to, null] : ['position', to];
  const { rows } = await sql<SoughtRow>`
    select * from bus_move_cursor(
      ${namespace}, ${group}, ${kind}, ${position?.epoch ?? null}, ${position?.seq ?? null}, ${position?.nonce ?? null},
      ${dropOpen ? BATCH : 0}, ${journal})`.execute(db);
  return rows[0];
}
