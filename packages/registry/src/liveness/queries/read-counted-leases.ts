// The leases of the agents of namespaces that count for the mass-failure guard by their lease.
import { type Kysely, sql } from 'kysely';
import type { Schema } from '../../schema.ts';
import { type CountedLeases, longestCountedMs } from '../mass-failure-guard.ts';

export interface NamespaceLeases extends CountedLeases {
  /** How many agents there are, whether they count or not. */
  readonly agents: number;
}

/** Of each namespace that has agents. */
export async function readCountedLeases(
  db: Kysely<Schema>,
  namespaces: readonly string[],
  coreLeaseMs: number,
): Promise<Map<string, NamespaceLeases>> {
  if (namespaces.length === 0) return new Map();
  const { rows } = await sql<{ namespace: string } & NamespaceLeases>`
    select namespace, count(*)::int as agents,
      coalesce(min(own.ms) filter (where own.ms <= ${longestCountedMs(coreLeaseMs)}), ${coreLeaseMs})::float8 as "shortestMs",
      coalesce(max(own.ms) filter (where own.ms <= ${longestCountedMs(coreLeaseMs)}), ${coreLeaseMs})::float8 as "longestMs"
    from agents cross join lateral (select coalesce(lease_ms, ${coreLeaseMs}::float8) as ms) own
    where namespace = any(${namespaces}::text[])
    group by namespace`.execute(db);
  return new Map(rows.map(({ namespace, ...leases }) => [namespace, leases]));
}
