// The versions of a namespace's policy that were in force at a time and before it, and how far back its versions are kept.
import type { PolicyRules } from '@hypercode/contracts';
import { type Kysely, sql } from 'kysely';
import type { PolicySchema } from '../policy-table.ts';

export interface VersionAt {
  version: number;
  rules: PolicyRules;
  put_at: Date;
  put_by: string | null;
}

/** At most two, the newest first; and the first version that is kept, null when there is none. */
export async function readPoliciesAt(
  db: Kysely<PolicySchema>,
  namespace: string,
  at: Date,
): Promise<{ versions: VersionAt[]; first: number | null }> {
  const { rows } = await sql<VersionAt & { first: number }>`
    select version, rules, put_at, put_by,
      (select min(version) from policy_versions where namespace = ${namespace}) as first
    from policy_versions
    where namespace = ${namespace} and put_at <= ${at}
    order by version desc limit 2`.execute(db);
  if (rows.length > 0) return { versions: rows, first: rows[0]?.first ?? null };
  const { rows: kept } = await sql<{ first: number | null }>`
    select min(version) as first from policy_versions where namespace = ${namespace}`.execute(db);
  return { versions: [], first: kept[0]?.first ?? null };
}
