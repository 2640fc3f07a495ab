// The journal on PostgreSQL beside a replica of the release before, which calls the functions by the names that they had.
import { type Database, migrate, openDatabase } from '@hypercode/stores';
import { freshDatabase } from '@hypercode/testkit';
import { sql } from 'kysely';
import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest';
import { at, entriesOf, newEvents, newNamespace, ROOMY } from '../../testing/bus-store.ts';
import { SETTINGS } from '../../testing/group-under-test.ts';
import { busSchema } from '../../src/database-schema.ts';
import { openPostgresStore } from '../../src/postgres/postgres-store.ts';
import type { BusStore } from '../../src/store/bus-store.ts';
import type { LogPosition } from '../../src/store/position.ts';
import { readFates } from '../../src/tracing/group-fate.ts';

let database: Database;
let store: BusStore;
let namespace: string;

beforeAll(async () => {
  database = await openDatabase({ url: await freshDatabase() });
  await migrate(database.kysely, [busSchema]);
  store = openPostgresStore({ database, settings: ROOMY });
});
afterAll(async () => {
  await store.close();
  await database.close();
});
beforeEach(() => {
  namespace = newNamespace();
});

/** Two events in flight, of a group that gives up after one attempt. */
async function twoInFlight(): Promise<[LogPosition, LogPosition]> {
  const { cursor } = await store.groups.open(namespace, 'workers', { ...SETTINGS, maxDeliveries: 1 }, 'earliest');
  await store.log.append(namespace, newEvents(2));
  const entries = await entriesOf(store.log, namespace, cursor);
  const offer = { version: 1, after: cursor, entries, upTo: at(entries, -1).position };
  await store.groups.claim(namespace, 'workers', { consumer: 'ann', maxInFlight: 2, max: 2, offer });
  return [at(entries, 0).position, at(entries, 1).position];
}

async function fateOf(position: LogPosition): Promise<unknown> {
  return at(await readFates(store.groups, namespace, { position, topic: 'jobs.done' }), 0);
}

test('what such a replica acknowledges, discards and releases has a record', async () => {
  const [acked, discarded] = await twoInFlight();
  const names = ({ epoch, seq, nonce }: LogPosition) =>
    sql`${[epoch]}::text[], ${[seq]}::bigint[], ${[nonce]}::bigint[]`;
  await sql`select bus_settle(${namespace}, 'workers', ${names(acked)}, array[0]::bigint[])`.execute(database.kysely);
  expect(await fateOf(acked)).toMatchObject({ state: 'acked', settledBy: 'ann', attempt: 1 });

  const open = { position: discarded, life: 0, attempt: 1, uncounted: 0 };
  await store.groups.nack(namespace, 'workers', [open], { delayMs: 0, reason: null });
  await sql`select bus_resolve_dead(${namespace}, 'workers', ${names(discarded)}, 0, 10, false)`.execute(
    database.kysely,
  );
  expect(await fateOf(discarded)).toMatchObject({ state: 'discarded', settledBy: null, attempt: 1 });
});

test('what such a replica seeks past was skipped', async () => {
  const [released] = await twoInFlight();
  const appended = await store.log.append(namespace, newEvents(1));
  await sql`select * from bus_seek_group(${namespace}, 'workers', 'latest', null, null, null, 10, 100)`.execute(
    database.kysely,
  );
  const skipped = { state: 'skipped', reason: 'seek' };
  expect(await fateOf(released)).toMatchObject({ ...skipped, consumer: 'ann' });
  expect(await fateOf(at(appended, 0).position)).toMatchObject({ ...skipped, consumer: null });
});
