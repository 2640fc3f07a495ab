// Namespaces with the numbers of their agents.
import { type Kysely, sql } from 'kysely';
import type { Schema } from '../../schema.ts';

export interface NamespaceAgents {
  namespace: string;
  revision: number;
  total: number;
  healthy: number;
  unhealthy: number;
  /** Agents whose circuit is open. */
  open: number;
}

/** The names of the namespaces in which an agent was ever registered, after `after`, by name. */
export async function namesOfNamespaces(
  db: Kysely<Schema>,
  { after, limit }: { after: string | null; limit: number },
): Promise<string[]> {
  const { rows } = await sql<{ namespace: string }>`
    select namespace from namespaces where ${after}::text is null or namespace > ${after}::text
    order by namespace limit ${limit}`.execute(db);
  return rows.map(({ namespace }) => namespace);
}

/** By name; a namespace in which no agent was ever registered has revision 0. */
export async function countAgents(db: Kysely<Schema>, namespaces: readonly string[]): Promise<NamespaceAgents[]> {
  const { rows } = await sql<NamespaceAgents>`
    select u.namespace, coalesce(n.revision, 0) as revision, a.total, a.healthy, a.unhealthy, a.open
    from unnest(${namespaces}::text[]) as u(namespace)
    left join namespaces n on n.namespace = u.namespace
    cross join lateral (
      select count(*)::int as total, (count(*) filter (where health = 'healthy'))::int as healthy,
        (count(*) filter (where health = 'unhealthy'))::int as unhealthy, (count(*) filter (where circuit = 'open'))::int as open
      from (
        select doc #>> '{status,health}' as health, doc #>> '{status,circuit}' as circuit
        from agents where namespace = u.namespace
      ) found
    ) a
    order by u.namespace collate "C"`.execute(db);
  return rows;
}
