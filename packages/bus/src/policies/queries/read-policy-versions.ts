// Which version of their policies namespaces have, of those that have one.
import type { Kysely } from 'kysely';
import type { PolicySchema } from '../policy-table.ts';

export async function readPolicyVersions(
  db: Kysely<PolicySchema>,
  namespaces: readonly string[],
): Promise<Map<string, number>> {
  const rows = await db
    .selectFrom('policies')
    .select(['namespace', 'version'])
    .where('namespace', 'in', namespaces)
    .execute();
  return new Map(rows.map(({ namespace, version }) => [namespace, version]));
}
