// Pauses, resumes and updates a group. Undefined: there is no such group. The functions are in functions/steer-group.ts.
import { type Kysely, sql } from 'kysely';
import type { SteeredGroup } from '../../store/group-store.ts';
import type { BusSchema } from '../schema.ts';

export interface Steering {
  group: string;
  how: 'pause' | 'resume' | 'update';
  with: object;
}

export async function steerGroup(
  db: Kysely<BusSchema>,
  namespace: string,
  { group, how, with: fields }: Steering,
): Promise<SteeredGroup | undefined> {
  const { rows } = await sql<SteeredGroup>`
    select * from bus_steer_group(${namespace}, ${group}, ${how}, ${JSON.stringify(fields)}::jsonb)`.execute(db);
  return rows[0];
}
