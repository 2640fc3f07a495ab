// The policies of several namespaces, of those that have one.
import type { Kysely } from 'kysely';
import type { PolicySchema } from '../policy-table.ts';

export function readPolicies(db: Kysely<PolicySchema>, namespaces: readonly string[]) {
  return db
    .selectFrom('policies')
    .select(['namespace', 'version', 'rules'])
    .where('namespace', 'in', namespaces)
    .execute();
}
