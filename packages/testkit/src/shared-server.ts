// One server per vitest run, shared by its projects and workers; each test takes a database of its own.
import { inject } from 'vitest';
import { createDatabase, dropDatabases, newDatabasePrefix, startPostgres } from './postgres.ts';
import { startRedis } from './redis.ts';

declare module 'vitest' {
  export interface ProvidedContext {
    /** The shared PostgreSQL, set by the global setup `setup/postgres.ts`. */
    postgresUrl: string;
    /** How the databases of this run begin. */
    postgresDatabasePrefix: string;
    /** The shared Redis, set by the global setup `setup/redis.ts`. */
    redisUrl: string;
  }
}

/** Creates an empty database on the run's shared PostgreSQL and gives its address. It ends with the run. */
export function freshDatabase(): Promise<string> {
  return createDatabase(inject('postgresUrl'), inject('postgresDatabasePrefix'));
}

/** The address of the run's shared Redis: use names of your own there, and never flush it. */
export function sharedRedisUrl(): string {
  return inject('redisUrl');
}

/** A server while at least one project uses it. */
interface Shared<T> {
  started: Promise<T>;
  users: number;
}

/** Each project loads its own copy of this module, so what they share hangs on the process. */
async function share<T>(name: string, start: () => Promise<T>, stop: (server: T) => Promise<void>) {
  const key = Symbol.for(`@hypercode/testkit/${name}`);
  const place = globalThis as { [key: symbol]: Shared<T> | undefined };
  const shared = (place[key] ??= { started: start(), users: 0 });
  shared.users++;
  const release = async () => {
    if (--shared.users > 0) return;
    place[key] = undefined;
    await stop(await shared.started);
  };
  return { server: await shared.started, release };
}

export function sharePostgres() {
  return share(
    'postgres',
    async () => ({ postgres: await startPostgres(), prefix: newDatabasePrefix() }),
    async ({ postgres, prefix }) => {
      if (!postgres.controllable) await dropDatabases(postgres.url, prefix);
      await postgres.close();
    },
  );
}

export function shareRedis() {
  return share('redis', startRedis, (redis) => redis.close());
}
