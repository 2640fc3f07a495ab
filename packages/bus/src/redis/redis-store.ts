// The bus' store on Redis 7 or a Redis Cluster.
import { type Clock, systemClock } from '@hypercode/clock';
import { SwarmError } from '@hypercode/contracts';
import type { Redis } from 'ioredis';
import type { BusStore } from '../store/bus-store.ts';
import type { LogSettings } from '../store/event-log.ts';
import { connectRedis, type RedisConnection } from '@hypercode/stores';
import { RedisEventLog } from './redis-event-log.ts';
import { RedisGroupStore } from './redis-group-store.ts';
import { NAMESPACES_KEY } from './redis-keys.ts';

export interface RedisStoreOptions {
  /** `redis://` or `rediss://`; several nodes of a Redis Cluster with commas between them. */
  url: string;
  settings: LogSettings;
  /** Called with the first failure of each outage. */
  onError?: (error: Error) => void;
  clock?: Clock;
}

/** Does not wait for Redis: it connects in the background, and calls fail with UNAVAILABLE until it is there. */
export function openRedisStore({ url, settings, onError, clock = systemClock }: RedisStoreOptions): BusStore {
  const connection = connectRedis(url, { connectionName: 'swarm-bus', onError, clock });
  const namespaces = new KnownNamespaces(connection);
  const touch = (namespace: string): void => namespaces.add(namespace);
  const log = new RedisEventLog({ connection, settings, touch });
  const groups = new RedisGroupStore({ connection, touch });
  return {
    log,
    groups,
    check: () => check(connection),
    async applyRetention() {
      const faults: unknown[] = [];
      for (const namespace of await namespaces.all()) {
        await log.applyRetention(namespace).catch((error: unknown) => {
          // A fault in one namespace, or a node that does not answer, is no reason to neglect the others.
          if (error instanceof SwarmError && !connection.isCluster) throw error;
          faults.push(error);
        });
      }
      if (faults.length > 0) throw faults[0];
    },
    close: () => connection.close(),
  };
}

/** Which namespaces have a log, kept in Redis as well: retention applies to namespaces without callers, too. */
class KnownNamespaces {
  readonly #connection: RedisConnection;
  readonly #touched = new Set<string>();

  constructor(connection: RedisConnection) {
    this.#connection = connection;
  }

  add(namespace: string): void {
    if (this.#touched.has(namespace)) return;
    this.#touched.add(namespace);
    // The next round of retention adds it again, should this one be lost.
    this.#connection.ask((client) => client.sadd(NAMESPACES_KEY, namespace)).catch(() => undefined);
  }

  async all(): Promise<Set<string>> {
    const known = new Set(await this.#connection.ask((client) => client.smembers(NAMESPACES_KEY)));
    const missing = [...this.#touched].filter((namespace) => !known.has(namespace));
    if (missing.length > 0) {
      // A server that is full takes no more names, and retention is applied all the same.
      await this.#connection.ask((client) => client.sadd(NAMESPACES_KEY, ...missing)).catch(() => undefined);
    }
    return new Set([...known, ...missing]);
  }
}

async function check(connection: RedisConnection): Promise<string | null> {
  const warnings = await connection.ask(async (client) => {
    if (connection.isCluster) {
      const state = /^cluster_state:(\w+)/m.exec(await client.cluster('INFO'))?.[1];
      if (state !== 'ok')
        throw new SwarmError('UNAVAILABLE', `the state of the Redis Cluster is ${state ?? 'unknown'}`);
    }
    return Promise.all(connection.servers.map(warningOf));
  });
  return warnings.find((warning) => warning !== null) ?? null;
}

/** INFO has the policy too, and unlike CONFIG is allowed by managed services. */
async function warningOf(server: Redis): Promise<string | null> {
  if (server.status !== 'ready') throw new SwarmError('UNAVAILABLE', 'the event store does not answer');
  await server.ping();
  const info = await server.info('memory');
  const policy = /^maxmemory_policy:(\S+)/m.exec(info)?.[1] ?? 'noeviction';
  const isLimited = Number(/^maxmemory:(\d+)/m.exec(info)?.[1] ?? 0) > 0;
  if (!isLimited || policy === 'noeviction') return null;
  return `Redis may evict events and groups (maxmemory-policy is ${policy}): set maxmemory-policy to noeviction`;
}
