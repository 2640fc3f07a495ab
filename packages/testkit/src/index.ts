// Throw-away PostgreSQL and Redis, a whole core inside a test, conformance suites, leak checks.
export { buildApps, BUILT_CLI, WORKSPACE } from './built-apps.ts';
export { findChromium } from './chromium.ts';
export { commitSeed } from './commit-seed.ts';
export { type TemporaryFolder, temporaryFolder } from './death-guard.ts';
export { embeddedFolder, type FolderTemplate } from './embedded-folder.ts';
export { freePort } from './free-port.ts';
export { type Pgbouncer, type PgbouncerOptions, startPgbouncer } from './pgbouncer.ts';
export { type PostgresOptions, type PostgresServer, startPostgres } from './postgres.ts';
export { type RedisOptions, type RedisServer, startRedis } from './redis.ts';
export { type RedisClusterServer, startRedisCluster } from './redis-cluster.ts';
export { type ServerControl, type ServerSource } from './server-machine.ts';
export { freshDatabase, sharedRedisUrl } from './shared-server.ts';
export { type SpawnedArchitect, spawnArchitect } from './spawn-architect.ts';
export { type CoreExit, type CoreOptions, type SpawnedCore, spawnCore } from './spawn-core.ts';
export { describeIn, scopeOfRepetition, storesOfRun, type SuiteScope } from './store-matrix.ts';
export { type LeakTracker, trackLeaks } from './track-leaks.ts';
export { waitFor, type WaitOptions } from './wait-for.ts';
