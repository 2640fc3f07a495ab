// A call's life as a signal.
import type { FastifyReply } from 'fastify';

/** Aborts when the caller's connection is gone, or has its answer; is aborted where that has happened already. */
export function untilGone({ raw }: FastifyReply): AbortSignal {
  const gone = new AbortController();
  if (raw.closed) gone.abort();
  else raw.on('close', () => gone.abort());
  return gone.signal;
}
