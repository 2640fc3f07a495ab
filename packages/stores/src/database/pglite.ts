// The embedded database: PGlite in a worker thread, spoken to by the PostgreSQL driver over PostgreSQL's own protocol.
import { existsSync } from 'node:fs';
import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { Kysely, PostgresDialect } from 'kysely';
import { Pool } from 'pg';
import { columnTypes } from './column-types.ts';
import { ConnectionGate } from './connection-gate.ts';
import type { PgliteOptions } from './database.ts';
import { createPglite, packPglite, PgliteStream } from './pglite-stream.ts';

/** PGlite cannot interrupt a statement, so this is how long a caller waits for a slow one. */
const WAIT_FOR_TURN_MS = 30_000;

/**
 * The driver's side is the same as for a server, with a worker in place of the socket: values are parsed, errors are
 * read and transactions are run by the same code. PGlite is one connection, so the pool holds one, and callers
 * take turns. A worker that dies takes its query with it; the next query starts a new one, which recovers from the log.
 */
export async function openPglite<Tables>(options: PgliteOptions) {
  const files = 'image' in options ? { image: options.image } : { folder: await databaseIn(options.dataDir) };
  let previous: PgliteStream | undefined;
  const gate = new ConnectionGate(
    new Pool({
      max: 1,
      idleTimeoutMillis: 0,
      connectionTimeoutMillis: WAIT_FOR_TURN_MS,
      // Everything that the driver would otherwise take from PG* variables of the environment.
      host: 'localhost',
      port: 5432,
      user: 'postgres',
      password: '',
      database: 'postgres',
      ssl: false,
      types: columnTypes(),
      stream: () => {
        previous = new PgliteStream(files, previous?.workerGone);
        return previous;
      },
    }),
  );
  const first = await gate.connect();
  first.release();
  return {
    kysely: new Kysely<Tables>({ dialect: new PostgresDialect({ pool: gate }) }),
    dialect: 'pglite' as const,
    close: () => gate.end(),
  };
}

/**
 * Writes the database in the data folder `dataDir`, which no process uses, to the file `image`, so that others can begin as a copy
 * of it in memory.
 */
export const packDatabase = (dataDir: string, image: string): Promise<void> => packPglite(join(dataDir, FOLDER), image);

const FOLDER = 'database';

/** The folder of the database's files, which are made if need be. */
async function databaseIn(dataDir: string): Promise<string> {
  const folder = join(dataDir, FOLDER);
  await mkdir(dataDir, { recursive: true, mode: 0o700 });
  if (!existsSync(join(folder, 'PG_VERSION'))) await createPglite(folder);
  return folder;
}
