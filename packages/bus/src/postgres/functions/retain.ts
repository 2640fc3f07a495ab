// Applies retention to one log.
import { sql } from 'kysely';
import { BY_KEYS } from './by-keys.ts';

/**
 * Moves the horizon of one log to where its limits put it. True when nothing is left to do.
 */
export const retain = sql`
  create or replace function bus_retain(p_namespace text, p_max_events bigint, p_max_bytes bigint, p_max_age_ms bigint)
  returns boolean
  language plpgsql
  ${BY_KEYS}
  as $$
  declare
    v_log bus_logs;
    v_horizon record;
  begin
    select * into v_log from bus_logs l where l.namespace = p_namespace for update;
    if not found then
      return true;
    end if;
    select * into v_horizon from bus_horizon(v_log, p_max_events, p_max_bytes, p_max_age_ms);
    update bus_logs l set
      horizon_seq = v_horizon.seq, horizon_nonce = v_horizon.nonce, horizon_bytes = v_horizon.bytes
    where l.namespace = p_namespace and l.horizon_seq < v_horizon.seq;
    return v_horizon.settled;
  end $$`;
