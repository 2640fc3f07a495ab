// Every migration of the policies, by the name under which the database remembers it.
import * as policies from './20261122-policies.ts';
import * as policyHistory from './20261128-policy-history.ts';

export const policyMigrations = {
  '20261122-policies': policies,
  '20261128-policy-history': policyHistory,
};
