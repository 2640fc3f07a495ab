// Turns one request into a stream of server-sent events, and the stream's life into a signal.
import type { WatchBatch } from '@hypercode/registry';
import type { FastifyReply, FastifyRequest } from 'fastify';
import { toRefusal } from '../refusals.ts';
import type { FrameEncoder, FrameFormat } from './frames.ts';
import { writeStream } from './write-stream.ts';

export interface ServedStream {
  format: FrameFormat;
  encoder: FrameEncoder;
  /** What to send; the signal aborts when the connection is gone. */
  batches: (signal: AbortSignal) => AsyncGenerator<WatchBatch, void>;
  /** Answers a refusal that comes before the first value; null: the stream itself says it, with status 200. */
  refuse: ((thrown: unknown) => Promise<void>) | null;
}

/** Resolves when the stream is over. */
export async function serveStream(
  request: FastifyRequest,
  reply: FastifyReply,
  { format, encoder, batches, refuse }: ServedStream,
): Promise<void> {
  const gone = new AbortController();
  reply.raw.on('close', () => gone.abort());
  const values = batches(gone.signal);
  let opened: AsyncIterable<WatchBatch> = values;
  if (refuse !== null) {
    try {
      opened = startingWith(await values.next(), values);
    } catch (error) {
      await refuse(error);
      return;
    }
  }
  const headers = Object.fromEntries(
    Object.entries(reply.getHeaders()).map(([name, value]) => [name, String(value)]),
  );
  reply.hijack();
  await writeStream(reply.raw, opened, {
    format,
    encoder,
    headers,
    onRefusal: (thrown) => {
      const refusal = toRefusal(thrown);
      if (refusal.code === 'INTERNAL') request.log.error({ err: thrown }, 'a stream broke');
      else request.log.info({ code: refusal.code }, 'stream ended');
    },
  });
}

async function* startingWith(
  first: IteratorResult<WatchBatch, void>,
  rest: AsyncGenerator<WatchBatch, void>,
): AsyncGenerator<WatchBatch, void> {
  if (first.done === true) return;
  try {
    yield first.value;
    yield* rest;
  } finally {
    await rest.return();
  }
}
