import { randomUUID } from 'node:crypto';
import {
  type RedisClusterServer,
  startRedisCluster,
  sharedRedisUrl,
  waitFor,
  scopeOfRepetition,
} from '@hypercode/testkit';
import { eventLogConformance } from '../../testing/event-log.ts';
import { groupStoreConformance } from '../../testing/group-store.ts';
import { Redis } from 'ioredis';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { connectRedis } from '@hypercode/stores';
import { redisTime } from './redis-time.ts';
import { logKeys } from '../../src/redis/redis-keys.ts';
import { openRedisStore } from '../../src/redis/redis-store.ts';
import type { LogSettings } from '../../src/store/event-log.ts';

/** With so few events each is marked, and a log has all of its keys. */
const SMALL: LogSettings = {
  retention: { maxEvents: 100, maxBytes: 2 ** 30, maxAgeMs: 86_400_000 },
  dedupWindowMs: 3_600_000,
};

const openOn = (url: () => string) => async (settings: LogSettings) => {
  const admin = connectRedis(url(), { connectionName: 'swarm-test' });
  return {
    first: openRedisStore({ url: url(), settings }),
    second: openRedisStore({ url: url(), settings }),
    time: redisTime(admin),
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
  eventLogConformance('openRedisStore', open, scopeOfRepetition());
  groupStoreConformance('openRedisStore', open, scopeOfRepetition());

  test(
    'while a namespace moves to another node it refuses, and nothing is forgotten',
    { timeout: 60_000 },
    async () => {
      const nodes = cluster.nodeUrls.map((url) => new Redis(url, { lazyConnect: true }));
      const store = openRedisStore({ url: cluster.url, settings: SMALL });
      try {
        await Promise.all(nodes.map((node) => node.connect()));
        const namespace = `moved-${randomUUID()}`;
        const events = Array.from({ length: 3 }, () => {
          const id = randomUUID();
          return { id, source: '/agents/default/a', topic: 'a.b', text: JSON.stringify({ id }) };
        });
        const appended = await store.log.append(namespace, events);
        const slot = Number(await nodes[0]?.cluster('KEYSLOT', `{swarm:${namespace}}`));
        const owner = Math.floor((slot * nodes.length) / 16_384);
        const from = nodes[owner] as Redis;
        const to = nodes[(owner + 1) % nodes.length] as Redis;
        const [fromId, toId] = await Promise.all([from.cluster('MYID'), to.cluster('MYID')]);
        await to.call('CLUSTER', 'SETSLOT', slot, 'IMPORTING', fromId);
        await from.call('CLUSTER', 'SETSLOT', slot, 'MIGRATING', toId);
        const { host = '', port = 0, password = '' } = to.options;
        const migrate = (keys: string[]) =>
          from.call('MIGRATE', host, port, '', 0, 5_000, 'AUTH', password, 'KEYS', ...keys);
        const found = (await from.call('CLUSTER', 'GETKEYSINSLOT', slot, 100)) as string[];
        const dedup = found.filter((key) => key.includes(':dedup:'));
        const others = found.filter((key) => !dedup.includes(key));
        expect(dedup).toHaveLength(1);
        expect(others).toHaveLength(7);

        // The records of deduplication are gone already, and the rest of the log is there.
        for (const keys of [dedup, others]) {
          await migrate(keys);
          const refused = store.log.append(namespace, events);
          await expect(refused).rejects.toMatchObject({ code: 'UNAVAILABLE' });
        }
        for (const node of [to, from, ...nodes]) await node.call('CLUSTER', 'SETSLOT', slot, 'NODE', toId);
        const again = await waitFor(() => store.log.append(namespace, events), { what: 'the namespace to have moved' });
        expect(again).toEqual(appended.map(({ position }) => ({ position, duplicate: true })));
      } finally {
        await Promise.all([store.close(), ...nodes.map((node) => node.quit())]);
      }
    },
  );
});
