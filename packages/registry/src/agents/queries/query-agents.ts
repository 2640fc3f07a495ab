// One page of the agents that match a filter, in the order of their names.
import type { AgentFilter, AgentView } from '@hypercode/contracts';
import { type Kysely, type RawBuilder, sql } from 'kysely';
import type { Schema } from '../../schema.ts';
import { searchQuery, termsOf } from '../agent-filter.ts';
import { type AgentRow, measuredWithin, summarised } from '../../documents/agent-row.ts';

export interface Page {
  filter: AgentFilter;
  view: AgentView;
  text: string | undefined;
  /** Only names after this one. */
  after: string | null;
  limit: number;
  /** Of JSON, about. A page that has more ends early, after at least one row. */
  maxBytes: number;
}

export interface PageRow extends AgentRow {
  name: string;
}

/** Agents read in the order of their names before the index of terms is used. */
const WINDOW = 1000;
/** After every name, since names are of lower-case letters, digits and `-`. */
const AFTER_ALL = '~';

type Condition = RawBuilder<unknown>;

/**
 * A page, and the namespace's revision in the same snapshot.
 *
 * What many agents have is found by walking along the names, what few have by the index of terms; either way is slow for
 * the other, and the planner's guess of how many have a beginning of a word is often far off. So a stretch of names is
 * walked first, and only when that does not fill the page, what is asked for is rare, and the index finds all of it.
 */
export async function queryAgents(db: Kysely<Schema>, namespace: string, page: Page): Promise<FoundPage> {
  const terms = conditionsOf(namespace, page);
  if (terms.length === 0) return walkNames(db, namespace, page, terms);
  const near = await walkNames(db, namespace, page, terms);
  return near.whole || near.rows.length === page.limit || near.hasMore ? near : askIndex(db, namespace, page, terms);
}

export interface FoundPage {
  rows: PageRow[];
  /** Whether more agents match. */
  hasMore: boolean;
  revision: number;
}

/** A row of the page, or of what was found when nothing was. */
type ReadRow = { revision: number; name: string | null; among: number } & AgentRow;

/**
 * `found` with what decides where the page ends. It has one row more than the page may have; what it does not return costs this process
 * nothing.
 */
const measured = ({ view, maxBytes }: Page, found: RawBuilder<unknown>) => sql`
  select *, sum(${measuredWithin(maxBytes, sql`doc`)}) over (order by place) as bytes
  from (
    select name, doc, last_seen_at, liveness, count(*) over () as among, row_number() over by_name as place,
      sum(pg_column_size(doc)) over by_name as stored
    from (${view === 'full' ? found : summaries(found)}) found
    window by_name as (order by name)
  ) stored`;

/** The fence (`offset 0`) keeps the planner from making each summary again for each use of it. */
const summaries = (found: RawBuilder<unknown>) => sql`
  select name, ${summarised(sql`doc`)} as doc, last_seen_at, liveness from (${found}) whole offset 0`;

/** Which of the measured rows `p` are in the page: at least the first. */
const inPage = ({ limit, maxBytes }: Page) => sql`p.place <= ${limit} and (p.bytes <= ${maxBytes} or p.place = 1)`;

function pageOf(rows: readonly ReadRow[]): FoundPage {
  const shown = rows.filter(isPageRow);
  return { revision: rows[0]?.revision ?? 0, rows: shown, hasMore: shown.some(({ among }) => among > shown.length) };
}

/** What an agent must have, beside its namespace and its place after the page before. */
function conditionsOf(namespace: string, { filter, text }: Pick<Page, 'filter' | 'text'>): Condition[] {
  const { all, any, recheckTopic } = termsOf(namespace, filter);
  const conditions: Condition[] = [];
  if (all.length > 0) conditions.push(sql`a.facets @> ${all}::text[]`);
  if (any !== null) conditions.push(sql`a.facets && ${any}::text[]`);
  // No term: agents that a core of the release before has written would not have it.
  if (filter.activity !== undefined) conditions.push(sql`a.doc #>> '{status,activity}' = ${filter.activity}`);
  if (recheckTopic !== null) conditions.push(declaresMatch(recheckTopic));
  if (text !== undefined) {
    const query = searchQuery(text);
    conditions.push(query === null ? sql`false` : sql`a.search @@ ${query}::tsquery`);
  }
  return conditions;
}

