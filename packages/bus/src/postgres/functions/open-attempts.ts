// Finds the deliveries that a call names.
import { sql } from 'kysely';
import { BY_KEYS } from './by-keys.ts';

/**
 * Where the named attempts stand that are in flight before their deadline, each once, with their places in the arrays.
 */
export const openAttempts = sql`
  create or replace function bus_open_attempts(
    p_namespace text, p_name text, p_at timestamptz, p_epochs text[], p_seqs bigint[], p_nonces bigint[], p_lives bigint[],
    p_attempts bigint[], p_uncounted bigint[])
  returns table (place tid, ord bigint)
  language plpgsql
  ${BY_KEYS}
  as $$
  begin
    return query
    select d.place, min(r.ord)
    from unnest(p_epochs, p_seqs, p_nonces, p_lives, p_attempts, p_uncounted)
      with ordinality as r(epoch, seq, nonce, life, attempt, uncounted, ord)
    cross join lateral (
      select d.ctid as place, d.state, d.life, d.attempt, d.uncounted, d.due_at from bus_deliveries d
      where d.namespace = p_namespace and d.group_name = p_name
        and d.seq = r.seq and d.nonce = r.nonce and d.epoch = r.epoch
      limit 1
    ) d
    where d.state = 'in_flight' and d.life = r.life and d.attempt = r.attempt and d.uncounted = r.uncounted
      and d.due_at > p_at
    group by d.place;
  end $$`;
