// Decides where a reader goes on that cannot go on from its position.
import { sql } from 'kysely';
import { BY_KEYS } from './by-keys.ts';

/**
 * p_gap: what `bus_gap` says of the position. `gap` is the same, or null when the event after the position was spared, and the one
 * at the position is the one that stood before it. `seq` and `nonce` are those of the position to go on from: before the next
 * event that was spared, or the horizon. With `log_lost`, it is before the oldest event that is kept.
 */
export const resume = sql`
  create or replace function bus_resume(
    p_log bus_logs, p_seq bigint, p_nonce bigint, p_gap text, out gap text, out seq bigint, out nonce integer)
  language plpgsql stable
  ${BY_KEYS}
  as $$
  #variable_conflict use_column
  declare
    v_next record;
  begin
    gap := p_gap;
    seq := p_log.horizon_seq;
    nonce := p_log.horizon_nonce;
    if p_gap is null or p_log.spared_events = 0 then
      return;
    end if;
    select e.seq, e.spared_after into v_next from bus_events e
    where e.namespace = p_log.namespace and e.spared_after is not null
      and e.seq > case p_gap when 'retention' then p_seq else 0 end
    order by e.seq limit 1;
    if found then
      seq := v_next.seq - 1;
      nonce := v_next.spared_after;
      if p_gap = 'retention' and seq = p_seq and nonce = p_nonce then
        gap := null;
      end if;
    end if;
  end $$`;
