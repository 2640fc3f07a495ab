// Turns one request into a stream of server-sent events, and the stream's life into a signal.
import type { ErrorCode } from '@hypercode/contracts';
import type { StreamBatch } from '@hypercode/feed';
import type { FastifyReply, FastifyRequest } from 'fastify';
import type { ServerResponse } from 'node:http';
import type { StreamTally } from '../metrics.ts';
import { toRefusal } from '../refusals.ts';
import { untilGone } from '../until-gone.ts';
import type { FrameEncoder, FrameFormat } from './frames.ts';
import { writeStream } from './write-stream.ts';

/** How long a connection has to take what it was sent once the core drains, in milliseconds. */
const FAREWELL_MS = 2000;

export interface ServedStream {
  format: FrameFormat;
  encoder: FrameEncoder;
  /** What to send; the signal aborts when the connection is gone. */
  batches: (signal: AbortSignal) => AsyncGenerator<StreamBatch, void>;
  /** Whether a refusal before the first value is thrown, for an ordinary answer; else the stream says it, with status 200. */
  refusesByAnswer: boolean;
  /** Told of a refusal that the stream itself says. */
  onRefusal: (code: ErrorCode) => void;
  tally: StreamTally;
  /** Aborts when the core drains. */
  draining: AbortSignal;
}

/** Resolves when the stream is over. */
export async function serveStream(
  request: FastifyRequest,
  reply: FastifyReply,
  { format, encoder, batches, refusesByAnswer, onRefusal, tally, draining }: ServedStream,
): Promise<void> {
  const values = batches(untilGone(reply));
  const opened = refusesByAnswer ? startingWith(await values.next(), values) : values;
  const headers = Object.fromEntries(Object.entries(reply.getHeaders()).map(([name, value]) => [name, String(value)]));
  reply.hijack();
  const over = tally.opened();
  cutOffAfterFarewell(reply.raw, draining);
  await writeStream(reply.raw, opened, {
    format,
    encoder,
    headers,
    onSent: (batch, bytes) => tally.sent(batch, bytes),
    onRefusal: (thrown) => {
      const refusal = toRefusal(thrown);
      onRefusal(refusal.code);
      if (refusal.code === 'INTERNAL') request.log.error({ err: thrown }, 'a stream failed');
      else request.log.info({ code: refusal.code }, 'stream ended');
    },
  }).finally(over);
}

/** A connection that does not read would keep the core from ending. */
function cutOffAfterFarewell(response: ServerResponse, draining: AbortSignal): void {
  let farewell: NodeJS.Timeout | undefined;
  const begin = () => {
    farewell = setTimeout(() => response.destroy(), FAREWELL_MS);
  };
  if (draining.aborted) begin();
  else draining.addEventListener('abort', begin);
  response.on('close', () => {
    draining.removeEventListener('abort', begin);
    clearTimeout(farewell);
  });
}

async function* startingWith(
  first: IteratorResult<StreamBatch, void>,
  rest: AsyncGenerator<StreamBatch, void>,
): AsyncGenerator<StreamBatch, void> {
  if (first.done === true) return;
  try {
    yield first.value;
    yield* rest;
  } finally {
    await rest.return();
  }
}
