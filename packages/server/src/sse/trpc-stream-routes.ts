// The router's subscriptions over SSE, in tRPC's wire format but with frames that all subscribers share.
import { invalidField, invalidInput } from '@hypercode/contracts';
import type { StreamBatch, StreamItem } from '@hypercode/feed';
import type { FastifyInstance, FastifyRequest } from 'fastify';
import type { z } from 'zod';
import { type Core, createCallContext } from '../context.ts';
import { consumeStream, subscribeStream } from '../streams/bus-streams.ts';
import type { StreamKind } from '../streams/stream-kind.ts';
import { watchStream } from '../streams/watch-stream.ts';
import { trpcEncoder, trpcFrames } from './frames.ts';
import { serveStream } from './serve-stream.ts';

interface SubscriptionQuery {
  input?: string;
  connectionParams?: string;
  lastEventId?: string;
}

/**
 * Stands before tRPC's own handler, which would encode every value once for each subscriber. A refusal is a 200 with
 * a `serialized-error` event: an EventSource shows nothing of other answers and never retries them.
 */
export function addTrpcStreamRoutes(app: FastifyInstance, core: Core): void {
  addRoute(app, core, watchStream);
  addRoute(app, core, subscribeStream);
  addRoute(app, core, consumeStream);
}

function addRoute<Input extends z.ZodType, I extends StreamItem>(
  app: FastifyInstance,
  core: Core,
  kind: StreamKind<Input, I>,
): void {
  // A HEAD of a stream would never end.
  const options = { exposeHeadRoute: false, config: { stream: true } };
  const format = trpcFrames(kind.path);
  app.get<{ Querystring: SubscriptionQuery }>(`/trpc/${kind.path}`, options, async (request, reply) => {
    await serveStream(request, reply, {
      format,
      encoder: trpcEncoder,
      tally: core.metrics.streams[kind.name].sse_trpc,
      batches: (signal) => open(core, kind, request, signal),
      refusesByAnswer: false,
      onRefusal: (code) => core.metrics.refused(code),
      draining: core.draining,
    });
  });
}

async function* open<Input extends z.ZodType, I extends StreamItem>(
  core: Core,
  kind: StreamKind<Input, I>,
  request: FastifyRequest<{ Querystring: SubscriptionQuery }>,
  signal: AbortSignal,
): AsyncGenerator<StreamBatch<I>, void> {
  const { input, connectionParams, lastEventId } = request.query;
  const context = createCallContext({
    core,
    authorization: request.headers.authorization,
    connectionToken: tokenOf(connectionParams),
    bodyBytes: null,
  });
  const identity = await context.identify();
  // A browser that reconnects repeats the URL, with an old cursor in it, and adds the newest as a header.
  const cursor = request.headers['last-event-id'] ?? lastEventId;
  const parsed = kind.input.safeParse({
    ...parseInput(input),
    ...(cursor === undefined || cursor === '' ? {} : { lastEventId: cursor }),
  });
  if (!parsed.success) throw invalidInput(parsed.error);
  yield* kind.open({ core, identity, signal }, parsed.data);
}

function parseInput(input: string | undefined): Record<string, unknown> {
  if (input === undefined || input === '') return {};
  const parsed = parseJson(input, 'input');
  if (typeof parsed === 'object' && parsed !== null && !Array.isArray(parsed)) return { ...parsed };
  throw invalidField('input', 'must be an object');
}

function tokenOf(connectionParams: string | undefined): string | undefined {
  if (connectionParams === undefined) return undefined;
  const parsed = parseJson(connectionParams, 'connectionParams');
  const token = typeof parsed === 'object' && parsed !== null && 'token' in parsed ? parsed.token : undefined;
  return typeof token === 'string' ? token : undefined;
}

function parseJson(text: string, path: string): unknown {
  if (typeof text !== 'string') throw invalidField(path, 'must be given once');
  try {
    return JSON.parse(text);
  } catch {
    throw invalidField(path, 'must be JSON');
  }
}
