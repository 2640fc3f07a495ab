// Answers a request whose body is not read, and ends its connection: the rest of the body is neither read nor waited for.
import type { Clock } from '@hypercode/clock';
import type { FastifyReply, FastifyRequest } from 'fastify';
import { hasBody } from './bodies.ts';
import { LINGER_MS } from './end-connection.ts';

/** Most bytes of such a body that are read, and dropped, so that a small one ends and the connection is not reset. */
const MAX_DROPPED_BYTES = 4096;

/** Whether some of the body has yet to come. */
export const isUnread = (request: FastifyRequest): boolean => hasBody(request) && !request.raw.complete;

/**
 * The whole answer is sent at once; the connection ends when the body has, when its client closes it, or a second later by a reset. Until
 * then a client that still sends can read the answer.
 */
export function answerUnread(
  clock: Pick<Clock, 'schedule'>,
  reply: FastifyReply,
  { status, headers, body }: { status: number; headers: Record<string, string>; body: string },
): FastifyReply {
  const { raw: response } = reply;
  const { raw: incoming } = reply.request;
  const given = Object.entries(reply.getHeaders()).map(([name, value]) => [name, String(value)]);
  reply.hijack();
  response.writeHead(status, {
    ...Object.fromEntries(given),
    ...headers,
    'content-length': Buffer.byteLength(body),
    connection: 'close',
  });
  if (!isUnread(reply.request)) {
    response.end(body);
    return reply;
  }
  response.write(body);
  const end = (): void => void response.end();
  const cancel = clock.schedule(LINGER_MS, () => void incoming.socket.resetAndDestroy());
  response.once('close', cancel);
  let dropped = 0;
  incoming.on('data', (part: Buffer) => {
    dropped += part.length;
    if (dropped > MAX_DROPPED_BYTES) incoming.pause();
  });
  incoming.once('end', end).once('close', end).on('error', end);
  return reply;
}
