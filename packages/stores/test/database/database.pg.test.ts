// PostgreSQL: the common suite, and servers that are slow, stopped, killed or cut off.
import { once } from 'node:events';
import { createServer, type Server, type Socket, connect as connectSocket } from 'node:net';
import { freePort, freshDatabase, type PostgresServer, startPostgres, waitFor } from '@hypercode/testkit';
import { sql } from 'kysely';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { type Database, openDatabase, type PostgresOptions } from '../../src/database/database.ts';
import { databaseSuite } from '../../testing/database.ts';
import { classify, isMisconfigured, isOutage } from '../../src/database/failure.ts';

const databases: Database[] = [];

async function open(options: PostgresOptions): Promise<Database> {
  const database = await openDatabase(options);
  databases.push(database);
  return database;
}

afterEach(() => Promise.all(databases.splice(0).map((database) => database.close())));

const failureOf = async (query: Promise<unknown>): Promise<Error & { code?: string }> => {
  try {
    await query;
  } catch (error) {
    return error as Error;
  }
  throw new Error('expected the query to fail');
};

const one = async <T>(database: Database, query: ReturnType<typeof sql<{ value: T }>>): Promise<T | undefined> =>
  (await query.execute(database.kysely)).rows[0]?.value;

const pidOf = (database: Pick<Database, 'kysely'>): Promise<number | undefined> =>
  sql<{ pid: number }>`select pg_backend_pid() as pid`.execute(database.kysely).then(({ rows }) => rows[0]?.pid);

/** Waits until the query that sleeps has reached the server; gives its process. */
const sleeping = (observer: Database): Promise<number> =>
  waitFor(
    () =>
      one(
        observer,
        sql<{ value: number }>`select pid as value from pg_stat_activity
          where datname = current_database() and query like '%pg_sleep(60)%' and pid <> pg_backend_pid()`,
      ),
    { what: 'the sleeping query' },
  );

