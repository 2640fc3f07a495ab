// Two cores on stores that keep what they answered when they are killed, and clients of both.
import { createSwarmClient, type SwarmClient } from '@hypercode/client';
import { type ServerControl, type SpawnedCore, startPostgres, startRedis } from '@hypercode/testkit';
import { spawnCore } from '../fixtures/spawn-core.ts';

const ADMIN_TOKEN = 'the-same-admin-token-on-both';

/** Where the events are. */
export const EVENT_STORES = [
  { stores: 'PostgreSQL and Redis', withRedis: true },
  { stores: 'PostgreSQL alone', withRedis: false },
] as const;

export interface CrashSwarm {
  readonly cores: readonly [SpawnedCore, SpawnedCore];
  readonly postgres: ServerControl;
  /** Null: PostgreSQL has the events. */
  readonly redis: ServerControl | null;
  /** A client of one core with the rights of an admin. */
  clientOf(core: SpawnedCore): SwarmClient;
}

/** `later` takes what ends the swarm, the last first. */
export async function startCrashSwarm(
  { withRedis }: { withRedis: boolean },
  later: (undo: () => Promise<void> | void) => unknown,
): Promise<CrashSwarm> {
  const [postgres, redis] = await Promise.all([
    startPostgres({ own: true, durable: true }),
    withRedis ? startRedis({ own: true, appendOnly: true }) : null,
  ]);
  later(() => postgres.close());
  if (redis !== null) later(() => redis.close());
  const env = {
    DATABASE_URL: await postgres.createDatabase(),
    REDIS_URL: redis?.url ?? '',
    SWARM_ADMIN_TOKEN: ADMIN_TOKEN,
    SWARM_RATE_PUBLISH: '0',
    SWARM_RATE_PUBLISH_BYTES: '0',
    SWARM_RATE_REGISTER: '0',
  };
  const startOne = async (): Promise<SpawnedCore> => {
    const core = await spawnCore({ env });
    later(() => core.close());
    return core;
  };
  const cores = await Promise.all([startOne(), startOne()]);
  return {
    cores,
    postgres,
    redis,
    clientOf: ({ url }) => {
      const client = createSwarmClient({ url, token: ADMIN_TOKEN, publishTimeoutMs: 300_000, logger: false });
      later(() => client.close());
      return client;
    },
  };
}
