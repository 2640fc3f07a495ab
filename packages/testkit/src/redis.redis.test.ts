import { Redis } from 'ioredis';
import { afterEach, expect, inject, test, vi } from 'vitest';
import { startRedis, type RedisServer } from './redis.ts';
import { trackLeaks } from './track-leaks.ts';

const servers: RedisServer[] = [];

async function start(options: Parameters<typeof startRedis>[0]): Promise<RedisServer> {
  const server = await startRedis(options);
  servers.push(server);
  return server;
}

afterEach(async () => {
  vi.unstubAllEnvs();
  for (const server of servers.splice(0)) await server.close();
});

async function call(url: string, command: string, ...args: string[]): Promise<unknown> {
  const redis = new Redis(url, { lazyConnect: true, retryStrategy: () => null });
  redis.on('error', () => undefined);
  try {
    await redis.connect();
    return await redis.call(command, ...args);
  } finally {
    redis.disconnect();
  }
}

test('keeps its port, and its data through an orderly stop', { timeout: 60_000 }, async () => {
  const leaks = trackLeaks();
  const server = await start({ own: true });
  await call(server.url, 'set', 'a', '1');
  await server.stop();
  await expect(call(server.url, 'ping')).rejects.toThrow('Connection is closed');
  await server.start();
  expect(await call(server.url, 'get', 'a')).toBe('1');
  await server.close();
  await leaks.check();
});

test('with an append-only file it keeps its data through kill as well', { timeout: 60_000 }, async () => {
  const server = await start({ own: true, appendOnly: true });
  await call(server.url, 'set', 'a', '1');
  await server.kill();
  await expect(call(server.url, 'ping')).rejects.toThrow('Connection is closed');
  await server.start();
  expect(await call(server.url, 'get', 'a')).toBe('1');
  await server.restart();
  expect(await call(server.url, 'get', 'a')).toBe('1');
});

test('takes the server of TEST_REDIS_URL and leaves it running', async () => {
  vi.stubEnv('TEST_REDIS_URL', inject('redisUrl'));
  const server = await start({});
  expect(server).toMatchObject({ controllable: false, source: 'url', url: inject('redisUrl') });
  await expect(server.stop()).rejects.toThrow('TEST_REDIS_URL');
  await server.close();
  expect(await call(inject('redisUrl'), 'ping')).toBe('PONG');
});

test('says what to install where no server can be had', async () => {
  vi.stubEnv('DOCKER_HOST', 'unix:///nowhere/docker.sock');
  await expect(startRedis({ own: true, sources: ['docker'] })).rejects.toThrow(
    /^No Redis for the tests: set TEST_REDIS_URL, .*apt-get install redis-server\)\. Tried: docker: no Docker engine answers$/,
  );
});
