// Ports for servers that a test stops and starts again.
import { randomInt } from 'node:crypto';
import { createServer } from 'node:net';

/**
 * A TCP port that is free now, from 20000 to 29999. Not one that the system hands out by itself: while a server of
 * ours is stopped, such a port could go to an unrelated outgoing connection, even to a client that connects to itself.
 */
export async function freePort(): Promise<number> {
  for (let attempt = 0; attempt < 100; attempt++) {
    const port = randomInt(20_000, 30_000);
    if (await isFree(port)) return port;
  }
  throw new Error('No free port between 20000 and 29999');
}

function isFree(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const server = createServer();
    server.once('error', () => resolve(false));
    server.listen({ port, host: '127.0.0.1', exclusive: true }, () => server.close(() => resolve(true)));
  });
}
