// Wake-ups between replicas through Redis's sharded publish/subscribe (Redis 7).
import { type Clock, systemClock } from '@hypercode/clock';
import { Redis, ReplyError } from 'ioredis';
import { asError, type Signal } from '@hypercode/feed';
import { disconnected, GOODBYE_MS } from '../redis/disconnected.ts';
import { GuardedConnector } from '../redis/guarded-connector.ts';
import { ClusterNodeError } from '../redis/redis-failure.ts';
import { createLinkedSignal, type LinkedSignalOptions, type OpenLinkOptions, type SignalLink } from './signal-link.ts';

/**
 * One shared channel for all signal channels, with their name in the payload. Subscribing is then local and loses no
 * wake-up while Redis confirms it, and a replica has two connections however many channels there are. The price is that
 * each replica receives the wake-ups of all channels; coalescing keeps them few.
 */
const channelOf = (prefix: string): string => `{${prefix}}:signal`;
const TIMEOUT_MS = 10_000;

export interface RedisSignalOptions extends LinkedSignalOptions {
  /** One address, or those of several nodes of a Redis Cluster separated by commas. */
  url: string;
  /** Begins the name of the channel. Default `swarm`. */
  prefix?: string;
}

export function createRedisSignal({ url, prefix = 'swarm', ...options }: RedisSignalOptions): Signal {
  const { clock = systemClock } = options;
  const open = (link: OpenLinkOptions) => openLink(url, { channel: channelOf(prefix), clock }, link);
  return createLinkedSignal(open, { ...options, clock });
}

/** Where the link goes, and by which clock. */
interface LinkPlace {
  readonly channel: string;
  readonly clock: Clock;
}

async function openLink(urls: string, place: LinkPlace, { receive, abort }: OpenLinkOptions): Promise<SignalLink> {
  const { channel, clock } = place;
  const url = await serverOf(urls.split(','), place, abort);
  const publisher = createConnection(url, 'swarm-signal-publisher');
  const subscriber = createConnection(url, 'swarm-signal-subscriber');
  const lost = Promise.withResolvers<Error>();
  for (const redis of [publisher, subscriber]) {
    redis.on('error', lost.resolve);
    redis.on('end', () => lost.resolve(new Error('The connection to Redis ended')));
  }
  // The node has given the channel away: it keeps the connection, and sends nothing on it any more.
  subscriber.on('moved', () => lost.resolve(new Error('The channel moved to another node of the Redis Cluster')));
  subscriber.on('smessage', (_channel: string, payload: string) => receive(payload));
  const close = async () => {
    await Promise.all([disconnected(publisher, clock), disconnected(subscriber, clock)]);
  };
  const giveUp = () => void close();

  abort.addEventListener('abort', giveUp);
  try {
    abort.throwIfAborted();
    await Promise.all([publisher.connect(), subscriber.connect()]);
    await subscriber.ssubscribe(channel);
  } catch (error) {
    // A refusal of the server is the reason. A failed `connect` only says that the connection is closed; the error event came
    // before and says why.
    if (error instanceof ReplyError) lost.resolve(refusalOfServer(asError(error)));
    await close();
    lost.resolve(asError(error));
    throw await lost.promise;
  } finally {
    abort.removeEventListener('abort', giveUp);
  }
  return {
    async send(payloads) {
      await Promise.all(payloads.map((payload) => publisher.spublish(channel, payload)));
    },
    lost: lost.promise,
    close,
  };
}

const refusalOfServer = (error: Error): Error => (error.message.startsWith('MOVED ') ? new ClusterNodeError() : error);

/** The link is reopened as a whole, and what was not sent is sent then: the client itself retries and queues nothing. */
function createConnection(url: string, connectionName: string): Redis {
  return new Redis(url, {
    Connector: GuardedConnector,
    connectionName,
    lazyConnect: true,
    retryStrategy: () => null,
    enableOfflineQueue: false,
    autoResubscribe: false,
    autoResendUnfulfilledCommands: false,
    keepAlive: TIMEOUT_MS,
    connectTimeout: TIMEOUT_MS,
    commandTimeout: TIMEOUT_MS,
    disconnectTimeout: GOODBYE_MS,
  });
}

/**
 * The address to speak to: the only one, or that of the cluster's node which has the channel. When the channel moves to another
 * node, both connections are notified, and the next link asks again.
 */
async function serverOf(
  [first = '', ...others]: string[],
  { channel, clock }: LinkPlace,
  abort: AbortSignal,
): Promise<string> {
  if (others.length === 0) return first;
  const failures: unknown[] = [];
  for (const seed of [first, ...others]) {
    abort.throwIfAborted();
    const redis = createConnection(seed, 'swarm-signal-seed');
    const giveUp = () => void disconnected(redis, clock);
    abort.addEventListener('abort', giveUp);
    redis.on('error', (error) => failures.push(error));
    try {
      await redis.connect();
      return addressIn(seed, await redis.cluster('SLOTS'), await redis.cluster('KEYSLOT', channel));
    } catch (error) {
      failures.push(error);
    } finally {
      abort.removeEventListener('abort', giveUp);
      await disconnected(redis, clock);
    }
  }
  throw new AggregateError(failures, 'No node of the Redis Cluster answers');
}

/** The seed's address, with the host and port of the node that has the slot. */
function addressIn(seed: string, slots: unknown, slot: number): string {
  const ranges = Array.isArray(slots) ? (slots as [number, number, [string, number]][]) : [];
  const owner = ranges.find(([from, to]) => from <= slot && slot <= to)?.[2];
  if (owner === undefined) throw new Error(`No node of the Redis Cluster serves slot ${slot}`);
  const url = new URL(seed);
  const [host, port] = owner;
  // A node that does not know its own name leaves it empty: it is the one that was asked.
  if (host !== '') url.hostname = host.includes(':') ? `[${host}]` : host;
  url.port = String(port);
  return url.href;
}
