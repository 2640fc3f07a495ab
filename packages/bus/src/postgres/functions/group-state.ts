// What a consumer group is, as all calls about groups return it, and its counter of lives.
import { sql } from 'kysely';
import { BY_KEYS } from './by-keys.ts';

/** The fields of a GroupState (store/group-store.ts). */
export const groupState = sql`
  create or replace function bus_group_state(p_group bus_groups) returns json
  language sql stable
  as $$
    select json_build_object(
      'id', p_group.id, 'version', p_group.version,
      'topics', p_group.topics, 'ackDeadlineMs', p_group.ack_deadline_ms, 'maxDeliveries', p_group.max_deliveries,
      'made', coalesce(p_group.made, jsonb_build_object('topics', p_group.topics,
        'ackDeadlineMs', p_group.ack_deadline_ms, 'maxDeliveries', p_group.max_deliveries)),
      'paused', p_group.paused, 'ownedBy', p_group.owned_by, 'madeBy', p_group.made_by,
      'madeAt', floor(extract(epoch from p_group.made_at) * 1000)::bigint,
      'secret', p_group.secret, 'unsignedUntil', floor(extract(epoch from p_group.unsigned_until) * 1000)::bigint)
  $$`;

/**
 * Whether the cursor of a group stands before the furthest position that it has reached. That one is in `cursor_epoch` and
 * `cursor_seq`, where a replica of the release before reads and moves it, also to another log.
 */
export const replays = sql`
  create or replace function bus_replays(p_epoch text, p_seq bigint, p_replay_epoch text, p_replay_seq bigint) returns boolean
  language sql immutable
  as $$ select coalesce(p_replay_epoch = p_epoch and p_replay_seq < p_seq, false) $$`;

/**
 * The number of a life that begins now. A redrive by a replica of the release before adds one to the life of an event. Each needs a
 * death, so with the deaths added no such life is as large as a later number. The caller has locked the group.
 */
export const nextLife = sql`
  create or replace function bus_next_life(p_namespace text, p_name text) returns integer
  language plpgsql
  ${BY_KEYS}
  as $$
  declare
    v_life integer;
  begin
    update bus_groups g set lives = g.lives + 1 where g.namespace = p_namespace and g.name = p_name
    returning g.lives + g.deaths into v_life;
    return v_life;
  end $$`;
