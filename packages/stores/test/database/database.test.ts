// The embedded database: the common suite, and what PGlite in a worker must stand.
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { cp, mkdir, mkdtemp, readdir, rm, truncate, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { monitorEventLoopDelay } from 'node:perf_hooks';
import { createInterface } from 'node:readline';
import type { Worker } from 'node:worker_threads';
import { sql } from 'kysely';
import { afterAll, afterEach, beforeAll, describe, expect, it, vi } from 'vitest';
import { type Database, openDatabase } from '../../src/database/database.ts';
import { describeIn, scopeOfRepetition } from '@hypercode/testkit';
import { databaseSuite } from '../../testing/database.ts';
import { classify } from '../../src/database/failure.ts';
import { PgliteWorkerError } from '../../src/database/pglite-stream.ts';

const databases: Database[] = [];
const children: ChildProcess[] = [];
let root: string;
let template: string;
let made = 0;

beforeAll(async () => {
  root = await mkdtemp(join(tmpdir(), 'swarm-database-'));
  template = join(root, 'template');
  const database = await openDatabase({ dataDir: template });
  await database.close();
}, 60_000);

afterEach(async () => {
  for (const child of children.splice(0)) child.kill('SIGKILL');
  await Promise.all(databases.splice(0).map((database) => database.close()));
});

afterAll(() => rm(root, { recursive: true, force: true }));

/** A data folder with an empty database, without the seconds that making one takes. */
async function newFolder(): Promise<string> {
  made += 1;
  const folder = join(root, `data-${made}`);
  await cp(template, folder, { recursive: true });
  return folder;
}

async function open(dataDir: string): Promise<Database> {
  const database = await openDatabase({ dataDir });
  databases.push(database);
  return database;
}

const ids = async (database: Database): Promise<number[]> => {
  const { rows } = await sql<{ id: number }>`select id from written order by id`.execute(database.kysely);
  return rows.map(({ id }) => id);
};

describe('PGlite', () => {
  databaseSuite(async () => openDatabase({ dataDir: await newFolder() }));

  it('does not stop the event loop while a query is slow', async () => {
    const database = await open(await newFolder());
    const delay = monitorEventLoopDelay({ resolution: 1 });
    delay.enable();
    const startedAt = performance.now();
    await sql`select count(*) from generate_series(1, 3000000)`.execute(database.kysely);
    const tookMs = performance.now() - startedAt;
    delay.disable();
    expect(tookMs).toBeGreaterThan(100);
    expect(delay.max / 1e6).toBeLessThan(tookMs / 2);
  });

  it('keeps what it was given when it is opened again', async () => {
    const folder = await newFolder();
    const first = await open(folder);
    await sql`create table written (id int primary key)`.execute(first.kysely);
    await sql`insert into written values (1)`.execute(first.kysely);
    await first.close();
    expect(await ids(await open(folder))).toEqual([1]);
  });

  it('goes on after its worker died in a query, which fails as unavailable', async () => {
    const workers: Worker[] = [];
    process.once('worker', (started: Worker) => workers.push(started));
    const database = await open(await newFolder());
    await sql`create table written (id int primary key)`.execute(database.kysely);
    await sql`insert into written values (1)`.execute(database.kysely);

    const [worker] = workers;
    if (worker === undefined) throw new Error('no worker');
    const sent = vi.spyOn(worker, 'postMessage');
    // A thread that computes can be ended at any time; one that sleeps, sometimes only when it wakes.
    const slow = sql`select count(*) from generate_series(1, 100000) a, generate_series(1, 100000) b`
      .execute(database.kysely)
      .catch((error: unknown) => error);
    const waiting = ids(database);
    // A query that is sent later goes to the next worker.
    await vi.waitFor(() => expect(sent).toHaveBeenCalled());
    await worker.terminate();
    const error = await slow;
    expect(error).toBeInstanceOf(PgliteWorkerError);
    expect(classify(error)).toBe('unavailable');
    expect(await waiting).toEqual([1]);
  });

  it('ends a transaction whose worker died, and nothing of it stays', async () => {
    const workers: Worker[] = [];
    const collect = (started: Worker) => workers.push(started);
    process.on('worker', collect);
    const database = await open(await newFolder());
    await sql`create table written (id int primary key)`.execute(database.kysely);
    const error = await database.kysely
      .transaction()
      .execute(async (transaction) => {
        await sql`insert into written values (1)`.execute(transaction);
        await workers[0]?.terminate();
        await sql`insert into written values (2)`.execute(transaction);
      })
      .catch((thrown: unknown) => thrown);
    process.off('worker', collect);
    expect(classify(error)).toBe('unavailable');
    expect(await ids(database)).toEqual([]);
  });

  it('says which folder it can not open, and leaves it as it was', async () => {
    const folder = join(root, 'foreign');
    await mkdir(join(folder, 'database'), { recursive: true });
    await writeFile(join(folder, 'database', 'notes.txt'), 'mine');
    const error = await openDatabase({ dataDir: folder }).catch((thrown: unknown) => thrown);
    expect(error).toBeInstanceOf(PgliteWorkerError);
    expect(String(error)).toContain(join(folder, 'database'));
    expect(await readdir(join(folder, 'database'))).toEqual(['notes.txt']);
  }, 60_000);

  it('fails to open damaged files instead of waiting', async () => {
    const folder = await newFolder();
    await truncate(join(folder, 'database', 'global', 'pg_control'), 10);
    await expect(openDatabase({ dataDir: folder })).rejects.toThrow(join(folder, 'database'));
  }, 60_000);

  it('makes a new database where making one was interrupted', async () => {
    const folder = join(root, 'interrupted');
    await cp(template, folder, { recursive: true });
    await rm(join(folder, 'database'), { recursive: true });
    await cp(join(template, 'database'), join(folder, 'database.new'), { recursive: true });
    await rm(join(folder, 'database.new', 'global'), { recursive: true });
    await (await open(folder)).ping();
    expect(await readdir(folder)).toEqual(['database']);
  }, 60_000);
});

// A core that is killed in the middle of its writes is tested for every change (e2e/core).
describeIn(scopeOfRepetition())('PGlite after kill -9', () => {
  /** Writes rows, 8 at a time, and prints the id of each when it is acknowledged. */
  const writer = (folder: string, firstId: number) => `
    import { sql } from ${JSON.stringify(import.meta.resolve('kysely'))};
    import { openDatabase } from ${JSON.stringify(new URL('../../src/database/database.ts', import.meta.url).href)};
    const database = await openDatabase({ dataDir: ${JSON.stringify(folder)} });
    await sql\`create table if not exists written (id int primary key, pad text)\`.execute(database.kysely);
    let next = ${firstId};
    await Promise.all(Array.from({ length: 8 }, async () => {
      for (;;) {
        const id = next++;
        await sql\`insert into written values (\${id}, repeat('x', 1000))\`.execute(database.kysely);
        process.stdout.write(id + '\\n');
      }
    }));`;

  /** Runs a writer and kills it after `count` acknowledgements. Resolves with all ids that were acknowledged. */
  async function writeAndKill(script: string, execArgv: string[], count: number): Promise<number[]> {
    const child = spawn(process.execPath, [...execArgv, '--input-type=module', '--eval', script], {
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    children.push(child);
    const acknowledged: number[] = [];
    for await (const line of createInterface(child.stdout)) {
      acknowledged.push(Number(line));
      if (acknowledged.length === count) child.kill('SIGKILL');
    }
    if (child.signalCode === null) await once(child, 'exit');
    expect(child.signalCode).toBe('SIGKILL');
    return acknowledged;
  }

  it.each([
    ['plain node', []],
    ['tsx', ['--import', import.meta.resolve('tsx')]],
  ])(
    'has every acknowledged row, again and again (%s)',
    async (_loader, execArgv) => {
      const folder = await newFolder();
      const acknowledged: number[] = [];
      for (const round of [0, 1, 2]) {
        const script = writer(folder, round * 1_000_000);
        acknowledged.push(...(await writeAndKill(script, execArgv, 150 + 37 * round)));
      }
      const kept = new Set(await ids(await open(folder)));
      expect(acknowledged.length).toBeGreaterThan(500);
      expect(acknowledged.filter((id) => !kept.has(id))).toEqual([]);
    },
    60_000,
  );
});
