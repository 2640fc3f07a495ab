// Bringing a database to the schema of a release, while cores of other releases use it.
import { randomUUID } from 'node:crypto';
import { freshDatabase } from '@hypercode/testkit';
import { sql } from 'kysely';
import type { Migration } from 'kysely/migration';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { type Database, openDatabase } from '../../src/database/database.ts';
import { isMisconfigured } from '../../src/database/failure.ts';
import { migrate, type SchemaSources } from '../../src/database/migrate.ts';

let url: string;
let databases: Database[];

beforeEach(async () => {
  url = await freshDatabase();
  databases = await Promise.all([openDatabase({ url }), openDatabase({ url })]);
});
afterEach(() => Promise.all(databases.map((database) => database.close())));

const db = () => (databases[0] as Database).kysely;

const table = (name: string): Migration => ({
  up: async (schema) => void (await sql`create table ${sql.table(name)} (x integer)`.execute(schema)),
});

const answering = (given: number, release: number): SchemaSources => ({
  component: 'answers',
  migrations: { '1-t': table('t') },
  functions: {
    release,
    sources: [sql`create or replace function answer() returns integer language sql as ${sql.lit(`select ${given}`)}`],
  },
});

async function answer(): Promise<number | undefined> {
  const { rows } = await sql<{ answer: number }>`select answer()`.execute(db());
  return rows[0]?.answer;
}

test('replicas that start together bring the schema up once', async () => {
  const starts = databases.flatMap(({ kysely }) => [kysely, kysely, kysely]);
  await Promise.all(starts.map((kysely) => migrate(kysely, [answering(1, 1)])));
  expect(await answer()).toBe(1);
});

test('a function that changed is replaced', async () => {
  await migrate(db(), [answering(1, 1)]);
  await migrate(db(), [answering(2, 1)]);
  expect(await answer()).toBe(2);
  await migrate(db(), [answering(3, 2)]);
  expect(await answer()).toBe(3);
});

test('an older release never replaces a newer function', async () => {
  await migrate(db(), [answering(2, 2)]);
  await migrate(db(), [answering(1, 1)]);
  expect(await answer()).toBe(2);
});

test('a release starts on a database that a later one has migrated', async () => {
  const later = { ...answering(2, 2), migrations: { '1-t': table('t'), '2-u': table('u') } };
  await migrate(db(), [later]);
  await migrate(db(), [answering(1, 1)]);
  await migrate(db(), [later]);
  await expect(sql`select from u`.execute(db())).resolves.toBeDefined();
});

test('a role that may only read and write rows starts on a schema that another one has made', async () => {
  await migrate(db(), [answering(1, 1)]);
  const role = `app_${randomUUID().replaceAll('-', '')}`;
  await sql`create role ${sql.id(role)} login password ${sql.lit(role)}`.execute(db());
  await sql`grant usage on schema public to ${sql.id(role)}`.execute(db());
  await sql`grant select, insert, update, delete on all tables in schema public to ${sql.id(role)}`.execute(db());
  const address = new URL(url);
  [address.username, address.password] = [role, role];
  const restricted = await openDatabase({ url: address.href });
  databases.push(restricted);
  await migrate(restricted.kysely, [answering(1, 1)]);
  await expect(migrate(restricted.kysely, [answering(2, 2)])).rejects.toMatchObject({ code: '42501' });
  expect(await answer()).toBe(1);
});

test('nothing is kept of a start that failed', async () => {
  const broken: SchemaSources = {
    component: 'broken',
    migrations: { '1-v': table('v') },
    functions: { release: 1, sources: [sql`create or replace function broken() returns nothing at all`] },
  };
  await expect(migrate(db(), [answering(1, 1), broken])).rejects.toThrow('syntax error');
  await expect(answer()).rejects.toThrow('answer() does not exist');
  await expect(sql`select from v`.execute(db())).rejects.toThrow('"v" does not exist');
});

test('two schemas of one database have tables of their own', async () => {
  await sql`create schema blue`.execute(db());
  await sql`create schema "Green"`.execute(db());
  const blue = await openDatabase({ url: `${url}?options=${encodeURIComponent('-c search_path=blue')}` });
  const green = await openDatabase({ url: `${url}?schema=Green` });
  databases.push(blue, green);
  const answers = [];
  for (const [index, { kysely }] of [databases[0] as Database, blue, green].entries()) {
    await migrate(kysely, [answering(index, 1)]);
    // Again, as with the next start.
    await migrate(kysely, [answering(index, 1)]);
    await sql`insert into t values (${index})`.execute(kysely);
  }
  for (const { kysely } of [databases[0] as Database, blue, green]) {
    answers.push((await sql`select answer(), x from t`.execute(kysely)).rows);
  }
  expect(answers).toEqual([[{ answer: 0, x: 0 }], [{ answer: 1, x: 1 }], [{ answer: 2, x: 2 }]]);
});

test('a schema that does not exist is named', async () => {
  const database = await openDatabase({ url: `${url}?schema=nowhere` });
  databases.push(database);
  const failure = migrate(database.kysely, [answering(1, 1)]);
  await expect(failure).rejects.toThrow('"nowhere"');
  await expect(failure).rejects.toSatisfy(isMisconfigured);
});
