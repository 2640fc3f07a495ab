// PostgreSQL behind PgBouncer as it comes: with session pooling it serves, and with any other it is refused and left as it was.
import { systemClock } from '@hypercode/clock';
import {
  freshDatabase,
  type Pgbouncer,
  type PgbouncerOptions,
  startPgbouncer,
  trackLeaks,
  waitFor,
} from '@hypercode/testkit';
import { sql } from 'kysely';
import { Client } from 'pg';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { type Database, openDatabase } from '../../src/database/database.ts';
import { refuseSharedSessions, SharedSessionError } from '../../src/database/poolers.ts';
import { createPostgresSignal } from '../../src/signal/postgres-signal.ts';

let direct: string;
let ends: (() => Promise<void>)[];

beforeEach(async () => {
  ends = [];
  direct = await freshDatabase();
});
afterEach(async () => {
  for (const end of ends.toReversed()) await end();
});

async function pooled(options: PgbouncerOptions): Promise<Pgbouncer> {
  const pgbouncer = await startPgbouncer(direct, options);
  ends.push(() => pgbouncer.close());
  return pgbouncer;
}

async function open(url: string): Promise<Database> {
  const database = await openDatabase({ url });
  ends.push(() => database.close());
  return database;
}

test('a server without a pooler is taken, by one connection', async () => {
  const leaks = trackLeaks();
  await refuseSharedSessions(direct, systemClock);
  await leaks.check();
});

test('session pooling is taken: sessions are set, and notifications arrive', async () => {
  const { url } = await pooled({ pooling: 'session', poolSize: 10 });
  await refuseSharedSessions(url, systemClock);
  const database = await open(url);
  const settings = await sql`
    select current_setting('statement_timeout') as statement, current_setting('timezone') as zone`.execute(
    database.kysely,
  );
  expect(settings.rows).toEqual([{ statement: '10s', zone: 'UTC' }]);

  const [first, second] = [
    createPostgresSignal({ connectionString: url }),
    createPostgresSignal({ connectionString: url }),
  ];
  ends.push(async () => void (await Promise.all([first.close(), second.close()])));
  await waitFor(() => first.linked && second.linked, { what: 'both to be linked' });
  let calls = 0;
  second.subscribe('c', () => void (calls += 1));
  first.notify('c');
  await waitFor(() => calls > 0, { what: 'the wake-up through the pooler' });
});

test.each(['transaction', 'statement'] as const)('%s pooling is refused, with what to do', async (pooling) => {
  const { url } = await pooled({ pooling });
  const refusal = refuseSharedSessions(url, systemClock);
  await expect(refusal).rejects.toThrow('use the address of the server');
  await expect(refusal).rejects.toBeInstanceOf(SharedSessionError);
});

test('a refused pooler has no session that was set or listens', async () => {
  const { url } = await pooled({ pooling: 'transaction', poolSize: 1 });
  await expect(refuseSharedSessions(url, systemClock)).rejects.toBeInstanceOf(SharedSessionError);
  const client = new Client({ connectionString: url });
  await client.connect();
  ends.push(() => client.end());
  const { rows } = await client.query(`select current_setting('statement_timeout') as statement,
    (select count(*)::int from pg_listening_channels()) as channels`);
  expect(rows).toEqual([{ statement: '0', channels: 0 }]);
});

test('a pooler that is busy with others is recognised, too', async () => {
  const { url } = await pooled({ pooling: 'transaction', poolSize: 4 });
  const others = Array.from({ length: 3 }, () => new Client({ connectionString: url }));
  for (const other of others) {
    await other.connect();
    await other.query('begin; select 1');
    ends.push(() => other.end());
  }
  await expect(refuseSharedSessions(url, systemClock)).rejects.toBeInstanceOf(SharedSessionError);
});
