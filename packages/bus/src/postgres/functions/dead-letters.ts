// What a group counts of its dead letters, and the bound of how many it keeps.
import { DEADLINE_PASSED, LIMITS, NO_REASON } from '@hypercode/contracts';
import { sql } from 'kysely';
import { MAX_REASONS, REASON_CUT } from '../../store/group-deaths.ts';
import { BY_KEYS } from './by-keys.ts';

const { deadLetters, deadLetterBytes, failedAttempts } = LIMITS;
/** Dead letters that one death removes of a group that had more than may be before there was a bound. */
const MAX_CLEARED = 2_000;

/** Why a dead letter died. */
export const deathReason = sql`
  create or replace function bus_death_reason(p_passed boolean, p_history jsonb) returns text
  language sql immutable
  as $$
    select case when p_passed then ${sql.lit(DEADLINE_PASSED)}
      else left(coalesce(p_history -> -1 ->> 'reason', ${sql.lit(NO_REASON)}), ${sql.lit(REASON_CUT)}) end
  $$`;

/** A history with one failed attempt more: the newest are kept. */
export const withAttempt = sql`
  create or replace function bus_with_attempt(p_history jsonb, p_attempt jsonb) returns jsonb
  language sql immutable
  as $$
    select case when jsonb_array_length(p_history) < ${sql.lit(failedAttempts)} then p_history
      else jsonb_path_query_array(p_history, ${sql.lit(`$[last - ${failedAttempts - 2} to last]`)}) end || p_attempt
  $$`;

/** Counts by reason, with those of \`p_reasons\` added, \`p_by\` for each; another reason takes the place of the rarest. */
export const countReasons = sql`
  create or replace function bus_count_reasons(p_counts jsonb, p_reasons text[], p_by integer) returns jsonb
  language plpgsql immutable
  as $$
  declare
    v_one record;
    v_count bigint;
  begin
    for v_one in select r.reason, count(*) * p_by as change from unnest(p_reasons) r(reason) group by r.reason order by r.reason loop
      v_count := coalesce((p_counts ->> v_one.reason)::bigint, 0) + v_one.change;
      if v_count <= 0 then
        p_counts := p_counts - v_one.reason;
      else
        if not p_counts ? v_one.reason and (select count(*) from jsonb_object_keys(p_counts)) >= ${sql.lit(MAX_REASONS)} then
          p_counts := p_counts - (select c.key from jsonb_each_text(p_counts) c order by c.value::bigint, c.key limit 1);
        end if;
        p_counts := p_counts || jsonb_build_object(v_one.reason, v_count);
      end if;
    end loop;
    return p_counts;
  end $$`;

/**
 * Takes note of events that have just died, whose texts have \`p_bytes\`, and removes the oldest dead letters when there are more than
 * may be. The caller has locked the group. When there were deaths that were not counted, by a replica of the release before, the dead
 * letters are counted anew: as many as may be, and what is older is removed, in steps that end in time, one with each death.
 */
export const bury = sql`
  create or replace function bus_bury(p_namespace text, p_name text, p_bytes bigint[], p_reasons text[]) returns void
  language plpgsql
  ${BY_KEYS}
  as $$
  declare
    v_group bus_groups;
    v_count bigint;
    v_bytes bigint;
    v_reasons jsonb;
    v_gone text[] := '{}';
    v_oldest bigint;
    v_letter record;
    v_dropped bigint := 0;
    v_is_counted boolean := true;
  begin
    select * into v_group from bus_groups g where g.namespace = p_namespace and g.name = p_name;
    if v_group.counted_deaths = v_group.deaths then
      v_count := v_group.dead_count + cardinality(p_bytes);
      v_bytes := v_group.dead_bytes + (select sum(b) from unnest(p_bytes) b);
      v_reasons := bus_count_reasons(v_group.dead_reasons, p_reasons, 1);
    else
      select count(*), coalesce(sum(octet_length(d.text)), 0), min(d.ordinal),
        bus_count_reasons('{}', array_agg(bus_death_reason(d.passed, d.history)), 1)
      into v_count, v_bytes, v_oldest, v_reasons
      from (
        select d.ordinal, d.text, d.passed, d.history from bus_deliveries d
        where d.namespace = p_namespace and d.group_name = p_name and d.state = 'dead'
        order by d.ordinal desc limit ${sql.lit(deadLetters)}
      ) d;
      delete from bus_deliveries d where d.ctid = any(array(
        select d.ctid from bus_deliveries d
        where d.namespace = p_namespace and d.group_name = p_name and d.state = 'dead' and d.ordinal < v_oldest
        order by d.ordinal limit ${sql.lit(MAX_CLEARED)}));
      get diagnostics v_dropped = row_count;
      v_is_counted := not exists (
        select from bus_deliveries d
        where d.namespace = p_namespace and d.group_name = p_name and d.state = 'dead' and d.ordinal < v_oldest);
    end if;
    if v_is_counted and (v_count > ${sql.lit(deadLetters)} or v_bytes > ${sql.lit(deadLetterBytes)}) then
      for v_letter in
        select d.ctid as row, octet_length(d.text) as bytes, bus_death_reason(d.passed, d.history) as reason
        from bus_deliveries d
        where d.namespace = p_namespace and d.group_name = p_name and d.state = 'dead' order by d.ordinal
      loop
        exit when v_count <= ${sql.lit(deadLetters)} and v_bytes <= ${sql.lit(deadLetterBytes)};
        delete from bus_deliveries d where d.ctid = v_letter.row;
        v_count := v_count - 1;
        v_bytes := v_bytes - v_letter.bytes;
        v_gone := v_gone || v_letter.reason;
      end loop;
      v_dropped := v_dropped + cardinality(v_gone);
      v_reasons := bus_count_reasons(v_reasons, v_gone, -1);
    end if;
    update bus_groups g set
      deaths = g.deaths + cardinality(p_bytes),
      counted_deaths = case when v_is_counted then g.deaths + cardinality(p_bytes) end,
      dead_count = v_count,
      dead_bytes = v_bytes,
      dead_reasons = v_reasons,
      unreported = jsonb_build_object(
        'count', coalesce((g.unreported ->> 'count')::bigint, 0) + cardinality(p_bytes),
        'dropped', coalesce((g.unreported ->> 'dropped')::bigint, 0) + v_dropped,
        'reasons', bus_count_reasons(coalesce(g.unreported -> 'reasons', '{}'), p_reasons, 1))
    where g.namespace = p_namespace and g.name = p_name;
  end $$`;

/** Takes note of dead letters that are settled or redriven. The arguments are null when there are none. */
export const unbury = sql`
  create or replace function bus_unbury(p_namespace text, p_name text, p_bytes bigint[], p_reasons text[]) returns void
  language plpgsql
  ${BY_KEYS}
  as $$
  begin
    if p_bytes is not null then
      update bus_groups g set
        dead_count = g.dead_count - cardinality(p_bytes),
        dead_bytes = g.dead_bytes - (select sum(b) from unnest(p_bytes) b),
        dead_reasons = bus_count_reasons(g.dead_reasons, p_reasons, -1)
      where g.namespace = p_namespace and g.name = p_name;
    end if;
  end $$`;
