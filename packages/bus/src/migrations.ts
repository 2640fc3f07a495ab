// All migrations of the bus: policies, and the log and groups that are in the database where there is no Redis.
import type { Migration } from 'kysely/migration';
import { policyMigrations } from './policies/migrations/index.ts';
import { busMigrations as storeMigrations } from './postgres/migrations/index.ts';

export const busMigrations: Record<string, Migration> = { ...policyMigrations, ...storeMigrations };
