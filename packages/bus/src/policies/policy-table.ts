// The table of policies as Kysely sees it. The migration is the definition; this is its reading.
import type { PolicyRules } from '@hypercode/contracts';
import type { JSONColumnType } from 'kysely';

export interface PolicyTable {
  namespace: string;
  /** From 1; a namespace without a row has the policy that ships with the product, whose version is 0. */
  version: number;
  rules: JSONColumnType<PolicyRules>;
}

// A type and not an interface, which Kysely would not take for a set of tables.
export type PolicySchema = { policies: PolicyTable };
