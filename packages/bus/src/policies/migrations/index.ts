// Every migration of the policies, by the name under which the database remembers it.
import * as policies from './20261122-policies.ts';

export const policyMigrations = { '20261122-policies': policies };
