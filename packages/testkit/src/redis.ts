// A private Redis for tests.
import { randomBytes } from 'node:crypto';
import { copyFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { Redis } from 'ioredis';
import { temporaryFolder } from './death-guard.ts';
import { startContainer } from './docker.ts';
import { findExecutables, searchPath } from './executable.ts';
import {
  attemptsFrom,
  controlOf,
  firstAvailable,
  SERVER_SOURCES,
  withoutControl,
  type Address,
  type Machine,
  type ServerControl,
  type ServerSource,
} from './server-machine.ts';
import { startServerProcess } from './server-process.ts';

const OLDEST_MAJOR = 7;
const IMAGE = 'redis:8-bookworm';
const ADVICE =
  `No Redis for the tests: set TEST_REDIS_URL, start a Docker engine, or install Redis ${OLDEST_MAJOR} or later ` +
  '(on Debian and Ubuntu: apt-get install redis-server).';

export interface RedisOptions {
  /** Keeps an append-only file, written before each answer, so that data survive `kill`. Default false: only `stop` keeps them. */
  appendOnly?: boolean;
  /** Never take the server given by TEST_REDIS_URL, since this one is to be stopped. Default false. */
  own?: boolean;
  /** The path of a dump (RDB) to begin with. Not for a server in a container. */
  snapshot?: string;
  /** Where it may come from. Default: everywhere. */
  sources?: readonly ServerSource[];
}

export interface RedisServer extends ServerControl {
  readonly url: string;
}

/**
 * Finds or starts a Redis: TEST_REDIS_URL, a Docker engine, `redis-server` on the PATH, Debian's packages, in this order.
 * Fails with one line that says what to install.
 */
export async function startRedis(options: RedisOptions = {}): Promise<RedisServer> {
  const { sources = SERVER_SOURCES, own = false } = options;
  const given = process.env['TEST_REDIS_URL'];
  if (given && !own && sources.includes('url')) {
    return { ...withoutControl('TEST_REDIS_URL', async () => undefined), url: given };
  }

  const password = randomBytes(12).toString('hex');
  const drivers = {
    container: () => startInContainer(options, password),
    here: () => startHere(options, password),
    debianPackage: 'redis-server',
  };
  const attempts = attemptsFrom(sources, drivers, (machine, source) => ({
    ...controlOf(machine, source),
    url: redisUrlOf(machine.address, password),
  }));
  return firstAvailable(attempts, ADVICE);
}

export function redisUrlOf({ host, port }: Address, password: string): string {
  return `redis://:${password}@${host}:${port}`;
}

function pingRedis(password: string): (address: Address) => Promise<void> {
  return async (address) => {
    const redis = new Redis(redisUrlOf(address, password), { lazyConnect: true, retryStrategy: () => null });
    redis.on('error', () => undefined);
    try {
      await redis.connect();
      await redis.ping();
    } finally {
      redis.disconnect();
    }
  };
}

/** `save` makes an orderly stop write the data; the wait of an hour keeps it from saving in between. */
function settingsOf({ appendOnly = false }: RedisOptions, password: string): [name: string, value: string][] {
  return [
    ['requirepass', password],
    ['save', '3600 1'],
    ['appendonly', appendOnly ? 'yes' : 'no'],
    ['appendfsync', 'always'],
    ['maxmemory-policy', 'noeviction'],
  ];
}

async function startInContainer(options: RedisOptions, password: string): Promise<Machine> {
  if (options.snapshot !== undefined) throw new Error('a container is given no snapshot');
  const settings = settingsOf(options, password).flatMap(([name, value]) => [`--${name}`, value]);
  return startContainer({
    image: IMAGE,
    containerPort: 6379,
    command: ['redis-server', ...settings],
    ping: pingRedis(password),
  });
}

async function startHere(options: RedisOptions, password: string): Promise<Machine> {
  const binaries = await findExecutables(searchPath(), ['redis-server'], isRedisServer);
  if (binaries === undefined) throw new Error(`no Redis ${OLDEST_MAJOR} or later on the PATH`);
  return startRedisProcess(join(binaries, 'redis-server'), password, {
    settings: settingsOf(options, password),
    snapshot: options.snapshot,
  });
}

/** Starts a `redis-server` with these settings in a folder of its own, which goes with it. */
export async function startRedisProcess(
  command: string,
  password: string,
  {
    settings,
    snapshot,
    portArgs = () => [],
  }: {
    settings: readonly [name: string, value: string][];
    snapshot?: string | undefined;
    /** What else depends on the port. */
    portArgs?: (port: number) => string[];
  },
): Promise<Machine> {
  const folder = temporaryFolder('redis');
  try {
    if (snapshot !== undefined) await copyFile(snapshot, join(folder.path, 'dump.rdb'));
    const configuration = join(folder.path, 'redis.conf');
    const lines = settings.map(([name, value]) => `${name} ${value}\n`);
    await writeFile(configuration, `${lines.join('')}bind 127.0.0.1\n`, { mode: 0o600 });
    return await startServerProcess({
      command,
      args: (port) => [configuration, '--port', String(port), ...portArgs(port), '--dir', folder.path],
      folder,
      ping: pingRedis(password),
      stopSignal: 'SIGTERM',
      deathSignal: 'KILL',
    });
  } catch (error) {
    await folder.remove();
    throw error;
  }
}

export function isRedisServer(version: string): boolean {
  const major = /^Redis server v=(\d+)/.exec(version)?.[1];
  return Number(major) >= OLDEST_MAJOR;
}
