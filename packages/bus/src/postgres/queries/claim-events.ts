// Claims due and offered events for a consumer in one round trip. The function is in functions/claim.ts.
import type { GapReason } from '@hypercode/contracts';
import { type Kysely, sql } from 'kysely';
import type { ClaimRequest, GroupState } from '../../store/group-store.ts';
import type { BusSchema } from '../schema.ts';

/** Most bytes of due events in one answer that has more than one. */
const MAX_BYTES = 4 * 1024 * 1024;

export interface ClaimRow {
  /** How many events of the offer the cursor passed. */
  passed: number;
  /** The places of those that were not taken. */
  passed_over: number[];
  /** Epoch, seq, nonce, life, attempt, uncounted and text of the others. */
  due: [string, number, number, number, number, number, string][] | null;
  /** The deadline of what was handed out; null when the group is paused. */
  due_at_ms: number | null;
  cursor_epoch: string;
  cursor_seq: number;
  cursor_nonce: number;
  room: number;
  next_due_ms: number | null;
  gap: GapReason | null;
  lost: number | null;
  is_silent: boolean;
  /** Events up to this one are in the life `replay_life`. */
  replay_up_to: number | null;
  replay_life: number | null;
  paused: boolean;
  changed: GroupState | null;
  deleted: boolean;
}

/** Undefined: there is no such group. */
export async function claimEvents(
  db: Kysely<BusSchema>,
  namespace: string,
  { group, request }: { group: string; request: ClaimRequest },
): Promise<ClaimRow | undefined> {
  const { groupId = null, consumer, isSign = true, patienceMs = 0, maxInFlight, max, offer } = request;
  const entries = offer?.entries ?? [];
  const payload =
    offer === null
      ? null
      : JSON.stringify({
          ...offer.after,
          version: offer.version,
          upTo: offer.upTo,
          count: offer.entries.length,
          oddPlace: offer.oddPlace,
        });
  const { rows } = await sql<ClaimRow>`
    select * from bus_hand_out(
      ${namespace}, ${group}, ${groupId}, ${consumer}, ${isSign}, ${patienceMs}, ${maxInFlight}, ${max}, ${MAX_BYTES},
      ${payload}::jsonb,
      ${entries.map(({ position }) => position.seq)}::bigint[], ${entries.map(({ position }) => position.nonce)}::integer[])`.execute(
    db,
  );
  return rows[0];
}
