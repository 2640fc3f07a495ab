// The role that an agent had at a time.
import { type Kysely, sql } from 'kysely';
import type { Schema } from '../../schema.ts';

/** By how much the clock of another store, which the time is from, may be behind. */
const CLOCKS_DIFFER = '2 seconds';

/** A role is for good as long as an agent is registered; before that, the change log has it, as far back as it reaches. */
export async function readRoleAt(
  db: Kysely<Schema>,
  namespace: string,
  name: string,
  { at }: { at: Date },
): Promise<string | null> {
  const latest = sql`${at}::timestamptz + ${sql.lit(CLOCKS_DIFFER)}::interval`;
  const { rows } = await sql<{ role: string | null }>`
    select coalesce(
      (select doc ->> 'role' from agents
        where namespace = ${namespace} and name = ${name} and (doc ->> 'registeredAt')::timestamptz <= ${latest}),
      (select after ->> 'role' from changes
        where namespace = ${namespace} and name = ${name} and at <= ${latest} order by revision desc limit 1)
    ) as role`.execute(db);
  return rows[0]?.role ?? null;
}
