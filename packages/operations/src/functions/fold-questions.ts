// Applies events about questions, in the order of the log, and notes how far the log was read: both or neither.
import { sql } from 'kysely';

/**
 * Returns whether it did: not when the log was read by another replica meanwhile, so that no event counts twice.
 *
 * - asked: a new question is open, or withdrawn at once where its agent has p_max open ones. A question that has ended is answered again:
 *   its outcome is to be published as the event `replyId`.
 * - answered, withdrawn: the first one in the log settles the question, also one that stands before an answer that was claimed and
 *   published later.
 *
 * p_events: [{ kind, agent, questionId, asked, origin, expiresAt, replyId, outcome, eventId, isCore }]
 */
export const foldQuestions = sql`
  create or replace function fold_questions(
    p_namespace text, p_before text, p_after text, p_events jsonb, p_max integer, p_refusal jsonb)
  returns boolean
  language plpgsql
  as $$
  #variable_conflict use_column
  declare
    e record;
    v_full boolean;
  begin
    update question_logs set position = p_after
    where namespace = p_namespace and position is not distinct from p_before;
    if not found then return false; end if;
    for e in
      select
        v ->> 'kind' as kind, v ->> 'agent' as agent, (v ->> 'questionId')::uuid as id, v -> 'asked' as asked,
        v -> 'origin' as origin, (v ->> 'expiresAt')::timestamptz as expires_at, (v ->> 'replyId')::uuid as reply_id,
        v -> 'outcome' as outcome, (v ->> 'eventId')::uuid as event_id, (v ->> 'isCore')::boolean as is_core
      from jsonb_array_elements(p_events) with ordinality as events(v, ord)
      order by ord
    loop
      if e.kind = 'asked' then
        select count(*) >= p_max into v_full from questions q
        where q.namespace = p_namespace and q.agent = e.agent and q.state = 'open';
        insert into questions as q (
          namespace, agent, question_id, asked, origin, asked_at, expires_at, state, outcome, ended_at, settled, event_id,
          pending_since)
        values (
          p_namespace, e.agent, e.id, e.asked, e.origin, now(), e.expires_at,
          case when v_full then 'withdrawn' else 'open' end, case when v_full then p_refusal end,
          case when v_full then now() end, false, case when v_full then e.reply_id end, case when v_full then now() end)
        on conflict (namespace, agent, question_id) do update set event_id = e.reply_id, pending_since = now()
          where q.state <> 'open' and q.pending_since is null;
      elsif e.is_core then
        update questions q set settled = true, pending_since = null
        where q.namespace = p_namespace and q.agent = e.agent and q.question_id = e.id and q.state = e.kind
          and q.event_id = e.event_id;
      else
        update questions q
        set state = e.kind, outcome = e.outcome, ended_at = now(), settled = true, event_id = null, pending_since = null
        where q.namespace = p_namespace and q.agent = e.agent and q.question_id = e.id and not q.settled;
      end if;
    end loop;
    return true;
  end $$`;
