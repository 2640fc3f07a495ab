// Replaces a namespace's policy if it is still the expected version, and keeps the new one in its history. Gives the new version.
import { LIMITS, type PolicyRules } from '@hypercode/contracts';
import { type Kysely, sql } from 'kysely';
import type { PolicySchema } from '../policy-table.ts';

/** Null: another version is in force. */
export async function writePolicy(
  db: Kysely<PolicySchema>,
  namespace: string,
  { rules, ifVersion, by }: { rules: PolicyRules; ifVersion: number; by: string },
): Promise<number | null> {
  const { rows } = await sql<{ version: number }>`
    with former as (
      -- A replica of an earlier release put it.
      insert into policy_versions (namespace, version, rules, put_at)
      select namespace, version, rules, updated_at from policies where namespace = ${namespace}
      on conflict do nothing
    ), written as (
      insert into policies as p (namespace, version, rules)
      select ${namespace}, 1, ${JSON.stringify(rules)}::jsonb
      where ${ifVersion}::bigint = coalesce((select version from policies where namespace = ${namespace}), 0)
      on conflict (namespace) do update
        set version = p.version + 1, rules = excluded.rules, updated_at = now()
        where p.version = ${ifVersion}::bigint
      returning version, rules, updated_at
    ), kept as (
      insert into policy_versions (namespace, version, rules, put_by, put_at)
      select ${namespace}, version, rules, ${by}, updated_at from written
    ), pruned as (
      delete from policy_versions where namespace = ${namespace}
        and version <= (select version from written) - ${LIMITS.policyHistory}::bigint
    )
    select version from written`.execute(db);
  return rows[0]?.version ?? null;
}