describe('PostgreSQL', () => {
  databaseSuite(async () => openDatabase({ url: await freshDatabase() }));

  it('sets its limits and its name on every connection', async () => {
    const database = await open({ url: await freshDatabase() });
    const settings = await sql`
      select current_setting('statement_timeout') as statement, current_setting('application_name') as name,
        current_setting('idle_in_transaction_session_timeout') as idle`.execute(database.kysely);
    expect(settings.rows).toEqual([{ statement: '10s', name: 'hypercode-swarm', idle: '5s' }]);
  });

  it('has sessions that no default of the database changes', async () => {
    const url = await freshDatabase();
    const name = new URL(url).pathname.slice(1);
    const admin = await open({ url });
    const defaults = {
      datestyle: 'German, DMY',
      timezone: 'Asia/Kathmandu',
      intervalstyle: 'sql_standard',
      bytea_output: 'escape',
      extra_float_digits: '0',
      standard_conforming_strings: 'off',
      default_transaction_isolation: 'serializable',
      lock_timeout: '1ms',
      statement_timeout: '1h',
      idle_session_timeout: '100ms',
    };
    for (const [setting, value] of Object.entries(defaults)) {
      await sql`alter database ${sql.id(name)} set ${sql.raw(setting)} = ${sql.lit(value)}`.execute(admin.kysely);
    }
    const database = await open({ url });
    const settings = await sql`
      select name, setting from pg_settings where lower(name) = any(${Object.keys(defaults)})
      order by lower(name) collate "C"`.execute(database.kysely);
    expect(settings.rows).toEqual([
      { name: 'bytea_output', setting: 'hex' },
      { name: 'DateStyle', setting: 'ISO, MDY' },
      { name: 'default_transaction_isolation', setting: 'read committed' },
      { name: 'extra_float_digits', setting: '1' },
      { name: 'idle_session_timeout', setting: '0' },
      { name: 'IntervalStyle', setting: 'postgres' },
      { name: 'lock_timeout', setting: '0' },
      { name: 'standard_conforming_strings', setting: 'on' },
      { name: 'statement_timeout', setting: '10000' },
      { name: 'TimeZone', setting: 'UTC' },
    ]);
    const [day] = (
      await sql<{ day: string }>`select timestamptz '2026-02-03T04:05:06Z'::text as day`.execute(database.kysely)
    ).rows;
    expect(day).toEqual({ day: '2026-02-03 04:05:06+00' });
  });

  it('keeps the search path that it began with, whatever the database is given later', async () => {
    const url = await freshDatabase();
    const database = await open({ url, maxConnections: 2 });
    await sql`create schema other`.execute(database.kysely);
    await sql`alter database ${sql.id(new URL(url).pathname.slice(1))} set search_path = other`.execute(
      database.kysely,
    );
    const path = () =>
      one(database, sql<{ value: string }>`select current_setting('search_path') as value from pg_sleep(0.05)`);
    expect(new Set(await Promise.all([path(), path()]))).toEqual(new Set(['"$user", public']));
    const later = await open({ url });
    expect(await one(later, sql<{ value: string }>`select current_setting('search_path') as value`)).toBe('other');
  });

  it('is read while it is read-only, and reports that it takes no writes', async () => {
    const url = await freshDatabase();
    const failures: Error[] = [];
    const database = await open({ url, onFailure: (error) => failures.push(error) });
    await database.read();
    expect(Math.abs(database.time.epochMs() - Date.now())).toBeLessThan(60_000);
    await sql`alter database ${sql.id(new URL(url).pathname.slice(1))} set default_transaction_read_only = on`.execute(
      database.kysely,
    );
    const later = await open({ url, onFailure: (error) => failures.push(error) });
    await expect(later.read()).rejects.toMatchObject({
      code: 'UNAVAILABLE',
      message: expect.stringContaining('read-only'),
    });
    await failureOf(sql`create table refused (n int)`.execute(later.kysely));
    expect(failures.map(isOutage)).toEqual([true]);
  });

  it('opens at most the connections that it may', async () => {
    const database = await open({ url: await freshDatabase(), maxConnections: 3 });
    const pids = await Promise.all(
      Array.from({ length: 20 }, async () => {
        const { rows } = await sql<{ pid: number }>`select pg_backend_pid() as pid from pg_sleep(0.01)`.execute(
          database.kysely,
        );
        return rows[0]?.pid;
      }),
    );
    expect(new Set(pids).size).toBeLessThanOrEqual(3);
  });

  it('ends a statement that takes too long, and goes on', async () => {
    const database = await open({ url: await freshDatabase(), statementTimeoutMs: 100 });
    const error = await failureOf(sql`select pg_sleep(60)`.execute(database.kysely));
    expect([error.code, classify(error)]).toEqual(['57014', 'unavailable']);
    await database.ping();
  });

  it('says so when every connection is taken for too long', async () => {
    const url = await freshDatabase();
    const [database, observer] = await Promise.all([open({ url, maxConnections: 1 }), open({ url })]);
    const slow = failureOf(sql`select pg_sleep(60)`.execute(database.kysely));
    const pid = await sleeping(observer);
    const error = await failureOf(database.ping());
    expect([error.message, classify(error)]).toEqual(['timeout exceeded when trying to connect', 'unavailable']);
    await sql`select pg_cancel_backend(${pid})`.execute(observer.kysely);
    await slow;
    await database.ping();
  });

  it('stands a connection that is killed in the middle of a query', async () => {
    const url = await freshDatabase();
    const [database, observer] = await Promise.all([open({ url, maxConnections: 1 }), open({ url })]);
    const slow = failureOf(sql`select pg_sleep(60)`.execute(database.kysely));
    await sql`select pg_terminate_backend(${await sleeping(observer)})`.execute(observer.kysely);
    const error = await slow;
    expect([error.code, classify(error)]).toEqual(['57P01', 'unavailable']);
    // The server says so first and hangs up then: a query in between can still fail.
    await waitFor(() => database.ping().then(() => true), { what: 'a new connection' });
  });

  it('stands a connection that is killed while a transaction of ours holds it idle', async () => {
    const url = await freshDatabase();
    const [database, observer] = await Promise.all([open({ url, maxConnections: 1 }), open({ url })]);
    const error = await failureOf(
      database.kysely.transaction().execute(async (transaction) => {
        await sql`set local idle_in_transaction_session_timeout = 20`.execute(transaction);
        const pid = await pidOf({ kysely: transaction });
        await waitFor(
          async () =>
            !(await one(
              observer,
              sql<{ value: number }>`select pid as value from pg_stat_activity where pid = ${pid}`,
            )),
          { what: 'the server to end the idle transaction' },
        );
        await sql`select 1`.execute(transaction);
      }),
    );
    expect(classify(error)).toBe('unavailable');
    await database.ping();
  });

  it('sorts conflicts between transactions as worth another try', async () => {
    const database = await open({ url: await freshDatabase() });
    await sql`create table counter (n int)`.execute(database.kysely);
    await sql`insert into counter values (0)`.execute(database.kysely);
    const error = await failureOf(
      database.kysely
        .transaction()
        .setIsolationLevel('repeatable read')
        .execute(async (transaction) => {
          await sql`select n from counter`.execute(transaction);
          await sql`update counter set n = n + 1`.execute(database.kysely);
          await sql`update counter set n = n + 1`.execute(transaction);
        }),
    );
    expect([error.code, classify(error)]).toEqual(['40001', 'unavailable']);
  });

  it.each([
    ['no such database', (url: URL) => (url.pathname = '/missing'), true],
    ['a wrong password', (url: URL) => (url.password = 'wrong'), true],
    ['a setting that does not exist', (url: URL) => (url.search = '?options=-c%20no.such%3D1%20-c%20nosuch%3D1'), true],
    ['a host that does not exist', (url: URL) => (url.hostname = 'nowhere.invalid'), false],
  ])('is unavailable, and does not mistake configuration for an outage: %s', async (_name, change, misconfigured) => {
    const url = new URL(await freshDatabase());
    change(url);
    const failures: Error[] = [];
    const database = await open({ url: url.href, onFailure: (failure) => failures.push(failure) });
    const error = await failureOf(database.ping());
    expect(isMisconfigured(error)).toBe(misconfigured);
    expect(failures).toContain(error);
  });

  it('is unavailable when no server listens', async () => {
    const database = await open({ url: `postgres://nobody@127.0.0.1:${await freePort()}/none` });
    const error = await failureOf(database.ping());
    expect([error.code, classify(error)]).toEqual(['ECONNREFUSED', 'unavailable']);
  });
});

