// What the bus keeps in the database: policies, and logs and consumer groups where there is no Redis.
import type { SchemaSources } from '@hypercode/stores';
import { policyMigrations } from './policies/migrations/index.ts';
import { busFunctions } from './postgres/functions/index.ts';
import { busMigrations } from './postgres/migrations/index.ts';

export const busSchema: SchemaSources = {
  component: 'bus',
  migrations: { ...policyMigrations, ...busMigrations },
  functions: busFunctions,
};
