// Which logs are read for questions, and by whom.
import { type Kysely, sql } from 'kysely';
import type { Schema } from '../../schema.ts';

/** From the position on, if the log is not read yet; null: from its beginning. */
export async function followLog(db: Kysely<Schema>, namespace: string, position: string | null): Promise<void> {
  await sql`
    insert into question_logs (namespace, position, used_at) values (${namespace}, ${position}, now())
    on conflict (namespace) do update set used_at = now()`.execute(db);
}

/** Whether the log is read; if it is, that goes on. */
export async function touchLog(db: Kysely<Schema>, namespace: string): Promise<boolean> {
  const { numUpdatedRows } = await db
    .updateTable('question_logs')
    .set({ used_at: sql`now()` })
    .where('namespace', '=', namespace)
    .executeTakeFirst();
  return numUpdatedRows > 0n;
}

/** Ends the reading of logs in which nothing has been said of questions for so long, and whose questions have all ended. */
export async function leaveIdleLogs(
  db: Kysely<Schema>,
  read: readonly { readonly namespace: string; readonly position: string }[],
  idleMs: number,
): Promise<void> {
  await sql`
    delete from question_logs l
    using unnest(${read.map(({ namespace }) => namespace)}::text[], ${read.map(({ position }) => position)}::text[])
      as r(namespace, position)
    where l.namespace = r.namespace and l.position = r.position
      and l.used_at < now() - ${idleMs}::double precision * interval '1 millisecond'
      and not exists (
        select from questions q
        where q.namespace = l.namespace and (q.state = 'open' or not q.settled) and q.asked_at > now() - interval '7 days'
      )`.execute(db);
}

/** Takes the duty of reading them, or renews it, unless another replica has it. Returns whether this replica has it. */
export async function takeQuestionDuty(db: Kysely<Schema>, holder: string, forMs: number): Promise<boolean> {
  const { rows } = await sql`
    insert into question_duty as d (duty, holder, until)
    values ('questions', ${holder}, now() + ${forMs}::double precision * interval '1 millisecond')
    on conflict (duty) do update set holder = excluded.holder, until = excluded.until
      where d.holder = excluded.holder or d.until < now()
    returning holder`.execute(db);
  return rows.length > 0;
}

export async function leaveQuestionDuty(db: Kysely<Schema>, holder: string): Promise<void> {
  await db.deleteFrom('question_duty').where('holder', '=', holder).execute();
}
