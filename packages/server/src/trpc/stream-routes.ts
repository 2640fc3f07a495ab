// The router's subscriptions over SSE, in tRPC's wire format but with frames that all subscribers share.
import { invalidField } from '@hypercode/contracts';
import type { StreamBatch } from '@hypercode/feed';
import type { FastifyInstance, FastifyRequest } from 'fastify';
import type { Core } from '../context.ts';
import { recognise } from '../intake/authenticate.ts';
import { readJson } from '../intake/json-text.ts';
import { FREE } from '../outgoing/outgoing.ts';
import { assertMayCall } from '../procedures/authorise.ts';
import { openStream, type ServedProcedure, servedProcedures } from '../procedures/procedures.ts';
import { type IgnoredNames, ignoredNamesFor } from '../procedures/unknown-fields.ts';
import { isJsonObject } from '../rest/merge-input.ts';
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
    const ignoredNames = ignoredNamesFor(request.headers) ?? ignoredNamesFor(connectionParamsOf(request));
    await serveStream(request, reply, {
      format,
      encoder: trpcEncoder,
      tally: core.metrics.streamTally(name, 'sse_trpc'),
      batches: (signal) => open({ core, procedure, request, signal, ignoredNames }),
      refusesByAnswer: false,
      ignoredNames,
      core,
    });
  });
}

type StreamRequest = FastifyRequest<{ Querystring: SubscriptionQuery }>;

interface Opening {
  core: Core;
  procedure: ServedProcedure;
  request: StreamRequest;
  signal: AbortSignal;
  ignoredNames: IgnoredNames | null;
}

async function* open({ core, procedure, request, signal, ignoredNames }: Opening): AsyncGenerator<StreamBatch, void> {
  const { input, connectionParams, lastEventId } = request.query;
  // An EventSource of a browser sets no headers; of all calls, only subscriptions take a token from the URL.
  const identity = await recognise(core, request.headers.authorization, tokenOf(connectionParams));
  core.connections.markAuthenticated(request.raw.socket);
  assertMayCall(identity.principal, procedure.declared.rights);
  // A browser that reconnects repeats the URL, with an old cursor in it, and adds the newest as a header.
  const cursor = request.headers['last-event-id'] ?? lastEventId;
  const given = {
    ...objectIn(input, 'input'),
    ...(cursor === undefined || cursor === '' ? {} : { lastEventId: cursor }),
  };
  const limitStall = (limitMs: number): void => core.connections.limitStall(request.raw.socket, limitMs);
  yield* openStream(procedure, { core, identity, signal, limitStall, outgoing: FREE, ignoredNames }, given);
}

/** A parameter that is a JSON object. INVALID_INPUT. */
function objectIn(text: unknown, path: string): Record<string, unknown> {
  if (text === undefined || text === '') return {};
  if (typeof text !== 'string') throw invalidField(path, 'must be given once');
  const value = readJson(text, path);
  if (!isJsonObject(value)) throw invalidField(path, 'must be an object');
  return value;
}

function tokenOf(connectionParams: unknown): string | undefined {
  const { token } = objectIn(connectionParams, 'connectionParams');
  return typeof token === 'string' ? token : undefined;
}

/** Null where they cannot be read: then the stream is refused. */
function connectionParamsOf({ query }: StreamRequest): Record<string, unknown> | null {
  try {
    return objectIn(query.connectionParams, 'connectionParams');
  } catch {
    return null;
  }
}
