// Turns one request into a stream of server-sent events, and the stream's life into a signal.
import type { Clock } from '@hypercode/clock';
import type { StreamBatch } from '@hypercode/feed';
import type { FastifyReply, FastifyRequest } from 'fastify';
import type { ServerResponse } from 'node:http';
import type { Core } from '../context.ts';
import type { StreamTally } from '../metrics.ts';
import { toRefusal } from '../refusals.ts';
import type { IgnoredNames } from '../procedures/unknown-fields.ts';
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
  /** Whether a refusal before the first value is thrown, for an ordinary answer; otherwise it is in the stream, with status 200. */
  refusesByAnswer: boolean;
  tally: StreamTally;
  /** What the input named that is not known; null: that is refused. */
  ignoredNames: IgnoredNames | null;
  core: Core;
}

/** Resolves when the stream is over. */
export async function serveStream(
  request: FastifyRequest,
  reply: FastifyReply,
  { format, encoder, batches, refusesByAnswer, tally, ignoredNames, core }: ServedStream,
): Promise<void> {
  const values = batches(untilGone(reply));
  let opened = values;
  if (refusesByAnswer || ignoredNames !== null) {
    const first = values.next();
    await (refusesByAnswer ? first : first.catch(() => {}));
    opened = startingWith(first, values);
  }
  if (ignoredNames !== null) reply.headers(ignoredNames.headers);
  const headers = Object.fromEntries(Object.entries(reply.getHeaders()).map(([name, value]) => [name, String(value)]));
  reply.hijack();
  const closed = tally.opened();
  closeAfterFarewell(reply.raw, core);
  core.connections.keepAlive(reply.raw, format.sign);
  await writeStream(reply.raw, opened, {
    format,
    encoder,
    headers,
    onSent: (batch, bytes) => tally.sent(batch, bytes),
    onRefusal: (thrown) => {
      const refusal = toRefusal(thrown);
      core.onRefusal(refusal, { log: request.log });
      if (refusal.code !== 'INTERNAL') request.log.info({ code: refusal.code }, 'stream ended');
    },
  }).finally(closed);
}

/** A connection that does not read would keep the core from ending. */
function closeAfterFarewell(
  response: ServerResponse,
  { clock, draining }: { clock: Clock; draining: AbortSignal },
): void {
  let cancel = (): void => {};
  const begin = () => {
    cancel = clock.schedule(FAREWELL_MS, () => void response.destroy());
  };
  if (draining.aborted) begin();
  else draining.addEventListener('abort', begin);
  response.on('close', () => {
    draining.removeEventListener('abort', begin);
    cancel();
  });
}

/** A stream whose first batch was asked for already. */
export async function* startingWith(
  first: Promise<IteratorResult<StreamBatch, void>>,
  rest: AsyncGenerator<StreamBatch, void>,
): AsyncGenerator<StreamBatch, void> {
  const { done, value } = await first;
  if (done === true) return;
  try {
    yield value;
    yield* rest;
  } finally {
    await rest.return();
  }
}
