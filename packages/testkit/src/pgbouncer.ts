// A private PgBouncer in front of a database of the tests.
import { writeFileSync } from 'node:fs';
import { chown, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { Client } from 'pg';
import { temporaryFolder } from './death-guard.ts';
import { installDebianPackage } from './debian-package.ts';
import { findExecutables, searchPath } from './executable.ts';
import { serverIdentity } from './postgres.ts';
import { startServerProcess } from './server-process.ts';

export interface PgbouncerOptions {
  /** How long a client keeps a session of the server: as long as it is connected, or for one transaction. */
  pooling: 'session' | 'transaction' | 'statement';
  /** Sessions of the server. Default 4. */
  poolSize?: number;
}

export interface Pgbouncer {
  /** The address of the database that it connects to. */
  readonly url: string;
  close(): Promise<void>;
}

/** Starts it from the `pgbouncer` on the PATH, or from Debian's packages. Everything else is as it comes. */
export async function startPgbouncer(databaseUrl: string, options: PgbouncerOptions): Promise<Pgbouncer> {
  const { pooling, poolSize = 4 } = options;
  const { hostname, port, username, password, pathname } = new URL(databaseUrl);
  const command = await findPgbouncer();
  const identity = await serverIdentity();
  const folder = temporaryFolder('pgbouncer');
  const configuration = join(folder.path, 'pgbouncer.ini');
  const urlAt = (at: { host: string; port: number }) => `postgres://anyone@${at.host}:${at.port}${pathname}`;
  try {
    const write = (ownPort: number) =>
      [
        '[databases]',
        `* = host=${hostname} port=${port || 5432} user=${username} password=${password}`,
        '[pgbouncer]',
        'listen_addr = 127.0.0.1',
        `listen_port = ${ownPort}`,
        'auth_type = any',
        `pool_mode = ${pooling}`,
        `default_pool_size = ${poolSize}`,
        'unix_socket_dir =',
      ].join('\n');
    await writeFile(configuration, '');
    if (identity) {
      await chown(folder.path, identity.uid, identity.gid);
      await chown(configuration, identity.uid, identity.gid);
    }
    const machine = await startServerProcess({
      command,
      args: (ownPort) => {
        writeFileSync(configuration, write(ownPort));
        return [configuration];
      },
      folder,
      ...(identity && { identity }),
      ping: async (address) => {
        const client = new Client({ connectionString: urlAt(address), connectionTimeoutMillis: 10_000 });
        client.on('error', () => undefined);
        try {
          await client.connect();
          await client.query('select 1');
        } finally {
          await client.end();
        }
      },
      stopSignal: 'SIGINT',
      deathSignal: 'KILL',
    });
    return { url: urlAt(machine.address), close: () => machine.remove() };
  } catch (error) {
    await folder.remove();
    throw error;
  }
}

async function findPgbouncer(): Promise<string> {
  // Debian keeps it where only root looks.
  const find = () =>
    findExecutables([...searchPath(), '/usr/sbin'], ['pgbouncer'], (text) => text.startsWith('PgBouncer'));
  let folder = await find();
  if (folder === undefined) {
    await installDebianPackage('pgbouncer');
    folder = await find();
  }
  if (folder === undefined) throw new Error('no pgbouncer for the tests: on Debian, apt-get install pgbouncer');
  return join(folder, 'pgbouncer');
}
