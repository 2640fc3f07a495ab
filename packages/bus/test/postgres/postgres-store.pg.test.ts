// The store on PostgreSQL, each replica with a pool of its own.
import { randomUUID } from 'node:crypto';
import { createServer, connect, type Socket } from 'node:net';
import { HeldClock } from '@hypercode/clock/testing';
import { HeldDatabaseTime } from '@hypercode/stores/testing';
import { type Database, migrate, openDatabase } from '@hypercode/stores';
import { freshDatabase, trackLeaks, waitFor } from '@hypercode/testkit';
import { eventLogConformance } from '../../testing/event-log.ts';
import { groupStoreConformance } from '../../testing/group-store.ts';
import type { OpenStores } from '../../testing/bus-store.ts';
import { sql } from 'kysely';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { LogSettings } from '../../src/store/event-log.ts';
import { busSchema } from '../../src/database-schema.ts';
import { replicas } from './replicas.ts';
import type { BusSchema } from '../../src/postgres/schema.ts';
import { openPostgresStore } from '../../src/postgres/postgres-store.ts';

const ROOMY: LogSettings = {
  retention: { maxEvents: 1_000_000, maxBytes: 2 ** 30, maxAgeMs: 86_400_000 },
  dedupWindowMs: 3_600_000,
};

async function migratedDatabase(): Promise<string> {
  const url = await freshDatabase();
  const database = await openDatabase({ url });
  await migrate(database.kysely, [busSchema]);
  await database.close();
  return url;
}

describe('PostgreSQL', () => {
  const leaks = trackLeaks();
  let databases: [Database, Database];
  let keeper: Database;
  let time: HeldDatabaseTime;

  beforeAll(async () => {
    const url = await migratedDatabase();
    keeper = await openDatabase({ url });
    time = await HeldDatabaseTime.hold(keeper);
    databases = [await openDatabase({ url }), await openDatabase({ url })];
  });
  afterAll(async () => {
    await Promise.all([...databases, keeper].map((database) => database.close()));
    await leaks.check();
  });

  const clock = new HeldClock();
  const open: OpenStores = (settings) => Promise.resolve(replicas({ databases, time, clock }, settings));
  eventLogConformance('PostgreSQL', open);
  groupStoreConformance('PostgreSQL', open);
});

test('what retention removed is deleted, by appends in the background and by housekeeping', async () => {
  const database = await openDatabase({ url: await migratedDatabase() });
  const db = database.kysely.$extendTables<BusSchema>();
  const count = async (table: keyof BusSchema) => {
    const { rows } = await sql<{ count: number }>`select count(*) from ${sql.table(table)}`.execute(db);
    return rows[0]?.count ?? 0;
  };
  const store = openPostgresStore({
    database,
    settings: { retention: { ...ROOMY.retention, maxEvents: 10 }, dedupWindowMs: 1 },
  });
  for (let call = 0; call < 8; call++) {
    const events = Array.from({ length: 500 }, () => ({
      id: randomUUID(),
      source: '/core',
      topic: `t${call}`,
      text: '{}',
    }));
    await store.log.append('default', events);
  }
  await waitFor(async () => (await count('bus_events')) <= 1_500, { what: 'the removed events to be deleted' });
  await waitFor(
    async () => {
      await store.applyRetention();
      return (await count('bus_dedup')) === 0;
    },
    { what: 'duplicates to be forgotten' },
  );
  expect(await count('bus_events')).toBe(10);
  expect(await count('bus_topics')).toBe(1);
  await store.close();
  await database.close();
});

test('what a replica of the release before appends is not in the index, which begins after it', async () => {
  const database = await openDatabase({ url: await migratedDatabase() });
  const { log } = openPostgresStore({ database, settings: ROOMY });
  const newEvent = () => {
    const id = randomUUID();
    return { id, source: '/core', topic: 'a', text: JSON.stringify({ id }) };
  };
  const [first, second, third] = [newEvent(), newEvent(), newEvent()];
  await log.append('default', [first]);
  const { rows } = await sql<{ seqs: number[] }>`
    select * from bus_append('default', array[${second.id}]::uuid[], array['/core'], array['a'], ${second.text}, 1000, 10, 1000000, 1000000)`.execute(
    database.kysely,
  );
  expect(rows).toMatchObject([{ seqs: [2], repeats: null, nonce_before: expect.any(Number) }]);
  await log.append('default', [third]);
  const find = (id: string) => log.find('default', id, { before: null, limit: 10 });
  expect(await find(third.id)).toMatchObject({ entries: [{ position: { seq: 3 } }], unindexed: { seq: 2 } });
  for (const { id } of [first, second]) expect(await find(id)).toMatchObject({ entries: [], unindexed: { seq: 2 } });
  await database.close();
});

