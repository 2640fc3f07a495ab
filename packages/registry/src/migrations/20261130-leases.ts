// Leases of agents' own.
import { type Kysely, sql } from 'kysely';

export async function up(db: Kysely<unknown>): Promise<void> {
  // Of `leaseMs` in the document. No index has `last_seen_at`, so heartbeats stay cheap; this one finds agents with short leases.
  await sql`alter table agents add column lease_ms integer`.execute(db);
  await sql`create index agents_with_lease on agents (lease_ms) where lease_ms is not null`.execute(db);
  // A replica that judges all agents by the lease of the core must not go on doing so beside one that knows better.
  await sql`alter table duties add column knows_leases uuid`.execute(db);
}
