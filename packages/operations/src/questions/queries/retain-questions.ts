// Removes questions that ended long ago, and of more than so many in a namespace the oldest.
import { type Kysely, sql } from 'kysely';
import type { Schema } from '../../schema.ts';

export async function retainQuestions(
  db: Kysely<Schema>,
  { maxAgeMs, maxEnded }: { readonly maxAgeMs: number; readonly maxEnded: number },
): Promise<void> {
  await sql`
    delete from questions q using (
      select namespace, agent, question_id, ended_at, row_number() over (partition by namespace order by seq desc) as place
      from questions where state <> 'open' and pending_since is null
    ) as ended
    where q.namespace = ended.namespace and q.agent = ended.agent and q.question_id = ended.question_id
      and (ended.place > ${maxEnded} or ended.ended_at < now() - ${maxAgeMs}::double precision * interval '1 millisecond')
      and q.state <> 'open' and q.pending_since is null`.execute(db);
}