test('deadlines that pass by the thousand are gone over in steps that a statement has time for', async () => {
  const database = await openDatabase({ url: await migratedDatabase() });
  const db = database.kysely.$extendTables<BusSchema>();
  const { groups } = openPostgresStore({ database, settings: ROOMY });
  const settings = { topics: ['>'], ackDeadlineMs: 60_000, maxDeliveries: 1 };
  const { cursor } = await groups.open('default', 'g', settings, 'latest');
  await sql`
    insert into bus_deliveries
      (namespace, group_name, seq, nonce, epoch, state, attempt, consumer, delivered_at, due_at, text)
    select 'default', 'g', seq, 1, ${cursor.epoch}, 'in_flight', 1, 'c', past, past + seq * interval '1 millisecond', '{}'
    from generate_series(1, 5000) seq, (select now() - interval '1 hour' as past) clock`.execute(db);
  const dead = async () => {
    const { rows } = await sql<{ count: number }>`select count(*) from bus_deliveries where state = 'dead'`.execute(db);
    return rows[0]?.count;
  };
  const last = { position: { epoch: cursor.epoch, seq: 5000, nonce: 1 }, life: 0, attempt: 1, uncounted: 0 };
  // Too late, although no replica has moved it yet.
  expect(await groups.nack('default', 'g', [last], { delayMs: 0, reason: null })).toBe(0);
  expect(await dead()).toBe(2000);
  const { letters } = await groups.deadLetters('default', 'g', { after: null, limit: 5000 });
  expect(letters.map(({ position }) => position.seq)).toEqual(Array.from({ length: 4000 }, (_, i) => i + 1));
  expect(await groups.list('default')).toMatchObject([{ inFlight: 0, deadLetters: 5000 }]);
  expect(await groups.ack('default', 'g', [last])).toBe(1);
  expect(await dead()).toBe(4999);
  await database.close();
});

/** A way to the server that can be cut such that neither side notices. */
async function breakableWay(url: string) {
  const target = new URL(url);
  const sockets = new Set<Socket>();
  let silent = false;
  const server = createServer((near) => {
    const far = connect(Number(target.port), target.hostname);
    for (const [from, to] of [
      [near, far],
      [far, near],
    ] as const) {
      sockets.add(from);
      from.on('data', (data) => void (silent || to.write(data)));
      from.on('close', () => to.destroy());
      from.on('error', () => to.destroy());
    }
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const address = server.address();
  if (address === null || typeof address === 'string') throw new Error('the way has no port');
  const way = new URL(url);
  way.host = `127.0.0.1:${address.port}`;
  return {
    url: way.href,
    silence: () => {
      silent = true;
    },
    mend: () => {
      silent = false;
      // What was lost on the way does not come again.
      for (const socket of sockets) socket.destroy();
    },
    close: async () => {
      for (const socket of sockets) socket.destroy();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}

test('every method fails within two seconds while the database does not answer', { timeout: 60_000 }, async () => {
  const leaks = trackLeaks();
  const way = await breakableWay(await migratedDatabase());
  const database = await openDatabase({ url: way.url, maxConnections: 3 });
  const store = openPostgresStore({ database, settings: ROOMY });
  const event = { id: '0190a7a0-7b1e-7cc3-98c4-dc0c0c07398f', source: '/core', topic: 'a', text: '{}' };
  const [appended] = await store.log.append('default', [event]);
  if (appended === undefined) throw new Error('nothing was appended');
  const { position } = appended;
  const settings = { topics: ['>'], ackDeadlineMs: 1_000, maxDeliveries: 1 };
  const calls: (() => Promise<unknown>)[] = [
    () => store.log.append('default', [event]),
    () => store.log.read('default', position, 10),
    () => store.log.ranges(['default']),
    () => store.log.topics('default', { after: null, limit: 10 }),
    () => store.groups.open('default', 'g', settings, 'latest'),
    () => store.groups.find('default', 'g'),
    () => store.groups.claim('default', 'g', { consumer: 'c', maxInFlight: 1, max: 1, offer: null }),
    () => store.groups.ack('default', 'g', [{ position, life: 0, attempt: 1, uncounted: 0 }]),
    () =>
      store.groups.nack('default', 'g', [{ position, life: 0, attempt: 1, uncounted: 0 }], {
        delayMs: 0,
        reason: null,
      }),
    () => store.groups.deadLetters('default', 'g', { after: null, limit: 10 }),
    () => store.groups.redrive('default', 'g', null),
    () => store.groups.discard('default', 'g', null),
    () => store.groups.list('default'),
    () => store.check(),
    () => store.applyRetention(),
  ];

  way.silence();
  const waits = calls.map(async (call) => {
    const begunAt = performance.now();
    await expect(call()).rejects.toMatchObject({ code: 'UNAVAILABLE' });
    return performance.now() - begunAt;
  });
  expect(Math.max(...(await Promise.all(waits)))).toBeLessThan(2_000);

  way.mend();
  await expect(store.log.append('default', [event])).resolves.toEqual([{ position, duplicate: true }]);
  await store.close();
  await database.close();
  await way.close();
  await leaks.check();
});

test('what waits for a connection too long is never sent', { timeout: 60_000 }, async () => {
  const url = await migratedDatabase();
  const [database, other] = [await openDatabase({ url, maxConnections: 1 }), await openDatabase({ url })];
  const store = openPostgresStore({ database, settings: ROOMY });
  const event = { id: '0190a7a0-7b1e-7cc3-98c4-dc0c0c07398f', source: '/core', topic: 'a', text: '{}' };
  const refused = await database.kysely
    .connection()
    .execute(async () => store.log.append('default', [event]).catch((error: unknown) => error));
  expect(refused).toMatchObject({ code: 'UNAVAILABLE' });
  // The one connection is free again, and this comes behind what waited for it.
  await store.check();
  const range = await openPostgresStore({ database: other, settings: ROOMY }).log.ranges(['default']);
  expect(range.get('default')?.head.seq).toBe(0);
  await Promise.all([database.close(), other.close()]);
});
