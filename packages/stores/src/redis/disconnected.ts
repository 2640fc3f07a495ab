// The end of a connection to Redis, whatever state it is in.
import { type Clock, sleep } from '@hypercode/clock';
import type { Cluster, Redis } from 'ioredis';

/** How long a connection may take to say goodbye before it is cut, in milliseconds. */
export const GOODBYE_MS = 200;

/** Disconnects. Resolves when the connection has ended, or after twice the time that it may take. */
export async function disconnected(client: Redis | Cluster, clock: Clock): Promise<void> {
  if (client.status === 'end') return;
  const ended = new Promise((resolve) => client.once('end', resolve));
  client.disconnect();
  const over = new AbortController();
  await Promise.race([ended, sleep(clock, 2 * GOODBYE_MS, over.signal)]);
  over.abort();
}
