// Withdraws open questions, whose events are then to be published.
import { type Kysely, sql } from 'kysely';
import type { Schema } from '../../schema.ts';

/** Questions at a time. */
const CHUNK = 500;

const WITHDRAWN = (reason: string) => sql`state = 'withdrawn', outcome = ${JSON.stringify({ reason })}::jsonb,
  ended_at = now(), event_id = gen_random_uuid(), pending_since = now()`;

export async function withdrawExpired(db: Kysely<Schema>): Promise<void> {
  await sql`
    update questions set ${WITHDRAWN('the question has expired')}
    where (namespace, agent, question_id) in (
      select namespace, agent, question_id from questions
      where state = 'open' and expires_at <= now() order by expires_at limit ${CHUNK}
    ) and state = 'open'`.execute(db);
}

export async function withdrawOf(db: Kysely<Schema>, namespace: string, agent: string): Promise<void> {
  await sql`
    update questions set ${WITHDRAWN('the agent has left')}
    where namespace = ${namespace} and agent = ${agent} and state = 'open'`.execute(db);
}
