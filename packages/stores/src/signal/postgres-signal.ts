// Wake-ups between replicas through PostgreSQL's LISTEN and NOTIFY.
import { createHash } from 'node:crypto';
import { Socket } from 'node:net';
import { type Clock, systemClock } from '@hypercode/clock';
import { Client } from 'pg';
import { asError, type Signal } from '@hypercode/feed';
import { pinSession, sessionAddress } from '../database/session.ts';
import { createLinkedSignal, type LinkedSignalOptions, type OpenLinkOptions, type SignalLink } from './signal-link.ts';

const CHANNEL = 'swarm';
const DEFAULT_SCHEMA = 'public';
const TIMEOUT_MS = 10_000;
const GOODBYE_MS = 500;

export interface PostgresSignalOptions extends LinkedSignalOptions {
  /** The server itself or a session pooler: LISTEN does not work through a transaction pooler. `?schema=` as for the tables. */
  connectionString: string;
}

/**
 * One dedicated connection listens and notifies. All signal channels share one PostgreSQL channel of the schema, with their name
 * in the payload, so that subscribing costs no statement.
 */
export function createPostgresSignal({ connectionString, ...options }: PostgresSignalOptions): Signal {
  const { clock = systemClock } = options;
  return createLinkedSignal((link) => openLink(connectionString, clock, link), { ...options, clock });
}

async function openLink(url: string, clock: Clock, { receive, abort }: OpenLinkOptions): Promise<SignalLink> {
  const socket = new Socket();
  const { connectionString, searchPath } = sessionAddress(url);
  const client = new Client({
    connectionString,
    fallback_application_name: 'swarm-signal',
    connectionTimeoutMillis: TIMEOUT_MS,
    query_timeout: TIMEOUT_MS,
    keepAlive: true,
    keepAliveInitialDelayMillis: TIMEOUT_MS,
    stream: () => socket,
  });
  const lost = Promise.withResolvers<Error>();
  client.on('error', lost.resolve);
  client.on('end', () => lost.resolve(new Error('The connection to PostgreSQL ended')));
  client.on('notification', ({ payload }) => receive(payload ?? ''));
  const giveUp = () => void socket.destroy();
  const close = async () => {
    const cancel = clock.schedule(GOODBYE_MS, giveUp);
    await client.end().catch(() => undefined);
    cancel();
    giveUp();
  };

  abort.addEventListener('abort', giveUp);
  let channel: string;
  try {
    abort.throwIfAborted();
    await client.connect();
    await pinSession(client, { statementTimeoutMs: TIMEOUT_MS, searchPath });
    // A notification is nothing that has to survive, so it waits for no disk.
    await client.query('set synchronous_commit = off');
    channel = channelOf(await schemaOf(client));
    await client.query(`listen "${channel}"`);
  } catch (error) {
    await close();
    throw asError(error);
  } finally {
    abort.removeEventListener('abort', giveUp);
  }
  return {
    async send(payloads) {
      await client.query('select pg_notify($1, payload) from unnest($2::text[]) as payload', [channel, payloads]);
    },
    lost: lost.promise,
    close,
  };
}

async function schemaOf(client: Client): Promise<string> {
  const { rows } = await client.query<{ schema: string | null }>('select current_schema() as schema');
  return rows[0]?.schema ?? DEFAULT_SCHEMA;
}

/** A database has one space of channels for all its schemas. Names are cut at 63 bytes, so another schema's name is hashed. */
function channelOf(schema: string): string {
  if (schema === DEFAULT_SCHEMA) return CHANNEL;
  return `${CHANNEL}_${createHash('sha256').update(schema).digest('hex').slice(0, 32)}`;
}
