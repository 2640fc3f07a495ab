// Recognises a pooler that shares one session of PostgreSQL among its clients, before anything is set there.
import { randomUUID } from 'node:crypto';
import { type Clock, sleep } from '@hypercode/clock';
import { Client } from 'pg';
import { CONNECT_TIMEOUT_MS } from './postgres.ts';
import { sessionAddress } from './session.ts';

const QUERY_TIMEOUT_MS = 5_000;
/** How long a notification may take through a pooler, in milliseconds. */
const ARRIVAL_MS = 2_000;

/** The address leads to a pooler that keeps no session for a client. */
export class SharedSessionError extends Error {
  override readonly name = 'SharedSessionError';

  constructor() {
    super(
      'the address leads to a pooler that shares sessions among its clients (transaction pooling), where LISTEN does not work ' +
        'and settings leak: use the address of the server, or of a pooler with session pooling',
    );
  }
}

/**
 * Rejects with SharedSessionError when `url` leads to a pooler with transaction pooling. It sets nothing there:
 *
 * - A server names the same process in the handshake and in `pg_backend_pid()`. Then there is no pooler, and all is well.
 * - Otherwise two idle clients that were served by the same process share it.
 * - Otherwise a notification must reach a client that is idle.
 */
export async function refuseSharedSessions(url: string, clock: Clock): Promise<void> {
  const clients = [openClient(url), openClient(url)] as const;
  try {
    const [first, second] = clients;
    await first.connect();
    const pid = await backendPid(first);
    if (pid === (first as Client & { readonly processID?: number | null }).processID) return;
    await second.connect();
    const isShared = (await backendPid(second)) === pid || (await backendPid(first)) !== pid;
    if (isShared || !(await receives(first, second, clock))) throw new SharedSessionError();
  } catch (error) {
    // PgBouncer, for the transaction.
    if (error instanceof Error && /statement pooling/.test(error.message)) throw new SharedSessionError();
    throw error;
  } finally {
    await Promise.all(clients.map((client) => client.end().catch(() => undefined)));
  }
}

function openClient(url: string): Client {
  const { connectionString } = sessionAddress(url);
  const client = new Client({
    connectionString,
    fallback_application_name: 'hypercode-swarm',
    connectionTimeoutMillis: CONNECT_TIMEOUT_MS,
    query_timeout: QUERY_TIMEOUT_MS,
  });
  // The query that is under way rejects with it.
  client.on('error', () => undefined);
  return client;
}

/** In a transaction: a pooler for single statements refuses it. */
async function backendPid(client: Client): Promise<number | undefined> {
  await client.query('begin');
  const { rows } = await client.query<{ pid: number }>('select pg_backend_pid() as pid');
  await client.query('commit');
  return rows[0]?.pid;
}

async function receives(listener: Client, notifier: Client, clock: Clock): Promise<boolean> {
  const channel = `swarm_${randomUUID()}`;
  const arrived = new AbortController();
  listener.on('notification', () => arrived.abort());
  await listener.query(`listen "${channel}"`);
  await notifier.query('select pg_notify($1, $2)', [channel, '']);
  await sleep(clock, ARRIVAL_MS, arrived.signal);
  await listener.query(`unlisten "${channel}"`);
  return arrived.signal.aborted;
}
