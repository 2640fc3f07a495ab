// Notes when tokens were last used.
import { type RawBuilder, sql } from 'kysely';

export interface TokenUse {
  readonly id: string;
  /** How long ago it was used, in milliseconds. */
  readonly agoMs: number;
}

/** A token that another statement has locked is passed over: two replicas that note the same tokens never wait for each other. */
export const touchTokens = (uses: readonly TokenUse[]): RawBuilder<unknown> => sql`
  update tokens t set last_used_at = greatest(t.last_used_at, now() - u."agoMs" * interval '1 millisecond')
  from jsonb_to_recordset(${JSON.stringify(uses)}::jsonb) as u(id uuid, "agoMs" bigint)
  where t.id = u.id and t.hash in (
    select hash from tokens
    where kind <> 'agent' and id = any(${uses.map(({ id }) => id)}::uuid[])
    for update skip locked
  )`;
