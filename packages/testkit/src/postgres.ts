// A private PostgreSQL for tests.
import { execFile } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { chown, readdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { Client } from 'pg';
import { temporaryFolder } from './death-guard.ts';
import { startContainer } from './docker.ts';
import { findExecutables, searchPath } from './executable.ts';
import {
  attemptsFrom,
  controlOf,
  firstAvailable,
  SERVER_SOURCES,
  withoutControl,
  type Address,
  type Machine,
  type ServerControl,
  type ServerSource,
} from './server-machine.ts';
import { startServerProcess } from './server-process.ts';

const run = promisify(execFile);
const OLDEST_MAJOR = 15;
const IMAGE = 'postgres:17-bookworm';
const INSTALLED = '/usr/lib/postgresql';
const ADVICE =
  `No PostgreSQL for the tests: set TEST_DATABASE_URL, start a Docker engine, or install PostgreSQL ${OLDEST_MAJOR} or ` +
  'later (on Debian and Ubuntu: apt-get install postgresql).';

export interface PostgresOptions {
  /** Whether commits survive a crash of the machine (`fsync`). Default false, which is faster. */
  durable?: boolean;
  /** Never take the server given by TEST_DATABASE_URL, since this one is to be stopped. Default false. */
  own?: boolean;
  /** Where it may come from. Default: everywhere. */
  sources?: readonly ServerSource[];
  /** Further settings of the server, such as `{ idle_in_transaction_session_timeout: '1s' }`. */
  settings?: Record<string, string>;
}

export interface PostgresServer extends ServerControl {
  /** The address of its first database, as a superuser (given by TEST_DATABASE_URL: as the user named there). */
  readonly url: string;
  /** Creates an empty database and gives its address. */
  createDatabase(): Promise<string>;
}

/**
 * Finds or starts a PostgreSQL: TEST_DATABASE_URL, a Docker engine, binaries on this machine, Debian's packages, in this
 * order. Fails with one line that says what to install.
 */
export async function startPostgres(options: PostgresOptions = {}): Promise<PostgresServer> {
  const { sources = SERVER_SOURCES, own = false } = options;
  const given = process.env['TEST_DATABASE_URL'];
  if (given && !own && sources.includes('url')) return givenServer(given);

  const password = randomBytes(12).toString('hex');
  const drivers = {
    container: () => startInContainer(options, password),
    here: () => startHere(options, password),
    debianPackage: 'postgresql',
  };
  const attempts = attemptsFrom(sources, drivers, (machine, source) => privateServer(machine, source, password));
  return firstAvailable(attempts, ADVICE);
}

/** Creates an empty database on the server at `url`, named `prefix` and something unique, and gives its address. */
export async function createDatabase(url: string, prefix: string): Promise<string> {
  const name = `${prefix}${randomBytes(6).toString('hex')}`;
  await statement(url, `create database "${name}"`);
  const created = new URL(url);
  created.pathname = `/${name}`;
  return created.href;
}

/** Drops the databases whose names begin with `prefix`. */
export async function dropDatabases(url: string, prefix: string): Promise<void> {
  const names = await statement(url, 'select datname from pg_database where starts_with(datname, $1)', [prefix]);
  for (const name of names) await statement(url, `drop database if exists "${name}" with (force)`);
}

export function newDatabasePrefix(): string {
  return `swarm_test_${randomBytes(4).toString('hex')}_`;
}

/** Runs one statement on a connection of its own; gives the first column. */
async function statement(url: string, text: string, values: string[] = []): Promise<string[]> {
  const client = new Client({ connectionString: url, connectionTimeoutMillis: 10_000 });
  client.on('error', () => undefined);
  try {
    await client.connect();
    const { rows } = await client.query<string[]>({ text, values, rowMode: 'array' });
    return rows.flatMap((row) => row.slice(0, 1));
  } finally {
    await client.end();
  }
}

function givenServer(url: string): PostgresServer {
  const prefix = newDatabasePrefix();
  return {
    ...withoutControl('TEST_DATABASE_URL', () => dropDatabases(url, prefix)),
    url,
    createDatabase: () => createDatabase(url, prefix),
  };
}

function privateServer(machine: Machine, source: ServerSource, password: string): PostgresServer {
  const url = urlOf(machine.address, password);
  const prefix = newDatabasePrefix();
  return { ...controlOf(machine, source), url, createDatabase: () => createDatabase(url, prefix) };
}

function urlOf({ host, port }: Address, password: string): string {
  return `postgres://postgres:${password}@${host}:${port}/postgres`;
}

function ping(password: string): (address: Address) => Promise<void> {
  return async (address) => void (await statement(urlOf(address, password), 'select 1'));
}

function settingsOf({ durable = false, settings = {} }: PostgresOptions): string[] {
  const onOff = durable ? 'on' : 'off';
  const all = {
    max_connections: '200',
    fsync: onOff,
    synchronous_commit: onOff,
    full_page_writes: onOff,
    // Compiling a plan takes longer than the few rows of a test.
    jit: 'off',
    ...settings,
  };
  return Object.entries(all).flatMap(([name, value]) => ['-c', `${name}=${value}`]);
}

function startInContainer(options: PostgresOptions, password: string): Promise<Machine> {
  return startContainer({
    image: IMAGE,
    containerPort: 5432,
    environment: { POSTGRES_PASSWORD: password, POSTGRES_INITDB_ARGS: '--locale=C.UTF-8 --encoding=UTF8 --no-sync' },
    command: ['postgres', ...settingsOf(options)],
    ping: ping(password),
  });
}

async function startHere(options: PostgresOptions, password: string): Promise<Machine> {
  const binaries = await findExecutables(
    [...(await installedFolders()), ...searchPath()],
    ['postgres', 'initdb'],
    isServer,
  );
  if (binaries === undefined) throw new Error(`no PostgreSQL ${OLDEST_MAJOR} or later found`);
  const identity = await serverIdentity();
  const folder = temporaryFolder('postgres');
  try {
    const data = join(folder.path, 'data');
    const passwordFile = join(folder.path, 'password');
    await writeFile(passwordFile, password, { mode: 0o600 });
    if (identity) {
      await chown(folder.path, identity.uid, identity.gid);
      await chown(passwordFile, identity.uid, identity.gid);
    }
    const locale = process.platform === 'linux' ? 'C.UTF-8' : 'C';
    await run(
      join(binaries, 'initdb'),
      [
        '-D',
        data,
        '-U',
        'postgres',
        '-A',
        'password',
        '--pwfile',
        passwordFile,
        '-E',
        'UTF8',
        '--locale',
        locale,
        '-N',
      ],
      { ...identity, cwd: folder.path },
    );
    return await startServerProcess({
      command: join(binaries, 'postgres'),
      args: (port) => [
        ...['-D', data, '-p', String(port), '-c', 'listen_addresses=127.0.0.1', '-c', 'unix_socket_directories='],
        ...settingsOf(options),
      ],
      folder,
      ...(identity && { identity }),
      ping: ping(password),
      stopSignal: 'SIGINT',
      deathSignal: 'QUIT',
    });
  } catch (error) {
    await folder.remove();
    throw error;
  }
}

/** Debian's folders, the newest version first. They come before the PATH, where wrappers may stand. */
async function installedFolders(): Promise<string[]> {
  const versions = await readdir(INSTALLED).catch(() => []);
  return versions.toSorted((a, b) => Number(b) - Number(a)).map((version) => join(INSTALLED, version, 'bin'));
}

function isServer(version: string): boolean {
  const major = /^postgres \(PostgreSQL\) (\d+)/.exec(version)?.[1];
  return Number(major) >= OLDEST_MAJOR;
}

/** PostgreSQL refuses to run as root, so another user runs it then. */
export async function serverIdentity(): Promise<{ uid: number; gid: number } | undefined> {
  if (process.getuid?.() !== 0) return undefined;
  for (const user of ['postgres', 'nobody']) {
    const id = async (flag: string) => Number((await run('id', [flag, user])).stdout);
    const found = await Promise.all([id('-u'), id('-g')]).catch(() => undefined);
    if (found) return { uid: found[0], gid: found[1] };
  }
  throw new Error('PostgreSQL refuses root, and there is no user `postgres` or `nobody` to run it');
}
