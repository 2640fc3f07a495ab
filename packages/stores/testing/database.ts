// What every database behind `openDatabase` does alike, as tests: run on PGlite and on PostgreSQL.
import { sql } from 'kysely';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { DatabaseClosedError } from '../src/database/connection-gate.ts';
import type { Database } from '../src/database/database.ts';
import { classify } from '../src/database/failure.ts';

const failureOf = async (query: Promise<unknown>): Promise<Error & Record<string, unknown>> => {
  try {
    await query;
  } catch (error) {
    return error as Error & Record<string, unknown>;
  }
  throw new Error('expected the query to fail');
};

/** `open` is called for a new, empty database each time. */
export function databaseSuite(open: () => Promise<Database>): void {
  describe('values', () => {
    let database: Database;
    beforeAll(async () => {
      database = await open();
    }, 60_000);
    afterAll(() => database.close());

    const select = async (expression: ReturnType<typeof sql>): Promise<unknown> => {
      const { rows } = await sql<{ value: unknown }>`select ${expression} as value`.execute(database.kysely);
      return rows[0]?.value;
    };

    it('answers a ping', async () => {
      await expect(database.ping()).resolves.toBeUndefined();
    });

    it('reads bigint as a number, alone and in arrays', async () => {
      expect(await select(sql`5000000000::bigint`)).toBe(5_000_000_000);
      expect(await select(sql`(select count(*) from generate_series(1, 3))`)).toBe(3);
      expect(await select(sql`array[1, null, -9007199254740991]::bigint[]`)).toEqual([1, null, -9007199254740991]);
      expect(await select(sql`array[[1, 2], [3, 4]]::bigint[]`)).toEqual([
        [1, 2],
        [3, 4],
      ]);
    });

    it('refuses a bigint that a number cannot hold, and goes on', async () => {
      expect(await failureOf(select(sql`9007199254740993::bigint`))).toBeInstanceOf(RangeError);
      expect(await failureOf(select(sql`array[9007199254740993]::bigint[]`))).toBeInstanceOf(RangeError);
      expect(await select(sql`1`)).toBe(1);
    });

    it('reads times as dates, exact to the millisecond and independent of the time zone', async () => {
      const at = new Date('2026-03-29T01:30:00.123Z');
      expect(await select(sql`${at}::timestamptz`)).toEqual(at);
      expect(await select(sql`'2026-03-29T03:30:00.123+02'::timestamptz`)).toEqual(at);
      expect(await select(sql`null::timestamptz`)).toBeNull();
    });

    it('reads and writes json, bytes, arrays, uuids and numerics', async () => {
      const document = { text: 'snow ☃ 🐝 \\ "', list: [1, null, { deep: true }], big: 2 ** 52 };
      expect(await select(sql`${JSON.stringify(document)}::jsonb`)).toEqual(document);
      expect(await select(sql`${document}::jsonb`)).toEqual(document);
      expect(await select(sql`${Buffer.from([0, 1, 255])}::bytea`)).toEqual(Buffer.from([0, 1, 255]));
      expect(await select(sql`${['a', 'b"c', null]}::text[]`)).toEqual(['a', 'b"c', null]);
      expect(await select(sql`'6f1e9a40-0b6c-4f0e-8f57-8a1b9d1c2e3f'::uuid`)).toBe(
        '6f1e9a40-0b6c-4f0e-8f57-8a1b9d1c2e3f',
      );
      expect(await select(sql`1.50::numeric`)).toBe('1.50');
      expect(await select(sql`true`)).toBe(true);
    });

    it('carries parameters and answers of several megabytes', async () => {
      const text = 'x'.repeat(5_000_000);
      expect(await select(sql`${text}::text`)).toBe(text);
      const { rows } = await sql`select i, repeat('y', 500) as pad from generate_series(1, 10000) i`.execute(
        database.kysely,
      );
      expect(rows).toHaveLength(10_000);
    });

    it('reports the number of rows that a statement changed', async () => {
      await sql`create table counted (id int primary key)`.execute(database.kysely);
      const inserted = await sql`insert into counted select generate_series(1, 7)`.execute(database.kysely);
      expect(inserted.numAffectedRows).toBe(7n);
      const read = await sql`select * from counted`.execute(database.kysely);
      expect(read.numAffectedRows).toBeUndefined();
    });
  });

  describe('errors', () => {
    let database: Database;
    beforeAll(async () => {
      database = await open();
      await sql`create table unique_rows (id int primary key, name varchar(3))`.execute(database.kysely);
    }, 60_000);
    afterAll(() => database.close());

    it.each([
      ['a duplicate', sql`insert into unique_rows (id) values (1), (1)`, '23505', 'data'],
      ['a missing value', sql`insert into unique_rows (id) values (null)`, '23502', 'data'],
      ['a value that is too long', sql`insert into unique_rows values (2, 'long')`, '22001', 'data'],
      ['NUL in jsonb', sql`select '"\\u0000"'::jsonb`, '22P05', 'data'],
      ['NUL in text', sql`select ${'a\0b'}::text`, '22021', 'data'],
      ['text that is no number', sql`select ${'one'}::int`, '22P02', 'data'],
      ['two rows where one belongs', sql`select (select 1 union select 2)`, '21000', 'data'],
      ['a table that is missing', sql`select * from nowhere`, '42P01', 'other'],
      ['bad syntax', sql`selec 1`, '42601', 'other'],
    ])('%s', async (_name, query, code, kind) => {
      const error = await failureOf(query.execute(database.kysely));
      expect(error).toMatchObject({ code, message: expect.any(String) });
      expect(classify(error)).toBe(kind);
      await database.ping();
    });

    it('say which key was there already', async () => {
      await sql`insert into unique_rows (id) values (41)`.execute(database.kysely);
      const error = await failureOf(sql`insert into unique_rows (id) values (41)`.execute(database.kysely));
      expect(error).toMatchObject({
        detail: 'Key (id)=(41) already exists.',
        constraint: 'unique_rows_pkey',
        table: 'unique_rows',
      });
    });
  });

  describe('transactions', () => {
    let database: Database;
    beforeAll(async () => {
      database = await open();
      await sql`create table numbers (n int primary key)`.execute(database.kysely);
      await sql`insert into numbers values (0)`.execute(database.kysely);
    }, 60_000);
    afterAll(() => database.close());

    it('keep statements from outside out, and roll back together', async () => {
      const entered = Promise.withResolvers<void>();
      const leave = Promise.withResolvers<void>();
      const rolledBack = failureOf(
        database.kysely.transaction().execute(async (transaction) => {
          await sql`insert into numbers values (100)`.execute(transaction);
          entered.resolve();
          await leave.promise;
          throw new Error('changed my mind');
        }),
      );
      await entered.promise;
      const outside = sql`insert into numbers values (200)`.execute(database.kysely);
      leave.resolve();
      expect((await rolledBack).message).toBe('changed my mind');
      await outside;
      const { rows } = await sql`select n from numbers where n >= 100 order by n`.execute(database.kysely);
      expect(rows).toEqual([{ n: 200 }]);
    });

    it('take their isolation level and access mode', async () => {
      const settings = await database.kysely
        .transaction()
        .setIsolationLevel('repeatable read')
        .setAccessMode('read only')
        .execute(async (transaction) => {
          const { rows } = await sql`
            select current_setting('transaction_isolation') as isolation, current_setting('transaction_read_only') as read_only
          `.execute(transaction);
          return rows;
        });
      expect(settings).toEqual([{ isolation: 'repeatable read', read_only: 'on' }]);
    });

    it('are not committed when a statement of theirs failed', async () => {
      const error = await failureOf(
        database.kysely.transaction().execute(async (transaction) => {
          await sql`insert into numbers values (400)`.execute(transaction);
          await failureOf(sql`insert into numbers values (0)`.execute(transaction));
        }),
      );
      expect(error.message).toBe('Transaction was rolled back instead of committed');
      const { rows } = await sql`select n from numbers where n = 400`.execute(database.kysely);
      expect(rows).toEqual([]);
    });

    it('run many at a time without mixing', async () => {
      await Promise.all(
        Array.from({ length: 50 }, (_, i) =>
          database.kysely.transaction().execute(async (transaction) => {
            await sql`insert into numbers values (${1_000 + i})`.execute(transaction);
            if (i % 2 === 1) throw new Error('odd');
          }),
        ).map((run) => run.catch(() => {})),
      );
      const { rows } = await sql<{ count: number }>`select count(*) from numbers where n >= 1000`.execute(
        database.kysely,
      );
      expect(rows).toEqual([{ count: 25 }]);
    });
  });

  describe('close', () => {
    it('lets queries under way finish, also those that wait for a connection, and refuses later ones', async () => {
      const database = await open();
      await sql`create table finished (n int)`.execute(database.kysely);
      const queries = Array.from({ length: 30 }, (_, n) =>
        sql`insert into finished select ${n}::int from pg_sleep(0.01)`.execute(database.kysely),
      );
      const closing = database.close();
      expect(database.close()).toBe(closing);
      const late = await failureOf(database.ping());
      expect(late).toBeInstanceOf(DatabaseClosedError);
      expect(classify(late)).toBe('unavailable');
      expect((await Promise.allSettled(queries)).map(({ status }) => status)).toEqual(queries.map(() => 'fulfilled'));
      await closing;
    }, 60_000);

    it('leaves nothing behind', async () => {
      const resources = () =>
        process
          .getActiveResourcesInfo()
          .filter((type) => type !== 'Timeout')
          .toSorted();
      const before = resources();
      const database = await open();
      await Promise.all(Array.from({ length: 5 }, () => database.ping()));
      await database.close();
      // A handle that was closed is reported until the next turn of the loop.
      await vi.waitFor(() => expect(resources()).toEqual(before));
    }, 60_000);

    it('needs no query before it', async () => {
      const database = await open();
      await database.close();
      await expect(database.close()).resolves.toBeUndefined();
    }, 60_000);
  });
}
