// Makes a group unless it is there, and gives it as it is.
import { type Kysely, sql } from 'kysely';
import type { GroupSettings } from '../../store/group-settings.ts';
import type { BusSchema } from '../schema.ts';

export interface OpenedGroup {
  topics: string[];
  ack_deadline_ms: number;
  max_deliveries: number;
  cursor_epoch: string;
  cursor_seq: number;
  cursor_nonce: number;
  created: boolean;
}

export async function openGroup(
  db: Kysely<BusSchema>,
  namespace: string,
  { group, settings, latest }: { group: string; settings: GroupSettings; latest: boolean },
): Promise<OpenedGroup | undefined> {
  const { topics, ackDeadlineMs, maxDeliveries } = settings;
  const { rows } = await sql<OpenedGroup>`
    select * from bus_open_group(
      ${namespace}, ${group}, ${topics}::text[], ${ackDeadlineMs}, ${maxDeliveries}, ${latest})`.execute(db);
  return rows[0];
}
