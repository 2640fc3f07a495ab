// Deletes rows past their time: tokens, incarnations, and changes of circuits that no replica delivered.
import { type Kysely, sql } from 'kysely';
import { REMEMBERED_INCARNATION } from '../../documents/agent-row.ts';
import type { Schema } from '../../schema.ts';
import { SPEAKING_KINDS } from '../../tokens/queries/token-names.ts';

/** Most tokens of one agent. A process that registers again and again loses its oldest ones. */
const MAX_TOKENS_PER_AGENT = 100;

/** How long a change of a circuit is worth delivering. */
const UNDELIVERED_LAST = '1 day';

export async function deleteExpired(db: Kysely<Schema>): Promise<void> {
  await sql`
    with gone as (
      delete from tokens
      where expires_at < now() or fenced_at < now() - ${REMEMBERED_INCARNATION}::interval
      returning namespace, name, kind, expires_at
    )
    insert into ended_token_names (namespace, name, kind, ended_at)
    select distinct on (namespace, name) namespace, name, kind, expires_at from gone where kind in ${SPEAKING_KINDS}
    order by namespace, name, expires_at desc
    on conflict (namespace, name) do update set kind = excluded.kind, ended_at = excluded.ended_at`.execute(db);
  await sql`
    delete from tokens where hash in (
      select hash from (
        select hash, row_number() over (partition by namespace, name order by created_at desc) as newest
        from tokens where kind = 'agent' and (namespace, name) in (
          select namespace, name from tokens where kind = 'agent'
          group by namespace, name having count(*) > ${MAX_TOKENS_PER_AGENT}
        )
      ) ranked where newest > ${MAX_TOKENS_PER_AGENT}
    )`.execute(db);
  await sql`
    delete from incarnations i
    where i.superseded_at < now() - ${REMEMBERED_INCARNATION}::interval
      or (i.superseded_at is null and i.seen_at < now() - ${REMEMBERED_INCARNATION}::interval and not exists (
        select from agents a where a.namespace = i.namespace and a.name = i.name
      ))`.execute(db);
  await sql`delete from circuit_news where at < now() - ${UNDELIVERED_LAST}::interval`.execute(db);
}
