// tRPC over HTTP, SSE and WebSocket.
import { type FastifyTRPCPluginOptions, fastifyTRPCPlugin } from '@trpc/server/adapters/fastify';
import { createCallContext } from '../context.ts';
import { toRefusal } from '../refusals.ts';
import type { Surface } from '../surface.ts';
import { type AppRouter, appRouter } from './app-router.ts';
import { RequestOutgoing } from '../outgoing/request-outgoing.ts';
import { declaredProcedure } from '../procedures/procedures.ts';
import { addStreamRoutes } from './stream-routes.ts';
import { serveWebSockets } from './websocket.ts';

const PREFIX = '/trpc';
/** The largest WebSocket message: one can hold many calls, and is worked on in one piece. */
const MAX_MESSAGE_BYTES = 512 * 1024;
/**
 * Most tRPC calls in one message or request: some tenths of a second of work, token or none. The bus' own client sends 64. A
 * WebSocket client sends all its subscriptions in one batch when it reconnects, so it is also the most that one may have open.
 */
const MAX_BATCH_CALLS = 500;

export const trpcSurface: Surface = (app, { core, onUpgrade }) => {
  addStreamRoutes(app, core);
  app.register(fastifyTRPCPlugin, {
    prefix: PREFIX,
    trpcOptions: {
      router: appRouter,
      maxBatchSize: MAX_BATCH_CALLS,
      createContext: ({ req, res, info }) =>
        createCallContext({
          core,
          outgoing: new RequestOutgoing({
            gate: core.gate,
            response: res.raw,
            socket: req.raw.socket,
            calls: info.calls.map(({ path }) => declaredProcedure(path)),
          }),
          authorization: req.headers.authorization,
          connectionToken: info.connectionParams?.['token'],
          bodyBytes: Number(req.headers['content-length'] ?? Number.NaN) || null,
          socket: req.raw.socket,
        }),
      onError: ({ error, path, req }) => core.onRefusal(toRefusal(error), { path, log: req.log }),
    },
  } satisfies FastifyTRPCPluginOptions<AppRouter>);
  const sockets = serveWebSockets({ core, maxMessageBytes: MAX_MESSAGE_BYTES, maxBatchCalls: MAX_BATCH_CALLS });
  onUpgrade(PREFIX, sockets.upgrade);
  app.addHook('preClose', sockets.close);
};
