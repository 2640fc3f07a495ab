// Adds entries to the audit of a namespace.
import { sql } from 'kysely';

/**
 * Adds entries in their order at the end of the namespace's chain, whose row is locked until the transaction ends: so two replicas never
 * continue the same entry. Returns the `seq` of each entry. `auditHash` in contracts describes the hash.
 *
 * p_entries: [{ digest, actor, action, target, before, after, reason, outcome, requestId, begun }]
 */
export const appendAudit = sql`
  create or replace function append_audit(p_namespace text, p_entries jsonb)
  returns table (ord bigint, seq bigint)
  language plpgsql
  as $$
  #variable_conflict use_column
  declare
    v_head audit_heads;
    v_at timestamptz;
    v_previous bytea;
    v_entry record;
  begin
    insert into audit_heads (namespace, seq, at, hash)
    values (p_namespace, 0, 'epoch', decode(repeat('00', 32), 'hex'))
    on conflict do nothing;
    select * into v_head from audit_heads where namespace = p_namespace for update;
    v_at := greatest(v_head.at, date_trunc('milliseconds', clock_timestamp()));
    for v_entry in
      select e.entry, e.ord from jsonb_array_elements(p_entries) with ordinality as e(entry, ord) order by e.ord
    loop
      v_previous := v_head.hash;
      v_head.seq := v_head.seq + 1;
      v_head.hash := sha256(
        v_previous
        || convert_to(v_head.seq::text || ' ' || (extract(epoch from v_at) * 1000)::bigint::text || ' ', 'UTF8')
        || decode(v_entry.entry ->> 'digest', 'hex')
      );
      insert into audit_entries (
        namespace, seq, at, actor, action, target, before, after, reason, outcome, request_id, begun, previous, hash)
      values (
        p_namespace, v_head.seq, v_at, v_entry.entry ->> 'actor', v_entry.entry ->> 'action', v_entry.entry ->> 'target',
        nullif(v_entry.entry -> 'before', 'null'), nullif(v_entry.entry -> 'after', 'null'), v_entry.entry ->> 'reason',
        v_entry.entry ->> 'outcome', v_entry.entry ->> 'requestId', (v_entry.entry ->> 'begun')::bigint, v_previous, v_head.hash);
      ord := v_entry.ord;
      seq := v_head.seq;
      return next;
    end loop;
    update audit_heads h set seq = v_head.seq, at = v_at, hash = v_head.hash where h.namespace = p_namespace;
  end $$`;