/** The names after `after` of all agents that match, in their order. */
export async function findNames(
  db: Kysely<Schema>,
  namespace: string,
  { filter, after }: Pick<Page, 'filter'> & { after: string },
): Promise<string[]> {
  const conditions = conditionsOf(namespace, { filter, text: undefined });
  const wanted = sql.join([sql`a.namespace = ${namespace}`, sql`a.name > ${after}`, ...conditions], sql` and `);
  const { rows } = await sql<{ name: string }>`select a.name from agents a where ${wanted} order by a.name`.execute(db);
  return rows.map(({ name }) => name);
}

/** Reads the next names only (of a role, if the filter has one), unless there are no conditions; `whole` when there are no others. */
async function walkNames(
  db: Kysely<Schema>,
  namespace: string,
  page: Page,
  conditions: Condition[],
): Promise<FoundPage & { whole: boolean }> {
  const { filter, after, limit } = page;
  const from = after ?? '';
  const stretch = [sql`a.namespace = ${namespace}`, sql`a.name > ${from}`];
  if (filter.role !== undefined) stretch.push(sql`a.doc ->> 'role' = ${filter.role}`);
  // The fence (`offset 0`) keeps the planner from asking the index of terms after all.
  const walked =
    conditions.length === 0
      ? sql`select a.name, a.doc, a.last_seen_at, a.liveness from agents a where ${sql.join(stretch, sql` and `)}`
      : sql`select a.name, a.doc, a.last_seen_at, a.liveness from (
          select * from agents a
          where ${sql.join(stretch, sql` and `)} and a.name <= coalesce((select name from edge), ${AFTER_ALL})
          order by a.name offset 0
        ) a where ${sql.join(conditions, sql` and `)}`;
  const { rows } = await sql<ReadRow & { whole: boolean }>`
    with edge as materialized (
      select a.name from agents a
      where ${sql.join(stretch, sql` and `)} and ${conditions.length > 0}
      order by a.name offset ${WINDOW} limit 1
    )
    select coalesce(n.revision, 0) as revision, not exists (select from edge) as whole,
      p.name, p.doc, p.last_seen_at, p.liveness, p.among
    from (select 1) as one
    left join namespaces n on n.namespace = ${namespace}
    left join lateral (${measured(page, sql`${walked} order by a.name limit ${limit + 1}`)}) p on ${inPage(page)}
    order by p.name`.execute(db);
  return { ...pageOf(rows), whole: rows[0]?.whole ?? true };
}

/** Finds everything that has the terms, and of that the page. */
async function askIndex(
  db: Kysely<Schema>,
  namespace: string,
  page: Page,
  conditions: Condition[],
): Promise<FoundPage> {
  const { after, limit } = page;
  const { rows } = await sql<ReadRow>`
    with matching as materialized (
      select a.name from agents a where a.namespace = ${namespace} and ${sql.join(conditions, sql` and `)}
    ),
    page as materialized (
      select name from matching where name > ${after ?? ''} order by name limit ${limit + 1}
    )
    select coalesce(n.revision, 0) as revision, p.name, p.doc, p.last_seen_at, p.liveness, p.among
    from (select 1) as one
    left join namespaces n on n.namespace = ${namespace}
    left join lateral (${measured(
      page,
      sql`
      select a.name, a.doc, a.last_seen_at, a.liveness from page
      join agents a on a.namespace = ${namespace} and a.name = page.name`,
    )}) p on ${inPage(page)}
    order by p.name`.execute(db);
  return pageOf(rows);
}

const isPageRow = <R extends { name: string | null }>(row: R): row is R & { name: string } => row.name !== null;

/** Whether one of the agent's patterns, read as a regular expression, matches the topic. */
const declaresMatch = (topic: string) => sql`exists (
  select from jsonb_path_query(a.doc, '$.topics.*[*]') as pattern
  where ${topic} ~ ('^' || replace(replace(replace(pattern #>> '{}', '.', '\\.'), '*', '[^.]+'), '>', '.+') || '$')
)`;
