// tRPC over HTTP, SSE and WebSocket.
import { LIMITS, procedures } from '@hypercode/contracts';
import { type FastifyTRPCPluginOptions, fastifyRequestHandler } from '@trpc/server/adapters/fastify';
import type { FastifyRequest } from 'fastify';
import { createCallContext } from '../context.ts';
import { authenticateBy, identityOf } from '../intake/authenticate.ts';
import { bytesOf, keepBodies, MAX_BODY_BYTES, statedLength } from '../intake/bodies.ts';
import { faithful, textOf } from '../intake/json-text.ts';
import { assertPlainNames } from '../intake/plain-names.ts';
import { toRefusal } from '../refusals.ts';
import type { Surface } from '../surface.ts';
import { type AppRouter, appRouter } from './app-router.ts';
import { RequestOutgoing } from '../outgoing/request-outgoing.ts';
import { declaredProcedure } from '../procedures/procedures.ts';
import { ignoredNamesFor } from '../procedures/unknown-fields.ts';
import { addStreamRoutes } from './stream-routes.ts';
import { serveWebSockets } from './websocket.ts';

const PREFIX = '/trpc';
/**
 * Most tRPC calls in one message or request: some tenths of a second of work. The bus' own client sends 64. A WebSocket client
 * sends all its subscriptions in one batch when it reconnects, so it is also the most that one may have open.
 */
const MAX_BATCH_CALLS = 500;

interface Called {
  Params: { path: string };
  Querystring: { batch?: string; input?: string | string[] };
}

export const trpcSurface: Surface = (app, { core, onUpgrade }) => {
  addStreamRoutes(app, core);
  const options: FastifyTRPCPluginOptions<AppRouter>['trpcOptions'] = {
    router: appRouter,
    maxBatchSize: MAX_BATCH_CALLS,
    // A query whose input is too long for a URL comes as a POST.
    allowMethodOverride: true,
    createContext: ({ req, res, info }) =>
      createCallContext({
        core,
        identify: async () => identityOf(req),
        outgoing: new RequestOutgoing({
          gate: core.gate,
          response: res.raw,
          socket: req.raw.socket,
          calls: info.calls.map(({ path }) => declaredProcedure(path)),
          bodyBytes: statedLength(req),
        }),
        ignoredNames: ignoredNamesFor(req.headers),
        bodyBytes: statedLength(req),
        socket: req.raw.socket,
        requestId: req.id,
      }),
    responseMeta: ({ ctx }) => ({ headers: ctx?.ignoredNames?.headers ?? {} }),
    onError: ({ error, path, req }) => core.onRefusal(toRefusal(error), { path, log: req.log }),
  };
  app.register(async (scope) => {
    // Before a batch is split: one lookup, and one refusal, however many calls there are.
    scope.addHook('onRequest', authenticateBy(core));
    keepBodies(scope, core, { mediaTypes: 'application/json', limitOf: limitOfCalls });
    scope.all<Called>(`${PREFIX}/:path`, async (req, res) => {
      const bytes = bytesOf(req);
      if (bytes === null) for (const text of [req.query.input ?? ''].flat()) assertPlainNames(text);
      req.body = bytes === null ? undefined : faithful(textOf(bytes, { contentType: req.headers['content-type'] }));
      await fastifyRequestHandler({ ...options, req, res, path: req.params.path });
    });
  });
  const sockets = serveWebSockets({ core, maxMessageBytes: MAX_BODY_BYTES, maxBatchCalls: MAX_BATCH_CALLS });
  onUpgrade(PREFIX, sockets.upgrade);
  app.addHook('preClose', sockets.close);
};

const inputBytes: ReadonlyMap<string, number> = new Map(
  procedures.map(([name, { maxInputBytes = LIMITS.inputBytes }]) => [name, maxInputBytes]),
);
/** What a batch adds to each of its inputs. */
const ENVELOPE_BYTES = 16;

/** Together as much as each call may have. */
function limitOfCalls(request: FastifyRequest): number {
  const { path } = request.params as Called['Params'];
  const { batch } = request.query as Called['Querystring'];
  if (batch !== '1') return inputBytes.get(path) ?? LIMITS.inputBytes;
  let limit = 0;
  for (const name of path.split(',')) limit += (inputBytes.get(name) ?? 0) + ENVELOPE_BYTES;
  return Math.min(Math.max(limit, LIMITS.inputBytes), MAX_BODY_BYTES);
}
