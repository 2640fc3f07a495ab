import { Client } from 'pg';
import { afterEach, expect, inject, test, vi } from 'vitest';
import { startPostgres, type PostgresServer } from './postgres.ts';
import { freshDatabase } from './shared-server.ts';
import { trackLeaks } from './track-leaks.ts';

const servers: PostgresServer[] = [];

async function start(options: Parameters<typeof startPostgres>[0]): Promise<PostgresServer> {
  const server = await startPostgres(options);
  servers.push(server);
  return server;
}

afterEach(async () => {
  vi.unstubAllEnvs();
  for (const server of servers.splice(0)) await server.close();
});

async function query(url: string, text: string): Promise<unknown[]> {
  const client = new Client({ connectionString: url });
  client.on('error', () => undefined);
  await client.connect();
  try {
    return (await client.query<unknown[]>({ text, rowMode: 'array' })).rows.flat();
  } finally {
    await client.end();
  }
}

test('fresh databases are empty and apart from each other', async () => {
  const [first, second] = await Promise.all([freshDatabase(), freshDatabase()]);
  await query(first, 'create table a (b int)');
  await query(second, 'create table a (b text)');
  expect(first).not.toBe(second);
  expect(await query(second, 'select count(*)::int from a')).toEqual([0]);
});

test('keeps its port and its data through stop, kill and restart', { timeout: 120_000 }, async () => {
  const leaks = trackLeaks();
  const server = await start({ own: true, durable: true });
  const url = await server.createDatabase();
  expect(server.controllable).toBe(true);
  expect(await query(url, "select current_setting('fsync'), current_setting('max_connections')")).toEqual([
    'on',
    '200',
  ]);
  await query(url, 'create table kept (n int)');
  for (const [round, end] of (['stop', 'kill', 'stop', 'kill', 'kill'] as const).entries()) {
    await query(url, `insert into kept values (${round})`);
    await server[end]();
    await server[end]();
    await expect(query(url, 'select 1')).rejects.toThrow(/ECONNREFUSED|ECONNRESET|terminated/);
    await server.start();
    await server.start();
  }
  await server.restart();
  expect(await query(url, 'select n from kept order by n')).toEqual([0, 1, 2, 3, 4]);
  await server.close();
  await server.close();
  await leaks.check();
});

test('kill takes the server while statements run', { timeout: 60_000 }, async () => {
  const server = await start({ own: true });
  const busy = Promise.all(Array.from({ length: 5 }, () => query(server.url, 'select pg_sleep(600)'))).catch(
    (error: unknown) => error,
  );
  const running = "select count(*)::int from pg_stat_activity where query = 'select pg_sleep(600)'";
  await vi.waitUntil(async () => (await query(server.url, running))[0] === 5, { timeout: 10_000 });
  await server.kill();
  expect(await busy).toBeInstanceOf(Error);
  await server.start();
  expect(await query(server.url, 'select 1')).toEqual([1]);
});

test('takes the server of TEST_DATABASE_URL, leaves it running, and drops what it created there', async () => {
  vi.stubEnv('TEST_DATABASE_URL', inject('postgresUrl'));
  const server = await start({});
  const name = new URL(await server.createDatabase()).pathname.slice(1);
  const exists = `select datname from pg_database where datname = '${name}'`;
  expect(server).toMatchObject({ controllable: false, source: 'url', url: inject('postgresUrl') });
  expect(await query(server.url, exists)).toEqual([name]);
  await expect(server.kill()).rejects.toThrow('TEST_DATABASE_URL');
  await server.close();
  expect(await query(inject('postgresUrl'), exists)).toEqual([]);
});

test('says what to install where no server can be had', async () => {
  vi.stubEnv('DOCKER_HOST', 'unix:///nowhere/docker.sock');
  await expect(startPostgres({ own: true, sources: ['url', 'docker'] })).rejects.toThrow(
    /^No PostgreSQL for the tests: set TEST_DATABASE_URL, .*apt-get install postgresql\)\. Tried: docker: no Docker engine answers$/,
  );
});

test('passes settings on', { timeout: 60_000 }, async () => {
  const server = await start({ own: true, settings: { idle_in_transaction_session_timeout: '1s' } });
  expect(await query(server.url, 'show idle_in_transaction_session_timeout')).toEqual(['1s']);
});
