import {
  type ConformingLogSettings,
  eventLogConformance,
  groupStoreConformance,
  type RedisClusterServer,
  startRedisCluster,
  sharedRedisUrl,
} from '@hypercode/testkit';
import { afterAll, beforeAll, describe } from 'vitest';
import { connectRedis } from './redis-connection.ts';
import { logKeys } from './redis-keys.ts';
import { openRedisStore } from './redis-store.ts';

const openOn = (url: () => string) => async (settings: ConformingLogSettings) => {
  const admin = connectRedis(url(), 'swarm-test');
  return {
    first: openRedisStore({ url: url(), settings }),
    second: openRedisStore({ url: url(), settings }),
    async loseLog(namespace: string) {
      await admin.ask((client) => client.unlink(...logKeys(namespace)));
    },
    close: () => admin.close(),
  };
};

describe('on one server', () => {
  const open = openOn(() => sharedRedisUrl());
  eventLogConformance('openRedisStore', open);
  groupStoreConformance('openRedisStore', open);
});

describe('on a Cluster', () => {
  let cluster: RedisClusterServer;
  beforeAll(async () => {
    cluster = await startRedisCluster();
  }, 60_000);
  afterAll(() => cluster.close());

  const open = openOn(() => cluster.url);
  eventLogConformance('openRedisStore', open);
  groupStoreConformance('openRedisStore', open);
});
