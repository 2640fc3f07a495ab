// Decides which events of a log retention removes.
import { sql } from 'kysely';
import { BY_KEYS } from './by-keys.ts';

/**
 * Where the horizon of a log belongs by its limits. The caller has locked the log's row. The `bytes` of an event count all
 * events before it and its own, so no sum is computed again. Visits at most 10,000 events that are too old or above the limit of
 * bytes; `settled` is false when more of them may follow. The rows stay until `bus_sweep` deletes them.
 */
export const horizonOf = sql`
  create or replace function bus_horizon(
    p_log bus_logs, p_max_events bigint, p_max_bytes bigint, p_max_age_ms bigint,
    out seq bigint, out nonce integer, out bytes bigint, out settled boolean)
  language plpgsql
  ${BY_KEYS}
  as $$
  #variable_conflict use_column
  declare
    v_cutoff timestamptz := clock_timestamp() - p_max_age_ms * interval '1 millisecond';
    v_event record;
    v_over boolean;
  begin
    seq := p_log.horizon_seq;
    nonce := p_log.horizon_nonce;
    bytes := p_log.horizon_bytes;
    if p_log.head_seq - p_log.horizon_seq > p_max_events then
      select e.seq, e.nonce, e.bytes into seq, nonce, bytes
      from bus_events e where e.namespace = p_log.namespace and e.seq = p_log.head_seq - p_max_events;
    end if;
    settled := true;
    for v_event in
      select e.seq, e.nonce, e.bytes, e.at from bus_events e
      where e.namespace = p_log.namespace and e.seq > p_log.horizon_seq
        and e.seq > p_log.head_seq - p_max_events
      order by e.seq limit 10000
    loop
      settled := v_event.at >= v_cutoff and p_log.head_bytes - bytes <= p_max_bytes;
      exit when settled;
      seq := v_event.seq;
      nonce := v_event.nonce;
      bytes := v_event.bytes;
    end loop;
    settled := settled or seq = p_log.head_seq;
  end $$`;
