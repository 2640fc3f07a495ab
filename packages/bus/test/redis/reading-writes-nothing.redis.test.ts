// Promise 14 on Redis: looking at events and groups sends no command that writes.
import { once } from 'node:events';
import { connectRedis, createRedisSignal, openDatabase } from '@hypercode/stores';
import { migratedFolder } from '@hypercode/stores/testing';
import { sharedRedisUrl, waitFor } from '@hypercode/testkit';
import { Redis } from 'ioredis';
import { expect, onTestFinished, test } from 'vitest';
import { busSchema } from '../../src/database-schema.ts';
import { openRedisStore } from '../../src/redis/redis-store.ts';
import { BusFixture } from '../../testing/bus/bus-fixture.ts';
import { lookingAtAll } from '../read-all.ts';
import { redisTime } from './redis-time.ts';

const fixture = new BusFixture(async () => {
  const url = sharedRedisUrl();
  const folder = await migratedFolder('bus', [busSchema]);
  const database = await openDatabase({ dataDir: folder.path });
  const admin = connectRedis(url, { connectionName: 'swarm-test' });
  return {
    database: async () => ({ database, close: async () => undefined }),
    store: (_database, settings) => openRedisStore({ url, settings }),
    signal: () => createRedisSignal({ url }),
    time: () => Promise.resolve(redisTime(admin)),
    loseLog: async () => undefined,
    async close() {
      await admin.close();
      await database.close();
      await folder.remove();
    },
  };
});

/** Of those that the scripts use. */
const READING = new Set([
  ...[
    'evalsha',
    'eval',
    'time',
    'exists',
    'type',
    'get',
    'mget',
    'strlen',
    'hget',
    'hmget',
    'hgetall',
    'hexists',
    'hlen',
    'hscan',
  ],
  ...[
    'xrange',
    'xrevrange',
    'xlen',
    'zrange',
    'zrangebyscore',
    'zrangebylex',
    'zrevrangebyscore',
    'zscore',
    'zmscore',
    'zcard',
  ],
  ...[
    'zcount',
    'zlexcount',
    'zrank',
    'lindex',
    'lrange',
    'llen',
    'smembers',
    'sismember',
    'scard',
    'getrange',
    'hvals',
    'hkeys',
  ],
]);

test('traces, previews, finding, reading and looking at groups write nothing to Redis', async () => {
  const look = await lookingAtAll(fixture);
  const redis = new Redis(sharedRedisUrl(), { lazyConnect: true });
  await redis.connect();
  const monitor = await redis.monitor();
  onTestFinished(async () => {
    for (const client of [monitor, redis]) {
      const ended = once(client, 'end');
      client.disconnect();
      await ended;
    }
  });
  const commands: string[][] = [];
  monitor.on('monitor', (_time: string, args: string[]) => commands.push(args));
  await look();
  // What was sent before this has come when this has.
  await redis.echo('looked');
  await waitFor(() => commands.some(([name, text]) => name?.toLowerCase() === 'echo' && text === 'looked'), {
    what: 'the end of the commands',
  });
  const own = commands.filter((args) => args.some((arg) => arg.includes(fixture.namespace)));
  expect(own.length).toBeGreaterThan(20);
  const names = new Set(own.map(([name = '']) => name.toLowerCase()));
  expect([...names].filter((name) => !READING.has(name))).toEqual([]);
});
