// What the stores of a core are, and how quickly they answer.
import type { RedisStore } from '@hypercode/bus';
import type { Clock } from '@hypercode/clock';
import type { ClusterStatus, StoreStatus } from '@hypercode/contracts';
import type { Database, StoreHealth } from '@hypercode/stores';

export interface StoresOfCore {
  readonly database: Database;
  readonly databaseHealth: StoreHealth;
  /** Null: events are in the database. */
  readonly redis: { readonly store: RedisStore; readonly health: StoreHealth } | null;
  readonly clock: Clock;
}

interface AskedStore {
  readonly kind: StoreStatus['kind'];
  readonly health: StoreHealth;
  /** Asked once, when the store has answered. */
  readonly version: () => Promise<string | null>;
}

/** A function that asks the stores, and never rejects. */
export function storeStatuses({ database, databaseHealth, redis, clock }: StoresOfCore) {
  const isPglite = database.dialect === 'pglite';
  const askDatabase = asking(
    { kind: isPglite ? 'pglite' : 'postgres', health: databaseHealth, version: () => database.version() },
    clock,
  );
  if (redis === null) {
    return async (): Promise<ClusterStatus['stores']> => {
      const status = await askDatabase();
      return { database: status, events: status };
    };
  }
  const { store, health } = redis;
  const kind = store.isCluster ? 'redis-cluster' : 'redis';
  const askRedis = asking({ kind, health, version: () => store.version() }, clock);
  return async (): Promise<ClusterStatus['stores']> => {
    const [status, events] = await Promise.all([askDatabase(), askRedis()]);
    return { database: status, events };
  };
}

function asking({ kind, health, version: ask }: AskedStore, clock: Clock): () => Promise<StoreStatus> {
  let version: string | null = null;
  return async () => {
    const sentMs = clock.monotonicMs();
    try {
      await health.check();
      const latencyMs = Math.round((clock.monotonicMs() - sentMs) * 100) / 100;
      version ??= await ask();
      return { kind, version, ok: true, latencyMs };
    } catch {
      return { kind, version, ok: false, latencyMs: null };
    }
  };
}
