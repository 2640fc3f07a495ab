// Statements that keep what a replica reports of its streams; each can stand in a `with`.
import { type RawBuilder, sql } from 'kysely';

/** `reports` are JSON, by namespace. */
export const writeStreams = (
  replica: string,
  reports: readonly (readonly [string, string])[],
): RawBuilder<unknown> => sql`
  insert into replica_streams (replica, namespace, report)
  select ${replica}::uuid, namespace, report::jsonb
  from unnest(${reports.map(([namespace]) => namespace)}::text[], ${reports.map(([, report]) => report)}::text[])
    as r(namespace, report)
  on conflict (namespace, replica) do update set report = excluded.report`;

export const deleteStreams = (replica: string, namespaces: readonly string[]): RawBuilder<unknown> => sql`
  delete from replica_streams where replica = ${replica} and namespace = any(${namespaces}::text[])`;

/** Of a replica that ends, and of those that report themselves no more. */
export const deleteVanished = (replica: string, { isLast }: { isLast: boolean }): RawBuilder<unknown> => sql`
  delete from replica_streams where ${isLast ? sql`replica = ${replica} or` : sql``} (replica <> ${replica}
    and not exists (select from replicas r where r.id = replica_streams.replica))`;
