// Connections: PostgreSQL or PGlite behind one dialect, Redis or Redis Cluster, the signal's drivers; and what failures mean for
// the caller.
export { type Database, openDatabase, type PgliteOptions, type PostgresOptions } from './database/database.ts';
export { packDatabase } from './database/pglite.ts';
export { classify, type FailureKind } from './database/failure.ts';
export { type FunctionSources, migrate, type SchemaSources } from './database/migrate.ts';
export { refusalOf, unavailable } from './database/refusal.ts';
export { connectRedis, type RedisClient, type RedisConnection } from './redis/redis-connection.ts';
export { createPostgresSignal, type PostgresSignalOptions } from './signal/postgres-signal.ts';
export { createRedisSignal, type RedisSignalOptions } from './signal/redis-signal.ts';
