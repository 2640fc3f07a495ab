// Versions of a namespace's policy before `before`, or from the newest on; the newest first.
import type { Kysely } from 'kysely';
import type { PolicySchema } from '../policy-table.ts';

export function readHistory(
  db: Kysely<PolicySchema>,
  namespace: string,
  { before, limit }: { before: number | null; limit: number },
) {
  const all = db
    .selectFrom('policy_versions')
    .select(['version', 'rules', 'put_by', 'put_at'])
    .where('namespace', '=', namespace)
    .orderBy('version', 'desc')
    .limit(limit);
  return (before === null ? all : all.where('version', '<', before)).execute();
}
