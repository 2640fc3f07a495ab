// The embedded database, which has no server's background processes, under the work that stands in for them.
import { HeldClock } from '@hypercode/clock/testing';
import { mkdtemp, readdir, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { sql } from 'kysely';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { type Database, openDatabase } from '../../src/database/database.ts';

const MB = 1024 * 1024;
const WAL_SEGMENT = 16 * MB;

let folder: string;
let database: Database;
const clock = new HeldClock();
const errors: unknown[] = [];

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'swarm-upkeep-'));
  database = await openDatabase({ dataDir: folder, clock, onError: (error) => errors.push(error) });
  await run('create table kept (id int primary key, payload text)');
  // Not compressed, so that it takes the bytes that it has.
  await run('alter table kept alter payload set storage external');
}, 60_000);
afterAll(async () => {
  await database?.close();
  await rm(folder, { recursive: true, force: true });
});

const run = (text: string) => sql.raw(text).execute(database.kysely);

async function number(text: string): Promise<number> {
  const { rows } = await sql<{ n: number }>`${sql.raw(text)}`.execute(database.kysely);
  return rows[0]?.n ?? NaN;
}

const walBytes = () =>
  number('select (pg_current_wal_insert_lsn() - redo_lsn)::float8 as n from pg_control_checkpoint()');
const walFolder = async () => {
  const files = await readdir(join(folder, 'database', 'pg_wal'));
  return files.filter((name) => /^[0-9A-F]{24}$/.test(name)).length * WAL_SEGMENT;
};
const tableBytes = () => number(`select pg_total_relation_size('kept')::float8 as n`);
/** What a busy core writes in a second or two: 20 MB of rows that take the place of others. */
async function replaceRows(): Promise<void> {
  await run('delete from kept');
  await run(`insert into kept select i, repeat(md5(i::text), 160) from generate_series(1, 4000) i`);
}

it('keeps the files of a database small whose rows are replaced all the time', async () => {
  for (let round = 0; round < 6; round += 1) {
    await replaceRows();
    await clock.advanceThrough(2_000);
  }
  expect(errors).toEqual([]);
  expect(await walBytes()).toBeLessThan(64 * MB);
  expect(await walFolder()).toBeLessThanOrEqual(96 * MB);
  expect(await tableBytes()).toBeLessThan(64 * MB);
  await run('delete from kept');
  await clock.advanceThrough(5_000);
  expect(await tableBytes()).toBeLessThan(4 * MB);
  expect(await number(`select reltuples::float8 as n from pg_class where relname = 'kept'`)).toBe(0);
});

it('vacuums tables of any name', async () => {
  await replaceRows();
  await run('delete from kept');
  await run('alter table kept rename to "with space"');
  await clock.advanceThrough(5_000);
  expect(errors).toEqual([]);
  expect(await number(`select pg_total_relation_size('"with space"')::float8 as n`)).toBeLessThan(4 * MB);
});
