// Connections: PostgreSQL or PGlite behind one dialect, Redis or Redis Cluster, the signal's drivers; and what failures mean for
// the caller.
export { type Database, openDatabase, type PgliteOptions, type PostgresOptions } from './database/database.ts';
export { storesSchema } from './database/database-schema.ts';
export { packDatabase } from './database/pglite.ts';
export { classify, type FailureKind, isMisconfigured, isOutage } from './database/failure.ts';
export { type FunctionSources, migrate, type SchemaSources } from './database/migrate.ts';
export { refuseSharedSessions, SharedSessionError } from './database/poolers.ts';
export { readSwarmId } from './database/queries/read-swarm-id.ts';
export { refusalOf, unavailable } from './database/refusal.ts';
export { ClusterNodeError, isRedisMisconfigured } from './redis/redis-failure.ts';
export { connectRedis, type RedisClient, type RedisConnection } from './redis/redis-connection.ts';
export { createPostgresSignal, type PostgresSignalOptions } from './signal/postgres-signal.ts';
export { createRedisSignal, type RedisSignalOptions } from './signal/redis-signal.ts';
export { StoreHealth, type StoreHealthOptions } from './store-health.ts';
export { type OutageReporter, StoreOutage } from './store-outage.ts';
