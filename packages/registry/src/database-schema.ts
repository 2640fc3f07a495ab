// What the registry keeps in the database: its tables and its functions.
import type { SchemaSources } from '@hypercode/stores';
import { registryFunctions } from './functions/index.ts';
import { registryMigrations } from './migrations/index.ts';

export const registrySchema: SchemaSources = {
  component: 'registry',
  migrations: registryMigrations,
  functions: registryFunctions,
};
