// The router's subscriptions over SSE, in tRPC's wire format but with frames that all subscribers share.
import { invalidField } from '@hypercode/contracts';
import type { StreamBatch } from '@hypercode/feed';
import type { Identity } from '@hypercode/registry';
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import type { Core } from '../context.ts';
import { authenticateBy, identityOf, recognise } from '../intake/authenticate.ts';
import { keepBodies, takeBody } from '../intake/bodies.ts';
import { readJson, textOf } from '../intake/json-text.ts';
import { FREE } from '../outgoing/outgoing.ts';
import { assertMayCall } from '../procedures/authorise.ts';
import { openStream, type ServedProcedure, servedProcedures } from '../procedures/procedures.ts';
import { type IgnoredNames, ignoredNamesFor } from '../procedures/unknown-fields.ts';
import { JSON_MEDIA_TYPE } from '../rest/json-body.ts';
import { isJsonObject } from '../rest/merge-input.ts';
import { trpcEncoder, trpcFrames } from '../sse/frames.ts';
import { serveStream } from '../sse/serve-stream.ts';

/** What a stream is opened with. */
interface Opening {
  /** Who is calling. */
  identify: () => Promise<Identity>;
  /** The JSON text of the input. */
  input: string | undefined;
  lastEventId: string | undefined;
  /** Where the names go that the core does not know; null: they are refused. */
  ignoredNames: IgnoredNames | null;
}

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

/**
 * A GET has its input in the URL. A POST has it in the body: no EventSource sends one, so what is known from the head, such as an
 * invalid token, is an ordinary answer.
 */
function addRoute(app: FastifyInstance, core: Core, procedure: ServedProcedure): void {
  const { name } = procedure;
  const url = `/trpc/${name}`;
  const config = { stream: true };
  const format = trpcFrames(name);
  const tally = core.metrics.streamTally(name, 'sse_trpc');
  const serve = (request: FastifyRequest, reply: FastifyReply, opening: Opening): Promise<void> =>
    serveStream(request, reply, {
      format,
      encoder: trpcEncoder,
      tally,
      batches: (signal) => open(core, procedure, request, opening, signal),
      ignoredNames: opening.ignoredNames,
      refusesByAnswer: false,
      core,
    });
  // A HEAD of a stream would never end.
  app.get<{ Querystring: SubscriptionQuery }>(url, { exposeHeadRoute: false, config }, async (request, reply) => {
    const { input, connectionParams, lastEventId } = request.query;
    // An EventSource of a browser sets no headers; of all calls, only subscriptions take a token or a session from the URL.
    const identify = async () =>
      recognise(core, { headers: request.headers, params: objectIn(connectionParams, 'connectionParams') });
    const ignoredNames = ignoredNamesFor(request.headers) ?? ignoredNamesFor(connectionParamsOf(request));
    await serve(request, reply, { identify, input, lastEventId, ignoredNames });
  });
  app.register(async (scope) => {
    scope.addHook('onRequest', authenticateBy(core));
    keepBodies(scope, core, { mediaTypes: JSON_MEDIA_TYPE });
    scope.post<{ Querystring: SubscriptionQuery }>(url, { config }, async (request, reply) => {
      const { headers, query } = request;
      await serve(request, reply, {
        identify: async () => identityOf(request),
        input: textOf(takeBody(request), { contentType: headers['content-type'] }),
        lastEventId: query.lastEventId,
        ignoredNames: ignoredNamesFor(headers),
      });
    });
  });
}

async function* open(
  core: Core,
  procedure: ServedProcedure,
  request: FastifyRequest,
  { identify, input, lastEventId, ignoredNames }: Opening,
  signal: AbortSignal,
): AsyncGenerator<StreamBatch, void> {
  const identity = await identify();
  core.connections.markAuthenticated(request.raw.socket);
  assertMayCall(identity.principal, procedure.declared.rights);
  // A browser that reconnects repeats the URL, with an old cursor in it, and adds the newest as a header.
  const cursor = request.headers['last-event-id'] ?? lastEventId;
  const given = {
    ...objectIn(input, 'input'),
    ...(cursor === undefined || cursor === '' ? {} : { lastEventId: cursor }),
  };
  const limitStall = (limitMs: number): void => core.connections.limitStall(request.raw.socket, limitMs);
  const call = { core, identity, requestId: request.id, signal, limitStall, outgoing: FREE, ignoredNames };
  yield* openStream(procedure, call, given);
}

/** A parameter that is a JSON object. INVALID_INPUT. */
function objectIn(text: unknown, path: string): Record<string, unknown> {
  if (text === undefined || text === '') return {};
  if (typeof text !== 'string') throw invalidField(path, 'must be given once');
  const value = readJson(text, path);
  if (!isJsonObject(value)) throw invalidField(path, 'must be an object');
  return value;
}

/** Null where they cannot be read: then the stream is refused. */
function connectionParamsOf({
  query,
}: FastifyRequest<{ Querystring: SubscriptionQuery }>): Record<string, unknown> | null {
  try {
    return objectIn(query.connectionParams, 'connectionParams');
  } catch {
    return null;
  }
}
