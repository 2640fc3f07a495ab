// The one way to a database: PostgreSQL or PGlite, migrations, and what failures mean for the caller.
export { type Database, openDatabase, type PgliteOptions, type PostgresOptions } from './database.ts';
export { classify, type FailureKind } from './failure.ts';
export { migrate } from './migrate.ts';
export { refusalOf, unavailable } from './refusal.ts';
