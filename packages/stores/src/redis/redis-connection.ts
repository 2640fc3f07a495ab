// A connection to Redis or a Redis Cluster that never sends a command later than it was asked to.
import { once } from 'node:events';
import { type Clock, sleep, systemClock, within } from '@hypercode/clock';
import { SwarmError } from '@hypercode/contracts';
import { Cluster, Redis } from 'ioredis';
import { disconnected, GOODBYE_MS } from './disconnected.ts';
import { GuardedConnector, guardConnections } from './guarded-connector.ts';
import { ClusterNodeError, noAnswer, redisFailure } from './redis-failure.ts';

/** For all that one call sends; less than the two seconds, so that a busy process keeps them too. */
const CALL_TIMEOUT_MS = 1800;
/** How long calls wait for the very first connection. */
const FIRST_CONNECTION_MS = 400;
/** With the wait for the connection less than a call has: a call that is given up does not send its second command later. */
const COMMAND_TIMEOUT_MS = 1350;
/** After so long without an answer, while one is due, the connection is taken for dead. */
const SILENCE_MS = 3000;
const CONNECT_TIMEOUT_MS = 5000;
const FIRST_RETRY_MS = 50;
const LAST_RETRY_MS = 1000;
const SLOTS_REFRESH_MS = 2000;

export type RedisClient = Redis | Cluster;

const retryDelayMs = (attempt: number): number => Math.min(FIRST_RETRY_MS * 2 ** (attempt - 1), LAST_RETRY_MS);

export interface RedisConnectionOptions {
  /** As `CLIENT LIST` shows it. */
  connectionName: string;
  /** Called with each failure that means that Redis is away, does not let us in, or takes no writes. */
  onFailure?: ((error: Error) => void) | undefined;
  clock?: Clock;
}

/**
 * Connects in the background, and again whenever the connection is lost. A command is sent at once or fails: nothing waits for
 * a connection but the very first one, and nothing is sent twice, except where a node of a Cluster said that another one has
 * the slot.
 */
export class RedisConnection {
  readonly #client: RedisClient;
  readonly #clock: Clock;
  readonly #opened: Promise<unknown>;
  readonly #impatience = new AbortController();
  #isOpened = false;
  readonly #onFailure: (error: Error) => void;
  /** Why there is no connection, as the last attempt ended. */
  #lostBecause: Error | null = null;
  #isClosing = false;