describe('a PostgreSQL that goes away', () => {
  let server: PostgresServer;
  let url: string;
  beforeAll(async () => {
    server = await startPostgres({ own: true, durable: true });
    url = await server.createDatabase();
  });
  afterAll(() => server?.close());

  const cases: [string, () => Promise<void>][] = [
    ['is stopped', () => server.stop()],
    ['is killed', () => server.kill()],
    ['is restarted', () => server.restart()],
  ];

  it.each(cases)(
    '%s: queries and transactions fail as unavailable, and later ones work',
    async (_name, end) => {
      const database = await open({ url, maxConnections: 4 });
      await sql`create table if not exists written (id bigint primary key)`.execute(database.kysely);
      await sql`truncate written`.execute(database.kysely);

      const acknowledged: number[] = [];
      const failures: unknown[] = [];
      let next = 0;
      let running = true;
      const writers = Array.from({ length: 8 }, async () => {
        while (running) {
          const id = next++;
          const insert = (kysely: Database['kysely']) => sql`insert into written values (${id})`.execute(kysely);
          try {
            await (id % 2 === 0 ? insert(database.kysely) : database.kysely.transaction().execute(insert));
            acknowledged.push(id);
          } catch (error) {
            failures.push(error);
            // A refused connection fails at once: let the server come back in between.
            await new Promise((resolve) => setImmediate(resolve));
          }
        }
      });
      await waitFor(() => acknowledged.length > 50, { what: 'writes' });
      await end();
      await waitFor(() => failures.length > 0, { what: 'failures' });
      await server.start();
      const before = acknowledged.length;
      await waitFor(() => acknowledged.length > before + 50, {
        what: 'writes after the server came back',
        timeoutMs: 20_000,
      });
      running = false;
      await Promise.all(writers);

      const other = failures.filter((error) => classify(error) !== 'unavailable');
      expect(other).toEqual([]);
      const { rows } = await sql<{ id: number }>`select id from written`.execute(database.kysely);
      const kept = new Set(rows.map(({ id }) => id));
      expect(acknowledged.filter((id) => !kept.has(id))).toEqual([]);
    },
    60_000,
  );

  it('is cut off: a query in flight fails when the server has been silent for too long', async () => {
    const line = await startLine(new URL(url));
    const through = new URL(url);
    through.hostname = '127.0.0.1';
    through.port = String(line.port);
    const database = await open({ url: through.href, statementTimeoutMs: 200 });
    await database.ping();
    line.cut();
    const error = await failureOf(sql`select 1`.execute(database.kysely));
    expect([error.code, classify(error)]).toEqual(['ETIMEDOUT', 'unavailable']);
    line.mend();
    await database.ping();
    await database.close();
    await line.close();
  }, 30_000);
});

/** A line to a server that can be cut, so that bytes vanish and neither side is notified. */
async function startLine(target: URL): Promise<{ port: number; cut(): void; mend(): void; close(): Promise<void> }> {
  let whole = true;
  const sockets = new Set<Socket>();
  const forward = (from: Socket, to: Socket) => {
    sockets.add(from);
    from.on('data', (bytes) => whole && to.write(bytes));
    from.on('error', () => to.destroy());
    from.on('close', () => {
      sockets.delete(from);
      to.destroy();
    });
  };
  const server: Server = createServer((client) => {
    const upstream = connectSocket(Number(target.port), target.hostname);
    forward(client, upstream);
    forward(upstream, client);
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const address = server.address();
  return {
    port: typeof address === 'object' && address !== null ? address.port : 0,
    cut: () => (whole = false),
    mend: () => (whole = true),
    close: async () => {
      for (const socket of sockets) socket.destroy();
      server.close();
      await once(server, 'close');
    },
  };
}
