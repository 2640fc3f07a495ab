// A pool of connections to a PostgreSQL server.
import { Socket } from 'node:net';
import { Kysely, PostgresDialect } from 'kysely';
import { type ClientBase, Pool, type PoolConfig } from 'pg';
import { columnTypes } from './column-types.ts';
import { ConnectionGate } from './connection-gate.ts';
import type { PostgresOptions } from './database.ts';
import { pinSession, sessionAddress } from './session.ts';

/** How long a connection may take until the server has taken it, in milliseconds. */
export const CONNECT_TIMEOUT_MS = 2_000;
const STATEMENT_TIMEOUT_MS = 10_000;
const IDLE_CONNECTION_MS = 10_000;
const SILENCE_BEYOND_STATEMENT_MS = 5_000;

/** The pool waits for it before it lends a new connection, which its types leave out. */
interface SessionHook {
  onConnect: (client: ClientBase) => Promise<void>;
}

export function openPostgres<Tables>({
  url,
  maxConnections = 10,
  statementTimeoutMs = STATEMENT_TIMEOUT_MS,
  onFailure,
}: PostgresOptions) {
  const address = sessionAddress(url);
  // That of the role counts once: all connections see the same tables, whatever the role is given meanwhile.
  let { searchPath } = address;
  const config: Omit<PoolConfig, 'onConnect'> & SessionHook = {
    connectionString: address.connectionString,
    max: maxConnections,
    application_name: 'hypercode-swarm',
    connectionTimeoutMillis: CONNECT_TIMEOUT_MS,
    idleTimeoutMillis: IDLE_CONNECTION_MS,
    keepAlive: true,
    keepAliveInitialDelayMillis: IDLE_CONNECTION_MS,
    types: columnTypes(),
    onConnect: async (client) => {
      searchPath = await pinSession(client, { statementTimeoutMs, searchPath });
    },
    ...(statementTimeoutMs === 0
      ? {}
      : { stream: () => hangUpOnSilence(statementTimeoutMs + SILENCE_BEYOND_STATEMENT_MS) }),
  };
  const gate = new ConnectionGate(new Pool(config), { onFailure });
  return {
    kysely: new Kysely<Tables>({ dialect: new PostgresDialect({ pool: gate }) }),
    dialect: 'postgres' as const,
    close: () => gate.end(),
  };
}
/**
 * A socket that ends itself after `silenceMs` without a byte either way. The server ends every statement in time, so
 * such a silence means that it is stopped or cut off, which TCP alone would notice after a quarter of an hour.
 */
function hangUpOnSilence(silenceMs: number): Socket {
  const socket = new Socket();
  socket.setTimeout(silenceMs, () => {
    socket.destroy(
      Object.assign(new Error(`the database server sent nothing for ${silenceMs} ms`), { code: 'ETIMEDOUT' }),
    );
  });
  return socket;
}
