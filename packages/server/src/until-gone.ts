// A call's life as a signal.
import type { FastifyReply } from 'fastify';

/** Aborts when the caller's connection is gone, or has its answer. */
export function untilGone(reply: FastifyReply): AbortSignal {
  const gone = new AbortController();
  reply.raw.on('close', () => gone.abort());
  return gone.signal;
}
