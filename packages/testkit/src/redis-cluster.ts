// A private Redis Cluster of three masters for tests.
import { randomBytes } from 'node:crypto';
import { join } from 'node:path';
import { Redis } from 'ioredis';
import { installDebianPackage } from './debian-package.ts';
import { findExecutables, searchPath } from './executable.ts';
import { isRedisServer, redisUrlOf, startRedisProcess } from './redis.ts';
import type { Machine } from './server-machine.ts';
import { waitFor } from './wait-for.ts';

const NODES = 3;
const SLOTS = 16_384;

export interface RedisClusterServer {
  /** The addresses of all nodes, with commas between. */
  readonly url: string;
  readonly nodeUrls: readonly string[];
  /** Ends one node in order; the others, which have no replica of it, then refuse everything. */
  stopNode(index: number): Promise<void>;
  startNode(index: number): Promise<void>;
  close(): Promise<void>;
}

/** Starts it from the `redis-server` on the PATH, or from Debian's packages. */
export async function startRedisCluster(): Promise<RedisClusterServer> {
  const command = await findServer();
  const password = randomBytes(12).toString('hex');
  const nodes: Machine[] = [];
  const close = async () => {
    await Promise.all(nodes.splice(0).map((node) => node.remove()));
  };
  try {
    for (let index = 0; index < NODES; index++) nodes.push(await startNode(command, password));
    const nodeUrls = nodes.map(({ address }) => redisUrlOf(address, password));
    await meet(nodes, nodeUrls);
    return {
      url: nodeUrls.join(','),
      nodeUrls,
      stopNode: (index) => nodeAt(nodes, index).stop(),
      async startNode(index) {
        await nodeAt(nodes, index).start();
        await isWhole(nodeUrls);
      },
      close,
    };
  } catch (error) {
    await close();
    throw error;
  }
}

async function findServer(): Promise<string> {
  const find = () => findExecutables(searchPath(), ['redis-server'], isRedisServer);
  let folder = await find();
  if (folder === undefined) {
    await installDebianPackage('redis-server');
    folder = await find();
  }
  if (folder === undefined) throw new Error('no redis-server for a Cluster: on Debian, apt-get install redis-server');
  return join(folder, 'redis-server');
}

function startNode(command: string, password: string): Promise<Machine> {
  return startRedisProcess(command, password, {
    settings: [
      ['requirepass', password],
      ['masterauth', password],
      ['save', '3600 1'],
      ['cluster-enabled', 'yes'],
      ['cluster-config-file', 'nodes.conf'],
      ['cluster-node-timeout', '2000'],
    ],
    // By default it is 10,000 higher, where the system hands out ports by itself.
    portArgs: (port) => ['--cluster-port', String(busPortOf(port))],
  });
}

const busPortOf = (port: number): number => port - 10_000;

/** Makes a Cluster of nodes that do not know each other, with a third of the slots each. */
async function meet(nodes: readonly Machine[], urls: readonly string[]): Promise<void> {
  for (const [index, url] of urls.entries()) {
    const from = Math.floor((SLOTS * index) / NODES);
    const to = Math.floor((SLOTS * (index + 1)) / NODES) - 1;
    await withNode(url, async (redis) => {
      await redis.call('CLUSTER', 'ADDSLOTSRANGE', from, to);
      await redis.call('CLUSTER', 'SET-CONFIG-EPOCH', index + 1);
    });
  }
  await withNode(urls[0] ?? '', async (redis) => {
    for (const { address } of nodes.slice(1)) {
      await redis.call('CLUSTER', 'MEET', address.host, address.port, busPortOf(address.port));
    }
  });
  await isWhole(urls);
}

async function isWhole(urls: readonly string[]): Promise<void> {
  await Promise.all(
    urls.map((url) =>
      withNode(url, async (redis) => {
        const whole = async () => {
          const info = String(await redis.call('CLUSTER', 'INFO'));
          return info.includes('cluster_state:ok') && info.includes(`cluster_known_nodes:${NODES}`);
        };
        await waitFor(whole, { what: 'the Redis Cluster to be whole', timeoutMs: 30_000 });
      }),
    ),
  );
}

async function withNode(url: string, work: (redis: Redis) => Promise<void>): Promise<void> {
  const redis = new Redis(url, { lazyConnect: true, retryStrategy: () => null });
  redis.on('error', () => undefined);
  try {
    await redis.connect();
    await work(redis);
  } finally {
    redis.disconnect();
  }
}

function nodeAt(nodes: readonly Machine[], index: number): Machine {
  const node = nodes[index];
  if (node === undefined) throw new Error(`the Redis Cluster has no node ${index}`);
  return node;
}
