// The tables of policies as Kysely sees it. The migration is the definition; this is their reading.
import type { PolicyRules } from '@hypercode/contracts';
import type { JSONColumnType } from 'kysely';

export interface PolicyTable {
  namespace: string;
  /** From 1; a namespace without a row has the policy that ships with the product, whose version is 0. */
  version: number;
  rules: JSONColumnType<PolicyRules>;
}

export interface PolicyVersionTable {
  namespace: string;
  version: number;
  rules: JSONColumnType<PolicyRules>;
  /** Null for a version that a release without the history put. */
  put_by: string | null;
  put_at: Date;
}

// A type and not an interface, which Kysely would not take for a set of tables.
export type PolicySchema = { policies: PolicyTable; policy_versions: PolicyVersionTable };
