// `registry.watch` over SSE, in tRPC's wire format but with frames that all watchers share.
import { invalidInput, WatchInput } from '@hypercode/contracts';
import type { FastifyInstance, FastifyRequest } from 'fastify';
import { type Core, createCallContext } from '../context.ts';
import { inputFault } from '../refusals.ts';
import { openWatch } from '../watch.ts';
import { trpcEncoder, trpcFrames } from './frames.ts';
import { serveStream } from './serve-stream.ts';

const PATH = 'registry.watch';
const FORMAT = trpcFrames(PATH);

interface SubscriptionQuery {
  input?: string;
  connectionParams?: string;
  lastEventId?: string;
}

/**
 * Stands before tRPC's own handler, which would encode every value once for each subscriber. A refusal is a 200 with
 * a `serialized-error` event: an EventSource shows nothing of other answers and never retries them.
 */
export function addTrpcWatchRoute(app: FastifyInstance, core: Core): void {
  // A HEAD of a stream would never end.
  const options = { exposeHeadRoute: false, config: { stream: true } };
  app.get<{ Querystring: SubscriptionQuery }>(`/trpc/${PATH}`, options, async (request, reply) => {
    await serveStream(request, reply, {
      format: FORMAT,
      encoder: trpcEncoder,
      tally: core.metrics.watchers.sse_trpc,
      batches: (signal) => watch(core, request, signal),
      refusesByAnswer: false,
      onRefusal: (code) => core.metrics.refused(code),
      draining: core.draining,
    });
  });
}

async function* watch(core: Core, request: FastifyRequest<{ Querystring: SubscriptionQuery }>, signal: AbortSignal) {
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
  const parsed = WatchInput.safeParse({
    ...parseInput(input),
    ...(cursor === undefined || cursor === '' ? {} : { lastEventId: cursor }),
  });
  if (!parsed.success) throw invalidInput(parsed.error);
  yield* openWatch({ core, identity, input: parsed.data, signal });
}

function parseInput(input: string | undefined): Record<string, unknown> {
  if (input === undefined || input === '') return {};
  const parsed = parseJson(input, 'input');
  if (typeof parsed === 'object' && parsed !== null && !Array.isArray(parsed)) return { ...parsed };
  throw inputFault('input', 'must be an object');
}

function tokenOf(connectionParams: string | undefined): string | undefined {
  if (connectionParams === undefined) return undefined;
  const parsed = parseJson(connectionParams, 'connectionParams');
  const token = typeof parsed === 'object' && parsed !== null && 'token' in parsed ? parsed.token : undefined;
  return typeof token === 'string' ? token : undefined;
}

function parseJson(text: string, path: string): unknown {
  if (typeof text !== 'string') throw inputFault(path, 'must be given once');
  try {
    return JSON.parse(text);
  } catch {
    throw inputFault(path, 'must be JSON');
  }
}
