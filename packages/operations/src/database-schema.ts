// What operations keeps in the database: its tables and its functions.
import type { SchemaSources } from '@hypercode/stores';
import { operationsFunctions } from './functions/index.ts';
import { operationsMigrations } from './migrations/index.ts';

export const operationsSchema: SchemaSources = {
  component: 'operations',
  migrations: operationsMigrations,
  functions: operationsFunctions,
};
