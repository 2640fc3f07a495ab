// The bus' store on Redis 7 or a Redis Cluster.
import { type Clock, systemClock } from '@hypercode/clock';
import { SwarmError } from '@hypercode/contracts';
import type { Redis } from 'ioredis';
import type { BusStore } from '../store/bus-store.ts';
import type { LogSettings } from '../store/event-log.ts';
import { ClusterNodeError, connectRedis, type RedisConnection } from '@hypercode/stores';
import { RedisEventLog } from './redis-event-log.ts';
import { RedisGroupStore } from './redis-group-store.ts';
import { DEFAULT_PREFIX, swarmKeys } from './redis-keys.ts';

export interface RedisStoreOptions {
  /** `redis://` or `rediss://`; several nodes of a Redis Cluster with commas between them. */
  url: string;
  settings: LogSettings;
  /** Begins every key; letters, digits and `-_.`. Default `swarm`. */
  prefix?: string;
  /** Called with each failure that means that Redis is away, does not let us in, or takes no writes. */
  onFailure?: (error: Error) => void;
  clock?: Clock;
}

export interface RedisStore extends BusStore {
  /** Writes one key. Rejects when Redis does not take it. */
  write(): Promise<void>;
  readonly isCluster: boolean;
  /** The version of Redis. */
  version(): Promise<string | null>;
  /** Notes that the swarm of this id writes here. Resolves with whether no other has done so before. */
  claim(swarmId: string): Promise<boolean>;
}

/** The key that is written to see whether Redis takes writes lives for an hour. */
const WRITTEN_TTL_MS = 3_600_000;

/** Does not wait for Redis: it connects in the background, and calls fail with UNAVAILABLE until it is there. */
export function openRedisStore(options: RedisStoreOptions): RedisStore {
  const { url, settings, prefix = DEFAULT_PREFIX, onFailure, clock = systemClock } = options;
  const connection = connectRedis(url, { connectionName: 'swarm-bus', onFailure, clock });
  const keys = swarmKeys(prefix);
  const namespaces = new KnownNamespaces(connection, keys.namespaces);
  const touch = (namespace: string): void => namespaces.add(namespace);
  const log = new RedisEventLog({ connection, settings, prefix, touch });
  const groups = new RedisGroupStore({
    connection,
    prefix,
    touch,
    journal: settings.journalMaxBytes > 0,
    namespaces: () => namespaces.all(),
  });
  return {
    log,
    groups,
    check: () => check(connection),
    write: async () => {
      await connection.ask((client) => client.set(keys.written, '1', 'PX', WRITTEN_TTL_MS));
    },
    claim: async (swarmId) => {
      const before = await connection.ask((client) => client.set(keys.swarm, swarmId, 'NX', 'GET'));
      return before === null || before === swarmId;
    },
    isCluster: connection.isCluster,
    version: async () => {
      const info = await connection.ask((client) => client.info('server'));
      return /^redis_version:(\S+)/m.exec(info)?.[1] ?? null;
    },
    namespaces: async () => [...(await namespaces.all())],
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
  readonly #key: string;
  readonly #touched = new Set<string>();

  constructor(connection: RedisConnection, key: string) {
    this.#connection = connection;
    this.#key = key;
  }

  add(namespace: string): void {
    if (this.#touched.has(namespace)) return;
    this.#touched.add(namespace);
    // The next round of retention adds it again, should this one be lost.
    this.#connection.ask((client) => client.sadd(this.#key, namespace)).catch(() => undefined);
  }

  async all(): Promise<Set<string>> {
    const known = new Set(await this.#connection.ask((client) => client.smembers(this.#key)));
    const missing = [...this.#touched].filter((namespace) => !known.has(namespace));
    if (missing.length > 0) {
      // A server that is full takes no more names, and retention is applied all the same.
      await this.#connection.ask((client) => client.sadd(this.#key, ...missing)).catch(() => undefined);
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
    return Promise.all(connection.servers.map((server) => warningOf(server, connection.isCluster)));
  });
  return warnings.find((warning) => warning !== null) ?? null;
}

/** INFO has the policy and the role too, and unlike CONFIG is allowed by managed services. */
async function warningOf(server: Redis, isInCluster: boolean): Promise<string | null> {
  if (server.status !== 'ready') throw new SwarmError('UNAVAILABLE', 'the event store does not answer');
  await server.ping();
  const info = await server.info('memory', 'replication', 'cluster');
  if (/^role:slave/m.test(info)) throw new SwarmError('UNAVAILABLE', 'takes no writes: it is a read-only replica');
  // One node that has every slot serves alone.
  const isNode = !isInCluster && /^cluster_enabled:1/m.test(info);
  if (isNode && Number(/^cluster_size:(\d+)/m.exec(await server.cluster('INFO'))?.[1] ?? 0) > 1) {
    throw new SwarmError('UNAVAILABLE', 'is one node of a Redis Cluster', { cause: new ClusterNodeError() });
  }
  const policy = /^maxmemory_policy:(\S+)/m.exec(info)?.[1] ?? 'noeviction';
  const isLimited = Number(/^maxmemory:(\d+)/m.exec(info)?.[1] ?? 0) > 0;
  if (!isLimited || policy === 'noeviction') return null;
  return `Redis may evict events and groups (maxmemory-policy is ${policy}): set maxmemory-policy to noeviction`;
}
