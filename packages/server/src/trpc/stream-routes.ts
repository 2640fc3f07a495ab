// The router's subscriptions over SSE, in tRPC's wire format but with frames that all subscribers share.
import { invalidField } from '@hypercode/contracts';
import type { StreamBatch } from '@hypercode/feed';
import type { FastifyInstance, FastifyRequest } from 'fastify';
import type { Core } from '../context.ts';
import { recognise } from '../intake/authenticate.ts';
import { assertPlainNames } from '../intake/plain-names.ts';
import { FREE } from '../outgoing/outgoing.ts';
import { assertMayCall } from '../procedures/authorise.ts';
import { openStream, type ServedProcedure, servedProcedures } from '../procedures/procedures.ts';
import { trpcEncoder, trpcFrames } from '../sse/frames.ts';
import { serveStream } from '../sse/serve-stream.ts';

interface SubscriptionQuery {
  input?: string;
  connectionParams?: string;
  lastEventId?: string;
}

/**
 * Takes subscriptions before tRPC's own handler, which would encode every value once for each subscriber. A refusal is a 200
 * with a `serialized-error` event: an EventSource shows nothing of other answers and never retries them.
 */
export function addStreamRoutes(app: FastifyInstance, core: Core): void {
  for (const procedure of servedProcedures)
    if (procedure.declared.kind === 'subscription') addRoute(app, core, procedure);
}

function addRoute(app: FastifyInstance, core: Core, procedure: ServedProcedure): void {
  // A HEAD of a stream would never end.
  const options = { exposeHeadRoute: false, config: { stream: true } };
  const { name } = procedure;
  const format = trpcFrames(name);
  app.get<{ Querystring: SubscriptionQuery }>(`/trpc/${name}`, options, async (request, reply) => {
    await serveStream(request, reply, {
      format,
      encoder: trpcEncoder,
      tally: core.metrics.streamTally(name, 'sse_trpc'),
      batches: (signal) => open(core, procedure, request, signal),
      refusesByAnswer: false,
      core,
    });
  });
}

async function* open(
  core: Core,
  procedure: ServedProcedure,
  request: FastifyRequest<{ Querystring: SubscriptionQuery }>,
  signal: AbortSignal,
): AsyncGenerator<StreamBatch, void> {
  const { input, connectionParams, lastEventId } = request.query;
  // An EventSource of a browser sets no headers; of all calls, only subscriptions take a token from the URL.
  const identity = await recognise(core, request.headers.authorization, tokenOf(connectionParams));
  core.connections.markAuthenticated(request.raw.socket);
  assertMayCall(identity.principal, procedure.declared.rights);
  // A browser that reconnects repeats the URL, with an old cursor in it, and adds the newest as a header.
  const cursor = request.headers['last-event-id'] ?? lastEventId;
  const given = {
    ...parseInput(input),
    ...(cursor === undefined || cursor === '' ? {} : { lastEventId: cursor }),
  };
  const limitStall = (limitMs: number): void => core.connections.limitStall(request.raw.socket, limitMs);
  const call = { core, identity, requestId: request.id, signal, limitStall, outgoing: FREE };
  yield* openStream(procedure, call, given);
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
  assertPlainNames(text, path);
  try {
    return JSON.parse(text);
  } catch {
    throw invalidField(path, 'must be JSON');
  }
}
