// Decides whether a reader can go on from a position.
import { sql } from 'kysely';

/**
 * Why a reader cannot go on from a position: `retention`, `log_lost`; null when it can. `p_nonce_there` is the nonce of the
 * event at the position, as read by the statement that read the log. The epoch '0' is the beginning of every log.
 */
export const gapOf = sql`
  create or replace function bus_gap(p_log bus_logs, p_epoch text, p_seq bigint, p_nonce bigint, p_nonce_there integer) returns text
  language sql immutable
  as $$
    select case
      when p_epoch = '0' then case when p_log.horizon_seq > 0 then 'retention' end
      when p_log.epoch <> p_epoch or p_seq > p_log.head_seq then 'log_lost'
      when p_seq < p_log.horizon_seq then 'retention'
      when p_nonce is distinct from case p_seq
        when p_log.head_seq then p_log.head_nonce
        when p_log.horizon_seq then p_log.horizon_nonce
        else p_nonce_there
      end then 'log_lost'
    end
  $$`;
