// Replaces a namespace's policy if it is still the expected version; null expects nothing. Gives the new version.
import type { PolicyRules } from '@hypercode/contracts';
import { type Kysely, sql } from 'kysely';
import type { PolicySchema } from '../policy-table.ts';

/** Null: another version is in force. */
export async function writePolicy(
  db: Kysely<PolicySchema>,
  namespace: string,
  { rules, ifVersion }: { rules: PolicyRules; ifVersion: number | null },
): Promise<number | null> {
  const { rows } = await sql<{ version: number }>`
    insert into policies as p (namespace, version, rules)
    select ${namespace}, 1, ${JSON.stringify(rules)}::jsonb
    where ${ifVersion}::bigint is null
      or ${ifVersion}::bigint = coalesce((select version from policies where namespace = ${namespace}), 0)
    on conflict (namespace) do update
      set version = p.version + 1, rules = excluded.rules, updated_at = now()
      where ${ifVersion}::bigint is null or p.version = ${ifVersion}::bigint
    returning version`.execute(db);
  return rows[0]?.version ?? null;
}
