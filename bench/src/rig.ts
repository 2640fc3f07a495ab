// The servers of one run: private, started when a row first needs them, all closed at the end.
import {
  type PostgresServer,
  type RedisServer,
  type ServerSource,
  type SpawnedCore,
  spawnCore,
  startPostgres,
  startRedis,
} from '@hypercode/testkit';
import { Redis } from 'ioredis';
import { mkdirSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { Client } from 'pg';
import { type Etcd, startEtcd } from './etcd.ts';
import { parentOf } from './measure/process-usage.ts';
import { type Nats, startNats } from './nats.ts';

export interface RigOptions {
  /** Less of everything: for trying the bench out, not for its numbers. */
  quick: boolean;
  /** How often each contender is measured. */
  rounds: number;
  /** A folder for processor profiles of every server that is measured; null for none. */
  profileFolder: string | null;
}

/** A program that is measured: a core, or what it is compared with. */
export type Measured = SpawnedCore;

/** Programs on this machine first: a container's network would stand between the core and its stores, but not etcd's. */
const SOURCES: readonly ServerSource[] = ['binary', 'docker', 'apt'];

const preload = fileURLToPath(new URL('./servers/report-memory.ts', import.meta.url));

export class Rig implements AsyncDisposable {
  readonly quick: boolean;
  readonly rounds: number;
  readonly #profileFolder: string | null;
  readonly #stack = new AsyncDisposableStack();
  #postgres: Promise<PostgresServer> | null = null;
  #redis: Promise<RedisServer> | null = null;
  #appendOnlyRedis: Promise<RedisServer> | null = null;
  #etcd: Promise<Etcd | null> | null = null;
  #nats: Promise<Nats | null> | null = null;

  constructor({ quick, rounds, profileFolder }: RigOptions) {
    this.quick = quick;
    this.rounds = rounds;
    this.#profileFolder = profileFolder;
    if (profileFolder !== null) mkdirSync(profileFolder, { recursive: true });
  }

  /** The number for this run. */
  size(full: number, quick: number): number {
    return this.quick ? quick : full;
  }

  /** Says what is going on; the table alone goes to standard output. */
  say(text: string): void {
    process.stderr.write(`${text}\n`);
  }

  /** A PostgreSQL that syncs every commit to disk. */
  postgres(): Promise<PostgresServer> {
    return (this.#postgres ??= this.#keep(startPostgres({ durable: true, own: true, sources: SOURCES })));
  }

  /** The process whose children serve the connections; null when PostgreSQL does not run on this machine itself. */
  async postgresPid(): Promise<number | null> {
    const { url, source } = await this.postgres();
    if (source !== 'binary' && source !== 'apt') return null;
    const client = new Client({ connectionString: url });
    await client.connect();
    try {
      const { rows } = await client.query<{ pid: number }>('select pg_backend_pid() as pid');
      return await parentOf(rows[0]?.pid ?? 0);
    } finally {
      await client.end();
    }
  }

  redis(): Promise<RedisServer> {
    return (this.#redis ??= this.#keep(startRedis({ own: true, sources: SOURCES })));
  }

  /** A Redis that keeps an append-only file, synced once a second: for events. */
  appendOnlyRedis(): Promise<RedisServer> {
    return (this.#appendOnlyRedis ??= this.#keep(startRedis({ own: true, appendOnly: true, sources: SOURCES })));
  }

  /** The process of `appendOnlyRedis`; null when it does not run on this machine itself. */
  async appendOnlyRedisPid(): Promise<number | null> {
    const { url, source } = await this.appendOnlyRedis();
    if (source !== 'binary' && source !== 'apt') return null;
    const redis = new Redis(url);
    try {
      return Number(/^process_id:(\d+)/m.exec(await redis.info('server'))?.[1]);
    } finally {
      redis.disconnect();
    }
  }

  /** Null, and said so, when there is no nats-server on this machine. */
  nats(): Promise<Nats | null> {
    return (this.#nats ??= this.#startPeer('nats-server', startNats));
  }

  /** Null, and said so, when there is no etcd on this machine. */
  etcd(): Promise<Etcd | null> {
    return (this.#etcd ??= this.#startPeer('etcd', startEtcd));
  }

  async database(): Promise<string> {
    return (await this.postgres()).createDatabase();
  }

  /**
   * A core of its own process, without a limit on registrations and events, and with a lease that no row outlasts, since agents of
   * most rows send no heartbeats. `using` stack closes it.
   */
  async core(stack: AsyncDisposableStack, env: Record<string, string>): Promise<Measured> {
    const unlimited = {
      SWARM_RATE_REGISTER: '0',
      SWARM_RATE_PUBLISH: '0',
      SWARM_RATE_PUBLISH_BYTES: '0',
      SWARM_STREAMS_MAX: '0',
      SWARM_LEASE_MS: String(24 * 3_600_000),
    };
    const settings = { ...unlimited, SWARM_LOG_LEVEL: 'warn', ...env };
    return this.#measured(stack, () => spawnCore({ env: { ...settings, ...this.#nodeOptions() } }));
  }

  /** A program of `servers/`, started as a core is. */
  async server(stack: AsyncDisposableStack, name: string): Promise<Measured> {
    const entry = fileURLToPath(new URL(`./servers/${name}.ts`, import.meta.url));
    return this.#measured(stack, () => spawnCore({ entry, env: this.#nodeOptions() }));
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#stack.disposeAsync();
  }

  async #measured(stack: AsyncDisposableStack, start: () => Promise<Measured>): Promise<Measured> {
    const measured = await start();
    let closing = false;
    stack.defer(() => {
      closing = true;
      return measured.close();
    });
    void measured.exited.then(({ code, signal }) => {
      if (!closing) this.say(`!! A measured program ended with ${code ?? signal}:\n${measured.output()}`);
    });
    return measured;
  }

  #nodeOptions(): Record<string, string> {
    const options = ['--expose-gc', `--import=${preload}`];
    if (this.#profileFolder !== null) options.push('--cpu-prof', `--cpu-prof-dir=${this.#profileFolder}`);
    return { NODE_OPTIONS: options.join(' ') };
  }

  async #keep<T extends { close(): Promise<void> }>(starting: Promise<T>): Promise<T> {
    const server = await starting;
    this.#stack.defer(() => server.close());
    return server;
  }

  async #startPeer<T extends { close(): Promise<void> }>(
    command: string,
    start: () => Promise<T | null>,
  ): Promise<T | null> {
    const peer = await start();
    if (peer === null) this.say(`!! There is no \`${command}\` on the PATH: what is measured against it is SKIPPED.`);
    else this.#stack.defer(() => peer.close());
    return peer;
  }
}
