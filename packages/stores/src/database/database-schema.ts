// What this package keeps in the database.
import type { SchemaSources } from './migrate.ts';
import * as storeRecord from './migrations/20261128-store-record.ts';

export const storesSchema: SchemaSources = {
  component: 'stores',
  migrations: { '20261128-store-record': storeRecord },
};
