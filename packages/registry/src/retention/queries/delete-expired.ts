// Deletes rows past their time: tokens, what is remembered of former processes, and changes of circuits that no replica delivered.
import { type Kysely, sql } from 'kysely';
import { REMEMBERED_INCARNATION } from '../../documents/agent-row.ts';
import type { Schema } from '../../schema.ts';
import { SPEAKING_KINDS } from '../../tokens/queries/token-names.ts';

/** Most tokens of one agent that count. A process that registers again and again loses its oldest ones. */
const MAX_TOKENS_PER_AGENT = 100;

/** Names in one statement, so that none takes long. */
const MAX_NAMES = 500;

/** How long a change of a circuit is worth delivering. */
const UNDELIVERED_LAST = '1 day';

export async function deleteExpired(db: Kysely<Schema>): Promise<void> {
  await sql`
    with gone as (
      delete from tokens
      where expires_at < now()
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
        from tokens where kind = 'agent' and fenced_at is null and (namespace, name) in (
          select namespace, name from tokens where kind = 'agent' and fenced_at is null
          group by namespace, name having count(*) > ${MAX_TOKENS_PER_AGENT}
        )
      ) ranked where newest > ${MAX_TOKENS_PER_AGENT}
    )`.execute(db);
  while ((await forgetRemovedNames(db)) === MAX_NAMES);
  await sql`delete from circuit_news where at < now() - ${UNDELIVERED_LAST}::interval`.execute(db);
}

/** Forgets the processes of names that have been free for long enough. Returns of how many names. */
async function forgetRemovedNames(db: Kysely<Schema>): Promise<number> {
  const { rows } = await sql<{ count: number }>`
    with forgotten as (
      delete from removed_names where (namespace, name) in (
        select namespace, name from removed_names
        where removed_at <= now() - ${REMEMBERED_INCARNATION}::interval
        order by removed_at limit ${MAX_NAMES}
        for update skip locked
      ) returning namespace, name
    ), processes as (
      delete from incarnations i using forgotten f where i.namespace = f.namespace and i.name = f.name
    ), fenced as (
      delete from tokens t using forgotten f
      where t.kind = 'agent' and t.namespace = f.namespace and t.name = f.name and t.fenced_at is not null
    )
    select count(*)::int as count from forgotten`.execute(db);
  return rows[0]?.count ?? 0;
}
