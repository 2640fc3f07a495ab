// The bus through crashes: two cores are killed, and the store once, under publishers that retry. Every acknowledged event is in the
// log once, every subscriber sees the log as it is, and every group works through all of it.
import { createSwarmClient, type SwarmClient, type SwarmEvent } from '@hypercode/client';
import { type PostgresServer, type SpawnedCore, startPostgres, startRedis, waitFor } from '@hypercode/testkit';
import { afterEach, expect, test } from 'vitest';
import { spawnCore } from '../fixtures/spawn-core.ts';
import {
  differenceFrom,
  disorderIn,
  falseAttemptIn,
  repeatedIn,
  type SeenDelivery,
  type SeenEvent,
} from './event-record.ts';

const KILLS = process.env['SWARM_TEST_ALL'] === '1' ? 20 : 4;
const ADMIN_TOKEN = 'the-same-admin-token-on-both';
/** Events that some publishers have under way together. */
const AT_A_TIME = 32;
/** Acknowledged between one kill and the next, at least. */
const ENOUGH = 200;
const PATIENCE = { timeoutMs: 120_000 };

const stack: (() => Promise<void> | void)[] = [];
afterEach(async () => {
  for (const undo of stack.splice(0).toReversed()) await undo();
});

/** Publishes as fast as it can, so many events at a time, each until it is acknowledged. */
class Publisher {
  readonly who: number;
  readonly atATime: number;
  readonly acknowledged: SeenEvent[] = [];
  readonly failures: unknown[] = [];
  #isStopped = false;
  readonly #running: Promise<unknown>;

  constructor(client: SwarmClient, who: number, atATime: number) {
    this.who = who;
    this.atATime = atATime;
    this.#running = Promise.all(Array.from({ length: atATime }, () => this.#run(client, who)));
  }

  async stop(): Promise<void> {
    this.#isStopped = true;
    await this.#running;
  }

  async #run(client: SwarmClient, who: number): Promise<void> {
    for (let n = 0; !this.#isStopped; n += 1) {
      try {
        const { id, position } = await client.publish(`crash.p${who}`, { who, n });
        this.acknowledged.push({ id, position });
      } catch (error) {
        this.failures.push(error);
      }
    }
  }
}

/** Sees everything from the beginning. */
class Subscriber {
  readonly seen: SeenEvent[] = [];
  readonly gaps: unknown[] = [];
  failure: unknown = null;

  constructor(client: SwarmClient) {
    this.#run(client).catch((error: unknown) => {
      this.failure = error;
    });
  }

  async #run(client: SwarmClient): Promise<void> {
    for await (const value of client.subscribe({ topics: ['crash.>'], from: 'earliest' })) {
      if (value.type === 'event') this.seen.push({ id: value.event.id, position: value.position });
      else if (value.type === 'gap') this.gaps.push(value);
    }
  }
}

async function readLog(client: SwarmClient): Promise<{ position: string; event: SwarmEvent }[]> {
  const log: { position: string; event: SwarmEvent }[] = [];
  for (let after: string | undefined; ;) {
    const page = await client.bus.read({ topics: ['crash.>'], limit: 500, ...(after === undefined ? {} : { after }) });
    log.push(...page.events);
    if (page.next === after || page.events.length === 0) return log;
    after = page.next;
  }
}

interface Stores {
  env: Record<string, string>;
  /** Kills the store of the events, and starts it again. */
  crash: () => Promise<void>;
}

async function onRedis(postgres: PostgresServer): Promise<Stores> {
  const redis = await startRedis({ own: true, appendOnly: true });
  stack.push(() => redis.close());
  return {
    env: { DATABASE_URL: await postgres.createDatabase(), REDIS_URL: redis.url },
    crash: async () => {
      await redis.kill();
      await redis.start();
    },
  };
}

async function onPostgres(postgres: PostgresServer): Promise<Stores> {
  return {
    env: { DATABASE_URL: await postgres.createDatabase() },
    crash: async () => {
      await postgres.kill();
      await postgres.start();
    },
  };
}

