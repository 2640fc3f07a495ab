// The subscriptions that are open on each replica, by namespace.
import { type Kysely, sql } from 'kysely';

export async function up(db: Kysely<unknown>): Promise<void> {
  await sql`
    create table replica_streams (
      replica uuid not null,
      namespace text collate "C" not null,
      report jsonb not null,
      primary key (namespace, replica)
    )`.execute(db);
  await sql`create index replica_streams_by_replica on replica_streams (replica)`.execute(db);
}
