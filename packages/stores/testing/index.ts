// For tests of packages that keep something in a database.
export { HeldDatabaseTime } from './held-database-time.ts';
export { migratedFolder } from './migrated-folder.ts';
