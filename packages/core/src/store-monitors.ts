// What a core knows of its stores: whether each can be read and written, and what the log gets of it.
import type { RedisStore } from '@hypercode/bus';
import type { Clock } from '@hypercode/clock';
import {
  type Database,
  isOutage,
  isRedisMisconfigured,
  type OutageReporter,
  readSwarmId,
  refusalOf,
  StoreHealth,
  StoreOutage,
} from '@hypercode/stores';
import type { Logger } from 'pino';

export interface MonitorOptions {
  readonly clock: Clock;
  readonly logger: Logger;
}

/**
 * One line when a store becomes unavailable, with the reason, and one when it is back. The error itself is not logged: that of a
 * refused AUTH holds the password.
 */
const outageReporter = (logger: Logger): OutageReporter => ({
  unavailable: (store, error) => logger.warn({ store }, `${store} is unavailable: ${reasonOf(error)}`),
  available: (store, unavailableMs) =>
    logger.info({ store, unavailableMs }, `${store} is available again, after ${Math.round(unavailableMs / 1000)} s`),
});

/** Some errors of the network have a text only in their parts. */
export function reasonOf(error: Error): string {
  const parts: unknown[] = error instanceof AggregateError ? error.errors : [];
  const texts = [error.message, ...parts.map((part) => (part instanceof Error ? part.message : String(part)))];
  return texts.filter((text) => text !== '').join('; ') || error.name;
}

/** The warning of a Redis in which another swarm writes, too. */
const SHARED =
  'another swarm, with another database, writes under the same keys, and each receives the events of the other: ' +
  'set SWARM_REDIS_PREFIX of one of them';

interface RedisMonitorOptions {
  readonly store: RedisStore;
  readonly database: Database;
  readonly prefix: string;
}

/** The outages of the stores of a core, by what its log calls them. */
export class StoreMonitors {
  readonly #options: MonitorOptions;
  readonly #outages: StoreOutage[] = [];
  #database: StoreHealth | null = null;

  constructor(options: MonitorOptions) {
    this.#options = options;
  }

  outage(store: string): StoreOutage {
    const { clock, logger } = this.#options;
    const outage = new StoreOutage(store, { clock, reporter: outageReporter(logger) });
    this.#outages.push(outage);
    return outage;
  }

  /** For work in the background that failed: while a store is known to be unavailable, that is the reason, and one line is enough. */
  readonly onBackgroundError = (message: string) => (error: unknown) => {
    const isKnown = refusalOf(error).code === 'UNAVAILABLE' && this.#outages.some(({ isUnavailable }) => isUnavailable);
    this.#options.logger[isKnown ? 'debug' : 'warn']({ err: error }, message);
  };

  /** What the database's connections report, also before `watchDatabase`. */
  readonly databaseFailed = (error: Error): void => {
    if (isOutage(error)) this.#database?.failed(error);
  };

  watchDatabase(database: Database, store: string): StoreHealth {
    const { clock } = this.#options;
    this.#database = new StoreHealth({
      outage: this.outage(store),
      clock,
      read: async () => {
        await database.read();
        return null;
      },
      write: () => database.write(),
    });
    return this.#database;
  }

  /** Watches the Redis of the bus, and with its first write whether another swarm uses the same keys. */
  watchRedis({ store, database, prefix }: RedisMonitorOptions): StoreHealth {
    const { clock, logger } = this.#options;
    let isOurs: boolean | null = null;
    return new StoreHealth({
      outage: this.outage('Redis (REDIS_URL)'),
      clock,
      read: async () => {
        const warning = await store.check();
        return warning ?? (isOurs === false ? SHARED : null);
      },
      write: async () => {
        await store.write();
        if (isOurs !== null) return;
        // A database that is away is not a fault of Redis: the next write asks again.
        const swarmId = await readSwarmId(database.kysely).catch(() => null);
        if (swarmId === null) return;
        isOurs = await store.claim(swarmId);
        if (isOurs) return;
        logger.warn(
          { prefix },
          `Redis (REDIS_URL): ${SHARED}. If the other one has ended, delete the key {${prefix}}:swarm`,
        );
      },
    });
  }
}

/** Ends the start when the address or the credentials of Redis are wrong; a Redis that is away is waited for while the core runs. */
export async function refuseWrongRedis(health: StoreHealth): Promise<void> {
  await health.check().catch(() => undefined);
  const { fault } = health;
  if (fault !== null && isRedisMisconfigured(fault)) throw new Error(`REDIS_URL: ${reasonOf(fault)}`, { cause: fault });
}
