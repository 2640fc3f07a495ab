// Names that tell operators apart: of the tokens that exist, each its own; of those that ended, when that was.
import { type Kysely, sql } from 'kysely';

export async function up(db: Kysely<unknown>): Promise<void> {
  await sql`
    create table ended_token_names (
      namespace text collate "C" not null,
      name text not null,
      kind text not null,
      ended_at timestamptz not null,
      primary key (namespace, name)
    )`.execute(db);
  // The oldest token keeps a name that several have; `admin` is the name of the token of the configuration.
  await sql`
    update tokens t set name = left(t.name, 119) || '-' || right(t.id::text, 8)
    where t.kind in ('operator', 'admin') and (t.name = 'admin' or exists (
      select from tokens o
      where o.kind in ('operator', 'admin') and o.name = t.name
        and (o.namespace = t.namespace or 'admin' in (o.kind, t.kind))
        and (o.created_at, o.id) < (t.created_at, t.id)
    ))`.execute(db);
}
