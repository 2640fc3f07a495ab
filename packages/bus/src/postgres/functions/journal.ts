// The journal: a row for each event that a group settled, and its bounds.
import { sql } from 'kysely';
import { JOURNAL_BLOCK, MAX_JOURNAL_NAME } from '../../store/group-fates.ts';
import { BY_KEYS } from './by-keys.ts';

/** A name as the journal keeps it. */
export const journalName = sql`
  create or replace function bus_journal_name(p_name text) returns text
  language plpgsql immutable
  as $$
  begin
    if octet_length(p_name) > ${sql.raw(String(MAX_JOURNAL_NAME))} then
      p_name := left(p_name, ${sql.raw(String(MAX_JOURNAL_NAME))});
      while octet_length(p_name) > ${sql.raw(String(MAX_JOURNAL_NAME))} loop
        p_name := left(p_name, -1);
      end loop;
    end if;
    return p_name;
  end $$`;

/** What an insert does that meets the record of an earlier time that the event was settled. */
export const NEWEST_RECORD = sql`
  on conflict (journal, seq, group_number, nonce) do update set settled_at = excluded.settled_at,
    delivered_at = excluded.delivered_at, life = excluded.life, attempt = excluded.attempt, how = excluded.how, by = excluded.by`;

/**
 * Deletes records that have no event in the log any more, and the oldest beyond \`p_max_records\`, in whole blocks; at most \`p_most\`
 * with one call. True when none is left to delete.
 */
export const trimJournal = sql`
  create or replace function bus_trim_journal(p_namespace text, p_max_records bigint, p_most bigint) returns boolean
  language plpgsql
  ${BY_KEYS}
  as $$
  declare
    v_journal record;
    v_before bigint;
    v_over bigint;
    v_deleted bigint;
  begin
    for v_journal in
      select j.number, l.epoch, oldest.seq as kept_after from bus_journals j
      left join bus_logs l on l.namespace = j.namespace and l.epoch = j.epoch
      left join lateral bus_resume(l, 0, 0, 'log_lost') oldest on l.epoch is not null
      where j.namespace = p_namespace
    loop
      v_over := null;
      if v_journal.epoch is null or p_max_records = 0 then
        v_before := ${sql.raw(String(Number.MAX_SAFE_INTEGER))};
      else
        select r.seq into v_over from bus_settled r where r.journal = v_journal.number
        order by r.seq desc offset p_max_records limit 1;
        v_before := greatest((v_journal.kept_after + 1) / ${sql.raw(String(JOURNAL_BLOCK))},
          v_over / ${sql.raw(String(JOURNAL_BLOCK))} + 1) * ${sql.raw(String(JOURNAL_BLOCK))};
      end if;
      delete from bus_settled where ctid = any(array(
        select r.ctid from bus_settled r where r.journal = v_journal.number and r.seq < v_before order by r.seq limit p_most));
      get diagnostics v_deleted = row_count;
      if v_deleted = p_most then
        return false;
      end if;
    end loop;
    return true;
  end $$`;
