// Brings a database to the schema of this release: tables by migrations, functions by their sources.
import { type Kysely, type RawBuilder, sql, type Transaction } from 'kysely';
import { type Migration, Migrator } from 'kysely/migration';
import { createHash } from 'node:crypto';

/** The functions of one component. They can be replaced: each is `create or replace function`. */
export interface FunctionSources {
  /**
   * Counts the releases that changed a function. A core never replaces the functions of a later release, so they must serve
   * the release before, too: another signature or another meaning is a function of another name.
   */
  readonly release: number;
  /** One function each, in an order in which they can be created. */
  readonly sources: readonly RawBuilder<unknown>[];
}

/** What one component keeps in the database. */
export interface SchemaSources {
  /** Such as `registry`. */
  readonly component: string;
  /** By name, which begins with a timestamp. A migration that was released is never edited. */
  readonly migrations: Readonly<Record<string, Migration>>;
  readonly functions?: FunctionSources;
}

const MIGRATIONS = 'swarm_migrations';
const FUNCTIONS = 'swarm_functions';
/** Held until the end of the transaction, so that replicas that start together do the work once. */
const LOCK_NAME = 'swarm schema';

/**
 * Runs every migration that `db` has not seen yet and installs every function that changed, in one transaction under one lock.
 * Throws the error of the first that failed; nothing is kept then. Migrations of a later release are left alone. A role that may only
 * read and write rows is enough where nothing is to be done.
 */
export async function migrate<S>(db: Kysely<S>, schemas: readonly SchemaSources[]): Promise<void> {
  await db.transaction().execute(async (transaction) => {
    await sql`select pg_advisory_xact_lock(hashtext(${LOCK_NAME}))`.execute(transaction);
    await runMigrations(transaction, Object.assign({}, ...schemas.map(({ migrations }) => migrations)));
    // `if not exists` asks for the right to make tables, also where the table is there.
    if (!(await hasTable(transaction, FUNCTIONS))) {
      await sql`create table ${sql.table(FUNCTIONS)} (
        component text primary key,
        release integer not null,
        digest text not null
      )`.execute(transaction);
    }
    for (const { component, functions } of schemas) {
      if (functions !== undefined) await installFunctions(transaction, component, functions);
    }
  });
}

async function runMigrations<S>(db: Transaction<S>, own: Record<string, Migration>): Promise<void> {
  const seen = await executedMigrations(db);
  const later = Object.fromEntries(seen.filter((name) => !(name in own)).map((name) => [name, NOTHING]));
  const migrator = new Migrator({
    db,
    provider: { getMigrations: () => Promise.resolve({ ...own, ...later }) },
    // Another swarm may have tables of the same names in another schema.
    migrationTableSchema: await currentSchema(db),
    migrationTableName: MIGRATIONS,
    migrationLockTableName: `${MIGRATIONS}_lock`,
    allowUnorderedMigrations: true,
  });
  const { error } = await migrator.migrateToLatest();
  if (error !== undefined) throw error instanceof Error ? error : new Error('the migration failed', { cause: error });
}

/** Stands for a migration of a later release, which has run already: the migrator refuses names that it does not know. */
const NOTHING: Migration = { up: () => Promise.resolve() };

/** Where tables are created: the first schema of the search path that exists. */
async function currentSchema<S>(db: Transaction<S>): Promise<string> {
  const { rows } = await sql<{ schema: string | null; path: string }>`
    select current_schema() as schema, current_setting('search_path') as path`.execute(db);
  const schema = rows[0]?.schema ?? null;
  if (schema !== null) return schema;
  throw Object.assign(
    new Error(`there is no schema for the tables: create one that the search path names (${rows[0]?.path})`),
    {
      code: '3F000',
    },
  );
}

async function executedMigrations<S>(db: Transaction<S>): Promise<string[]> {
  if (!(await hasTable(db, MIGRATIONS))) return [];
  const { rows } = await sql<{ name: string }>`select name from ${sql.table(MIGRATIONS)}`.execute(db);
  return rows.map(({ name }) => name);
}

async function hasTable<S>(db: Transaction<S>, name: string): Promise<boolean> {
  const { rows } = await sql`
    select from pg_catalog.pg_tables where schemaname = current_schema() and tablename = ${name}`.execute(db);
  return rows.length > 0;
}

async function installFunctions<S>(db: Transaction<S>, component: string, functions: FunctionSources): Promise<void> {
  const { release, sources } = functions;
  const digest = digestOf(sources.map((source) => source.compile(db).sql));
  const { rows } = await sql<{ release: number; digest: string }>`
    select release, digest from swarm_functions where component = ${component}`.execute(db);
  const [installed] = rows;
  if (installed !== undefined && (installed.release > release || installed.digest === digest)) return;
  for (const source of sources) await source.execute(db);
  await sql`
    insert into swarm_functions (component, release, digest) values (${component}, ${release}, ${digest})
    on conflict (component) do update set release = excluded.release, digest = excluded.digest`.execute(db);
}

function digestOf(texts: readonly string[]): string {
  const hash = createHash('sha256');
  for (const text of texts) hash.update(text).update('\0');
  return hash.digest('hex');
}
