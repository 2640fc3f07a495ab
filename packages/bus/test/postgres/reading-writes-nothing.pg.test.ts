// Promise 14 on PostgreSQL: looking at events and groups leaves every row as it was.
import { HeldClock } from '@hypercode/clock/testing';
import { createPostgresSignal, type Database, openDatabase } from '@hypercode/stores';
import { HeldDatabaseTime } from '@hypercode/stores/testing';
import { freshDatabase } from '@hypercode/testkit';
import { sql } from 'kysely';
import { expect, test } from 'vitest';
import { openPostgresStore } from '../../src/postgres/postgres-store.ts';
import { BusFixture } from '../../testing/bus/bus-fixture.ts';
import { lookingAtAll } from '../read-all.ts';
import { heldStoreTime } from './held-store-time.ts';

let keeper: Database;
const fixture = new BusFixture(async () => {
  const url = await freshDatabase();
  keeper = await openDatabase({ url });
  const clock = new HeldClock();
  return {
    async database() {
      const database = await openDatabase({ url });
      return { database, close: () => database.close() };
    },
    store: (database, settings) => openPostgresStore({ database, settings, clock }),
    signal: () => createPostgresSignal({ connectionString: url }),
    time: async () => heldStoreTime(await HeldDatabaseTime.hold(keeper)),
    loseLog: async () => undefined,
    close: () => keeper.close(),
  };
});

/** Which transaction wrote each row of each table, and where it stands: any write changes that. */
async function versions(): Promise<Record<string, unknown>> {
  const { rows: tables } = await sql<{ name: string }>`
    select tablename as name from pg_tables where schemaname = current_schema()`.execute(keeper.kysely);
  const found: Record<string, unknown> = {};
  for (const { name } of tables) {
    const { rows } = await sql`
      select xmin::text, ctid::text from ${sql.table(name)} order by 1, 2`.execute(keeper.kysely);
    found[name] = rows;
  }
  return found;
}

test('traces, previews, finding, reading and looking at groups write nothing to PostgreSQL', async () => {
  const look = await lookingAtAll(fixture);
  const before = await versions();
  expect(Object.keys(before)).toContain('bus_deliveries');
  await look();
  expect(await versions()).toEqual(before);
});