  constructor(url: string, { connectionName, onFailure, clock = systemClock }: RedisConnectionOptions) {
    this.#clock = clock;
    this.#onFailure = (error) => {
      if (!this.#isClosing) onFailure?.(error);
    };
    this.#client = createClient(url, connectionName);
    const failed = (error: unknown): void => {
      this.#lostBecause = error instanceof Error ? error : new Error(String(error));
      this.#onFailure(this.#lostBecause);
    };
    this.#client.on('error', failed);
    this.#client.on('node error', failed);
    const recovered = (): void => {
      this.#lostBecause = null;
    };
    this.#client.on('ready', recovered);
    this.#client.on('+node', (node: Redis) => node.once('ready', recovered));
    const connected = this.#connect();
    const tooLong = sleep(clock, FIRST_CONNECTION_MS, this.#impatience.signal);
    this.#opened = Promise.race([connected, tooLong])
      .catch(() => undefined)
      .finally(() => {
        this.#isOpened = true;
        this.#impatience.abort();
      });
  }

  /** What `send` asks of Redis. UNAVAILABLE, within two seconds, when there is no answer to all of it. */
  async ask<T>(send: (client: RedisClient) => Promise<T>): Promise<T> {
    try {
      return await within(this.#clock, CALL_TIMEOUT_MS, { work: this.#send(send), timeout: () => noAnswer() });
    } catch (error) {
      const refusal = redisFailure(error);
      if (refusal instanceof SwarmError && refusal.is('UNAVAILABLE')) this.#onFailure(this.#reasonOf(refusal));
      throw refusal;
    }
  }

  #reasonOf(refusal: SwarmError): Error {
    const { cause } = refusal;
    if (!this.isCluster && cause instanceof Error && cause.message.startsWith('MOVED ')) return new ClusterNodeError();
    // That a command was not sent says less than why there is no connection.
    return this.#lostBecause ?? (cause instanceof Error ? cause : refusal);
  }

  /** The servers that hold data: one, or the masters of the Cluster. */
  get servers(): Redis[] {
    return this.#client instanceof Cluster ? this.#client.nodes('master') : [this.#client];
  }

  get isCluster(): boolean {
    return this.#client instanceof Cluster;
  }

  async close(): Promise<void> {
    this.#isClosing = true;
    this.#impatience.abort();
    const client = this.#client;
    const nodes = client instanceof Cluster ? client.nodes('all') : [];
    await Promise.all([client, ...nodes].map((one) => disconnected(one, this.#clock)));
  }

  async #send<T>(send: (client: RedisClient) => Promise<T>): Promise<T> {
    if (!this.#isOpened) await this.#opened;
    return send(this.#client);
  }

  async #connect(): Promise<void> {
    const client = this.#client;
    await client.connect();
    if (!(client instanceof Cluster)) return;
    const waiting = client.nodes('all').filter(({ status }) => status !== 'ready');
    await Promise.all(waiting.map((node) => once(node, 'ready').catch(() => undefined)));
  }
}

/** `url`: one address, or those of some nodes of a Cluster, with commas between. */
export const connectRedis = (url: string, options: RedisConnectionOptions): RedisConnection =>
  new RedisConnection(url, options);

/** What connections to one server and to the nodes of a Cluster have in common. */
const CONNECTION = {
  Connector: GuardedConnector,
  autoResubscribe: false,
  autoResendUnfulfilledCommands: false,
  maxRetriesPerRequest: 0,
  commandTimeout: COMMAND_TIMEOUT_MS,
  socketTimeout: SILENCE_MS,
  connectTimeout: CONNECT_TIMEOUT_MS,
  disconnectTimeout: GOODBYE_MS,
  // After a failover behind one address the connection may still be to what is a replica now.
  reconnectOnError: (error: Error) => error.message.startsWith('READONLY'),
};

function createClient(url: string, connectionName: string): RedisClient {
  if (url.includes(',')) return createCluster(url, connectionName);
  return new Redis(url, {
    ...CONNECTION,
    connectionName,
    lazyConnect: true,
    enableOfflineQueue: false,
    retryStrategy: retryDelayMs,
  });
}

function createCluster(url: string, connectionName: string): Cluster {
  const seeds = url
    .split(',')
    .map((text) => text.trim())
    .filter((text) => text !== '')
    .map((text) => new URL(text));
  const [first] = seeds;
  // A Cluster has a connection for subscriptions, whose connector can not be chosen.
  guardConnections();
  const tls = first?.protocol === 'rediss:';
  const cluster = new Cluster(
    seeds.map(({ hostname, port }) => ({ host: hostname.replaceAll(/[[\]]/g, ''), port: Number(port || 6379) })),
    {
      lazyConnect: true,
      enableOfflineQueue: false,
      // It asks a node that may not be connected yet, and would begin again.
      enableReadyCheck: false,
      clusterRetryStrategy: retryDelayMs,
      retryDelayOnFailover: 0,
      retryDelayOnClusterDown: 0,
      // A refusal while slots are moved: the command was not executed. The retry of ioredis cannot be switched off.
      retryDelayOnTryAgain: FIRST_RETRY_MS,
      slotsRefreshInterval: SLOTS_REFRESH_MS,
      redisOptions: {
        ...CONNECTION,
        connectionName,
        ...(first?.username ? { username: decodeURIComponent(first.username) } : {}),
        ...(first?.password ? { password: decodeURIComponent(first.password) } : {}),
        ...(tls ? { tls: {} } : {}),
      },
      // Certificates are for names, which a lookup would lose.
      ...(tls ? { dnsLookup: (address, callback) => callback(null, address) } : {}),
    },
  );
  // Nodes queue commands until they are connected, whatever their options are, and send them even when those have timed out. One
  // that is connected before it is used has no queue: until it is ready, the Cluster refuses what is for it.
  cluster.on('+node', (node: Redis) => {
    node.connect().catch(() => undefined);
  });
  return cluster;
}