test.each([
  { stores: 'PostgreSQL and Redis', open: onRedis },
  { stores: 'PostgreSQL alone', open: onPostgres },
])('on $stores nothing acknowledged is lost or doubled', { timeout: 600_000 }, async ({ open }) => {
  const postgres = await startPostgres({ own: true, durable: true });
  stack.push(() => postgres.close());
  const { env, crash } = await open(postgres);
  const cores = await Promise.all(
    [0, 1].map(async () => {
      const core = await spawnCore({
        env: {
          ...env,
          SWARM_ADMIN_TOKEN: ADMIN_TOKEN,
          SWARM_RATE_PUBLISH: '0',
          SWARM_RATE_PUBLISH_BYTES: '0',
          SWARM_RATE_REGISTER: '0',
        },
      });
      stack.push(() => core.close());
      return core;
    }),
  );
  const clientOf = (core: SpawnedCore): SwarmClient => {
    const client = createSwarmClient({
      url: core.url,
      token: ADMIN_TOKEN,
      publishTimeoutMs: 300_000,
    });
    stack.push(() => client.close());
    return client;
  };

  const subscribers = [...cores, ...cores].map((core) => new Subscriber(clientOf(core)));
  const deliveries: SeenDelivery[] = [];
  const worked = new Set<string>();
  for (const core of cores) {
    const consumer = clientOf(core).consume(
      {
        group: 'crew',
        topics: ['crash.>'],
        from: 'earliest',
        ackDeadlineMs: 3000,
        maxDeliveries: 1000,
        maxInFlight: 50,
      },
      ({ id }, { attempt }) => {
        deliveries.push({ id, attempt });
        worked.add(id);
      },
    );
    stack.push(() => consumer.stop({ timeoutMs: 1000 }));
  }
  // Those that publish one event after the other see them in order; the others bring the load, and batches to be cut off.
  const publishers = [...cores, ...cores, ...cores].map(
    (core, who) => new Publisher(clientOf(core), who, who < 4 ? 1 : AT_A_TIME),
  );
  for (const publisher of publishers) stack.push(() => publisher.stop());
  const total = () => publishers.reduce((sum, { acknowledged }) => sum + acknowledged.length, 0);
  const untilMore = async () => {
    const enough = total() + ENOUGH;
    await waitFor(() => total() >= enough, { what: `${enough} acknowledged events`, ...PATIENCE });
  };

  for (let kill = 0; kill < KILLS; kill += 1) {
    await untilMore();
    const core = cores[kill % 2];
    if (core === undefined) throw new Error('there are two cores');
    core.kill('SIGKILL');
    await core.exited;
    if (kill === KILLS / 2) await crash();
    await core.restart();
  }
  await untilMore();
  for (const publisher of publishers) await publisher.stop();

  const [core] = cores;
  if (core === undefined) throw new Error('there are two cores');
  const log = await readLog(clientOf(core));
  const inLog: SeenEvent[] = log.map(({ position, event }) => ({ position, id: event.id }));
  expect(publishers.flatMap(({ failures }) => failures)).toEqual([]);
  expect(repeatedIn(inLog)).toBeNull();
  const positions = new Map(inLog.map(({ id, position }) => [id, position]));
  for (const { id, position } of publishers.flatMap(({ acknowledged }) => acknowledged)) {
    expect(positions.get(id)).toBe(position);
  }
  const events = log.map(({ event }) => event);
  for (const { who, atATime } of publishers) if (atATime === 1) expect(disorderIn(events, who)).toBeNull();
  for (const subscriber of subscribers) {
    await waitFor(() => subscriber.seen.length >= inLog.length || subscriber.failure !== null, {
      what: 'a subscriber to see the end of the log',
      ...PATIENCE,
    });
    expect(subscriber.failure).toBeNull();
    expect(subscriber.gaps).toEqual([]);
    expect(differenceFrom(inLog, subscriber.seen)).toBeNull();
  }
  await waitFor(() => inLog.every(({ id }) => worked.has(id)), {
    what: 'the group to work through the log',
    ...PATIENCE,
  });
  expect(falseAttemptIn(deliveries)).toBeNull();
  const groups = async () => (await clientOf(core).bus.groups({})).groups;
  await waitFor(async () => (await groups()).every(({ lag, inFlight, waiting }) => lag + inFlight + waiting === 0), {
    what: 'the group to have nothing open',
    ...PATIENCE,
  });
  expect(await groups()).toMatchObject([{ group: 'crew', deadLetters: 0 }]);
});
