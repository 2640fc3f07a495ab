// One page of the agents that match a filter, in the order of their names.
import type { AgentFilter } from '@hypercode/contracts';
import { type Kysely, sql } from 'kysely';
import type { Schema } from '../../database/schema.ts';
import { searchQuery, termsOf } from '../agent-filter.ts';
import type { AgentRow } from '../agent-row.ts';

export interface Page {
  filter: AgentFilter;
  text: string | undefined;
  /** Only names behind this one. */
  after: string | null;
  limit: number;
}

export interface PageRow extends AgentRow {
  name: string;
}

/** At most `limit` rows, and the namespace's revision in the same snapshot. */
export async function queryAgents(
  db: Kysely<Schema>,
  namespace: string,
  page: Page,
): Promise<{ rows: PageRow[]; revision: number }> {
  const { all, any, recheckTopic } = termsOf(namespace, page.filter);
  const query = page.text === undefined ? null : searchQuery(page.text);
  const nothingToFind = page.text !== undefined && query === null;
  const conditions = [sql`a.namespace = ${namespace}`];
  if (page.after !== null) conditions.push(sql`a.name > ${page.after}`);
  if (all.length > 0) conditions.push(sql`a.facets @> ${all}::text[]`);
  if (any !== null) conditions.push(sql`a.facets && ${any}::text[]`);
  if (recheckTopic !== null) conditions.push(sql`${declaresMatch(recheckTopic)}`);
  if (query !== null) conditions.push(sql`a.search @@ ${query}::tsquery`);
  if (nothingToFind) conditions.push(sql`false`);

  const { rows } = await sql<{ revision: number; name: string | null } & AgentRow>`
    select coalesce(n.revision, 0) as revision, p.name, p.doc, p.last_seen_at
    from (select 1) as one
    left join namespaces n on n.namespace = ${namespace}
    left join lateral (
      select a.name, a.doc, a.last_seen_at from agents a
      where ${sql.join(conditions, sql` and `)}
      order by a.name limit ${page.limit}
    ) p on true
    order by p.name`.execute(db);
  return {
    revision: rows[0]?.revision ?? 0,
    rows: rows.filter((row): row is typeof row & { name: string } => row.name !== null),
  };
}

/** Whether one of the agent's patterns, read as a regular expression, matches the topic. */
const declaresMatch = (topic: string) => sql`exists (
  select from jsonb_path_query(a.doc, '$.topics.*[*]') as pattern
  where ${topic} ~ ('^' || replace(replace(replace(pattern #>> '{}', '.', '\\.'), '*', '[^.]+'), '>', '.+') || '$')
)`;
