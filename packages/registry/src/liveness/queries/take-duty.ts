// Takes a duty, or renews it, unless another replica of this release has it. Returns whether this replica has it, and the database's time.
import { type Kysely, sql } from 'kysely';
import type { Schema } from '../../schema.ts';

export async function takeDuty(
  db: Kysely<Schema>,
  duty: string,
  { holder, forMs }: { holder: string; forMs: number },
): Promise<{ isOurs: boolean; now: number }> {
  const { rows } = await sql<{ ours: boolean; now: Date }>`
    with taken as (
      insert into duties as d (duty, holder, until, knows_leases)
      values (${duty}, ${holder}, now() + ${forMs} * interval '1 millisecond', ${holder})
      on conflict (duty) do update
        set holder = excluded.holder, until = excluded.until, knows_leases = excluded.knows_leases
        where d.holder = excluded.holder or d.until < now() or d.knows_leases is distinct from d.holder
      returning holder
    )
    select exists (select from taken) as ours, now() as now`.execute(db);
  const [row] = rows;
  return { isOurs: row?.ours ?? false, now: row?.now.getTime() ?? 0 };
}
