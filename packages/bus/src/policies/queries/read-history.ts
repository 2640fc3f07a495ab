// Versions of a namespace's policy before `before`, or from the newest on; the newest first, in pages of about 4 MiB.
import type { PolicyRules } from '@hypercode/contracts';
import { type Kysely, sql } from 'kysely';
import type { PolicySchema } from '../policy-table.ts';

/** Of policies as JSON, after which a page ends. */
const MAX_BYTES = 4 * 1024 * 1024;

interface Version {
  version: number;
  rules: PolicyRules;
  put_by: string | null;
  put_at: Date;
}

export async function readHistory(
  db: Kysely<PolicySchema>,
  namespace: string,
  { before, limit }: { before: number | null; limit: number },
): Promise<{ rows: Version[]; hasMore: boolean }> {
  // One row more than the page, without its rules: whether there is a next page.
  const { rows } = await sql<Omit<Version, 'rules'> & { rules: PolicyRules | null }>`
    select version, put_by, put_at,
      case when place <= ${limit} and (place = 1 or bytes <= ${MAX_BYTES}) then rules end as rules
    from (
      select version, rules, put_by, put_at, row_number() over newest as place,
        sum(octet_length(rules::text)) over newest as bytes
      from (
        select * from policy_versions
        where namespace = ${namespace} and (${before}::bigint is null or version < ${before}::bigint)
        order by version desc limit ${limit + 1}
      ) page
      window newest as (order by version desc)
    ) measured
    order by version desc`.execute(db);
  const shown = rows.filter((row): row is Version => row.rules !== null);
  return { rows: shown, hasMore: shown.length < rows.length };
}
