// Data folders with an embedded database in them. Making its files takes seconds, so each kind is made once and copied.
import { createHash, randomUUID } from 'node:crypto';
import { existsSync, globSync, readFileSync } from 'node:fs';
import { cp, mkdir, rename, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { PGlite } from '@electric-sql/pglite';
import { type TemporaryFolder, temporaryFolder } from './death-guard.ts';

const WORKSPACE = fileURLToPath(new URL('../../../', import.meta.url));
const CACHE = join(WORKSPACE, 'node_modules/.cache/hypercode');
/** What decides how a migrated database looks. */
const SCHEMA_SOURCES = 'packages/*/src/**/{migrations,functions}/*.{ts,sql}';
/** Where packages/stores keeps its files in a data folder. */
const DATABASE = 'database';

/** What a folder's database holds beyond an empty one. */
export interface FolderTemplate {
  /** Names this kind, such as `registry`. */
  readonly name: string;
  /** Migrates the database in the data folder `path`, and closes it. Runs once for each state of the migrations. */
  readonly prepare: (path: string) => Promise<void>;
}

/**
 * A new folder under the system's temporary folder, removed at the latest when this process ends, with the files of an
 * embedded database: what `template` makes of an empty one; without a template, an empty one.
 */
export async function embeddedFolder(purpose: string, template?: FolderTemplate): Promise<TemporaryFolder> {
  const source = template === undefined ? await emptyDatabase() : await migratedDatabase(template);
  const folder = temporaryFolder(purpose);
  try {
    await cp(source, join(folder.path, DATABASE), { recursive: true });
  } catch (error) {
    await folder.remove();
    throw error;
  }
  return folder;
}

/** Other versions of PGlite have other files. */
const pgliteKey = (): string => digest([import.meta.resolve('@electric-sql/pglite')]);

const emptyDatabase = (): Promise<string> =>
  cached(`pglite-${pgliteKey()}`, async (unfinished) => {
    const pglite = await PGlite.create({ dataDir: unfinished });
    await pglite.close();
  });

const migratedDatabase = ({ name, prepare }: FolderTemplate): Promise<string> =>
  cached(`${name}-${pgliteKey()}-${schemaKey()}`, async (unfinished) => {
    const folder = temporaryFolder('template');
    try {
      const database = join(folder.path, DATABASE);
      await cp(await emptyDatabase(), database, { recursive: true });
      await prepare(folder.path);
      await cp(database, unfinished, { recursive: true });
    } finally {
      await folder.remove();
    }
  });

function schemaKey(): string {
  const files = globSync(SCHEMA_SOURCES, { cwd: WORKSPACE }).toSorted();
  return digest(files.flatMap((file) => [file, readFileSync(join(WORKSPACE, file), 'utf8')]));
}

function digest(parts: readonly string[]): string {
  const hash = createHash('sha256');
  for (const part of parts) hash.update(part).update('\0');
  return hash.digest('hex').slice(0, 16);
}

/** The folder `name` of the cache, which `make` fills when it is not there. */
async function cached(name: string, make: (unfinished: string) => Promise<void>): Promise<string> {
  const folder = join(CACHE, name);
  if (existsSync(folder)) return folder;
  await mkdir(CACHE, { recursive: true });
  const unfinished = `${folder}.${randomUUID()}`;
  try {
    await make(unfinished);
    await rename(unfinished, folder);
  } catch (error) {
    await rm(unfinished, { recursive: true, force: true });
    // Another process may have been faster.
    if (!existsSync(folder)) throw error;
  }
  return folder;
}
