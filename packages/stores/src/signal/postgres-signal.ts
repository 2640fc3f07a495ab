// Wake-ups between replicas through PostgreSQL's LISTEN and NOTIFY.
import { Socket } from 'node:net';
import { type Clock, systemClock } from '@hypercode/clock';
import { Client } from 'pg';
import { asError, type Signal } from '@hypercode/feed';
import { createLinkedSignal, type LinkedSignalOptions, type OpenLinkOptions, type SignalLink } from './signal-link.ts';

const TIMEOUT_MS = 10_000;
const GOODBYE_MS = 500;

export interface PostgresSignalOptions extends LinkedSignalOptions {
  /** The server itself or a session pooler: LISTEN does not work through a transaction pooler. */
  connectionString: string;
}

/**
 * One dedicated connection listens and notifies. All signal channels share the PostgreSQL channel `swarm` of the
 * connection's database, with their name in the payload, so that subscribing costs no statement.
 */
export function createPostgresSignal({ connectionString, ...options }: PostgresSignalOptions): Signal {
  const { clock = systemClock } = options;
  return createLinkedSignal((link) => openLink(connectionString, clock, link), { ...options, clock });
}

async function openLink(
  connectionString: string,
  clock: Clock,
  { receive, abort }: OpenLinkOptions,
): Promise<SignalLink> {
  const socket = new Socket();
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
  try {
    abort.throwIfAborted();
    await client.connect();
    // A notification is nothing that has to survive, so it waits for no disk.
    await client.query('set synchronous_commit = off');
    await client.query('listen swarm');
  } catch (error) {
    await close();
    throw asError(error);
  } finally {
    abort.removeEventListener('abort', giveUp);
  }
  return {
    async send(payloads) {
      await client.query('select pg_notify($1, payload) from unnest($2::text[]) as payload', ['swarm', payloads]);
    },
    lost: lost.promise,
    close,
  };
}
