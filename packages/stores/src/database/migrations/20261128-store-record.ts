// One row: what this swarm is called among the stores that it uses, and when a replica last found that it can write.
import { type Kysely, sql } from 'kysely';

export async function up(db: Kysely<unknown>): Promise<void> {
  await sql`
    create table store_record (
      only_row boolean primary key default true check (only_row),
      swarm_id uuid not null default gen_random_uuid(),
      written_at timestamptz not null default now()
    )`.execute(db);
  await sql`insert into store_record default values`.execute(db);
}
