// Makes a group unless it is there, and gives it as it is. The function is in functions/join-group.ts.
import { type Kysely, sql } from 'kysely';
import type { GroupSettings } from '../../store/group-settings.ts';
import type { OpenOptions, UsedGroup } from '../../store/group-store.ts';
import type { LogPosition } from '../../store/position.ts';
import type { BusSchema } from '../schema.ts';

export interface OpenedRow {
  refused: 'deleted' | 'absent' | 'namespace' | 'agent' | null;
  state: UsedGroup;
  cursor_epoch: string;
  cursor_seq: number;
  cursor_nonce: number;
  created: boolean;
}

export interface Opening extends OpenOptions {
  group: string;
  /** Null: no topics were given. */
  settings: GroupSettings | null;
  from: 'latest' | 'earliest' | LogPosition;
}

export async function openGroup(
  db: Kysely<BusSchema>,
  namespace: string,
  { group, settings, from, groupId, maker, limits }: Opening,
): Promise<OpenedRow | undefined> {
  const [kind, position] = typeof from === 'string' ? [from, null] : ['position', from];
  const { rows } = await sql<OpenedRow>`
    select * from bus_join_group(
      ${namespace}, ${group}, ${settings?.topics ?? null}::text[], ${settings?.ackDeadlineMs ?? null},
      ${settings?.maxDeliveries ?? null}, ${kind}, ${position?.epoch ?? null}, ${position?.seq ?? null},
      ${position?.nonce ?? null}, ${groupId ?? null}, ${maker?.source ?? null}, ${maker?.agent ?? null},
      ${maker?.owns ?? false}, ${limits?.inNamespace ?? null}, ${limits?.ofAgent ?? null})`.execute(db);
  return rows[0];
}
