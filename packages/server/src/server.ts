// One HTTP server for everything: tRPC over HTTP, SSE and WebSocket, REST, health, metrics.
import cors from '@fastify/cors';
import type { Bus } from '@hypercode/bus';
import { systemClock } from '@hypercode/clock';
import type { Registry } from '@hypercode/registry';
import { type FastifyTRPCPluginOptions, fastifyTRPCPlugin } from '@trpc/server/adapters/fastify';
import Fastify, { type FastifyBaseLogger, type FastifyInstance, LogController } from 'fastify';
import { randomUUID } from 'node:crypto';
import type { AddressInfo } from 'node:net';
import type { Logger } from 'pino';
import { type Core, createCallContext } from './context.ts';
import { addErrorAnswers, addRequestChecks, answerBadUrl, answerBrokenRequest } from './error-answers.ts';
import { addHealthRoutes, type HealthChecks } from './health.ts';
import { addMetrics, type ServerMetrics } from './metrics.ts';
import { RateLimit } from './rate-limit.ts';
import { toRefusal } from './refusals.ts';
import { addRestRoutes } from './rest/add-rest-routes.ts';
import { type AppRouter, appRouter } from './router/app-router.ts';
import { trackSilentConnections } from './silent-connections.ts';
import { addTrpcStreamRoutes } from './sse/trpc-stream-routes.ts';
import { isWebSocketUpgrade, serveWebSockets } from './websocket.ts';

export interface SwarmServerOptions {
  registry: Registry;
  bus: Bus;
  metrics: ServerMetrics;
  logger: Logger;
  /** What `/readyz` asks, by name. */
  checks: HealthChecks;
  leaseMs: number;
  /** Registrations and updates a second for each token; 0 is no limit. */
  registerPerSecond: number;
  /** Origins of browsers that may call. */
  corsOrigins: readonly string[];
}

export interface SwarmServer {
  /** Listens; returns the port that was taken. */
  listen(host: string, port: number): Promise<number>;
  /** Drains: takes no new connections, ends streams, lets answers in flight finish. */
  close(): Promise<void>;
}

/** The largest body that any call may have: a full `publishMany`, and room for its envelope. */
const MAX_BODY_BYTES = 5 * 1024 * 1024;
/** The largest WebSocket message: one can hold many calls, and is worked on in one piece. */
const MAX_MESSAGE_BYTES = 512 * 1024;
/**
 * Most tRPC calls in one message or request: some tenths of a second of work, token or none. The bus' own client sends 64. A
 * WebSocket client sends all its subscriptions in one batch when it reconnects, so it is also the most that one may have open.
 */
const MAX_BATCH_CALLS = 500;
/** A batch of many calls is one long path. */
const MAX_PATH_LENGTH = 16 * 1024;
/** How long a client may take to send a request, in milliseconds. */
const REQUEST_TIMEOUT_MS = 30_000;
/** How often connections are held against that, in milliseconds. */
const CHECK_INTERVAL_MS = 5000;
/** What a page of another origin may call, and which headers of the answer it may read. */
const METHODS = ['GET', 'HEAD', 'POST', 'PUT', 'PATCH', 'DELETE'];
const HEADERS = ['location', 'retry-after', 'x-request-id'];
/** How long answers in flight may take when the server closes, in milliseconds. */
const MAX_DRAIN_MS = 10_000;
/** A fleet that restarts registers at once; so ten seconds' worth of registrations may. */
const REGISTER_BURST_SECONDS = 10;

export function createSwarmServer(options: SwarmServerOptions): SwarmServer {
  const { registry, bus, metrics, logger, checks, leaseMs, registerPerSecond, corsOrigins } = options;
  const draining = new AbortController();
  metrics.read({ registry, bus });
  const core: Core = {
    registry,
    bus,
    metrics,
    leaseMs,
    draining: draining.signal,
    registerRate: new RateLimit({
      perSecond: registerPerSecond,
      burstSeconds: REGISTER_BURST_SECONDS,
      clock: systemClock,
    }),
  };

  // The type of the instance would follow that of the logger.
  const baseLogger: FastifyBaseLogger = logger;
  const app = Fastify({
    loggerInstance: baseLogger,
    logController: new LogController({ disableRequestLogging: true }),
    bodyLimit: MAX_BODY_BYTES,
    requestTimeout: REQUEST_TIMEOUT_MS,
    routerOptions: { maxParamLength: MAX_PATH_LENGTH },
    forceCloseConnections: 'idle',
    // Any other upgrade (Java's HTTP client offers h2c with its first request) is an offer to pass over.
    http: { shouldUpgradeCallback: isWebSocketUpgrade, connectionsCheckingInterval: CHECK_INTERVAL_MS },
    frameworkErrors: answerBadUrl,
    clientErrorHandler: answerBrokenRequest,
    genReqId: (request) => requestIdOf(request.headers['x-request-id']),
  });
  addRequestLog(app);
  addRequestChecks(app);
  // A connection whose answer comes while the core drains would be kept alive, and keep the core alive.
  app.addHook('onSend', async (_request, reply) => {
    if (draining.signal.aborted) reply.header('connection', 'close');
  });
  addMetrics(app, metrics);
  addErrorAnswers(app, {
    onRefusal: (refusal, thrown, request) => {
      metrics.refused(refusal.code);
      if (refusal.code === 'INTERNAL') request.log.error({ err: thrown }, 'a call failed');
    },
  });
  if (corsOrigins.length > 0)
    app.register(cors, { origin: [...corsOrigins], methods: METHODS, exposedHeaders: HEADERS });
  addHealthRoutes(app, checks, draining.signal);
  addRestRoutes(app, core);
  addTrpcStreamRoutes(app, core);
  app.register(fastifyTRPCPlugin, {
    prefix: '/trpc',
    trpcOptions: {
      router: appRouter,
      maxBatchSize: MAX_BATCH_CALLS,
      createContext: ({ req, info }) =>
        createCallContext({
          core,
          authorization: req.headers.authorization,
          connectionToken: info.connectionParams?.['token'],
          bodyBytes: Number(req.headers['content-length'] ?? Number.NaN) || null,
        }),
      onError: ({ error, path, req }) => {
        metrics.refused(toRefusal(error).code);
        logFailure(req.log, error, path);
      },
    },
  } satisfies FastifyTRPCPluginOptions<AppRouter>);
  const closeWebSockets = serveWebSockets(app.server, {
    core,
    maxMessageBytes: MAX_MESSAGE_BYTES,
    maxBatchCalls: MAX_BATCH_CALLS,
    onError: (error, path) => {
      metrics.refused(toRefusal(error).code);
      logFailure(logger, error, path);
    },
  });

  const endSilentConnections = trackSilentConnections(app.server);

  return {
    listen: async (host, port) => {
      await app.listen({ host, port });
      return (app.server.address() as AddressInfo).port;
    },
    close: async () => {
      draining.abort();
      await closeWebSockets();
      endSilentConnections();
      const impatience = setTimeout(() => app.server.closeAllConnections(), MAX_DRAIN_MS);
      await app.close();
      clearTimeout(impatience);
      metrics.close();
    },
  };
}

/** The caller's own id, when it is one that can stand in a log line. */
function requestIdOf(given: string | string[] | undefined): string {
  return typeof given === 'string' && /^[\w.-]{1,64}$/.test(given) ? given : randomUUID();
}

/** A line for each answer, without the query: it can carry a token. */
function addRequestLog(app: FastifyInstance): void {
  app.addHook('onRequest', async (request, reply) => {
    reply.header('x-request-id', request.id);
  });
  app.addHook('onResponse', async (request, reply) => {
    const line = {
      method: request.method,
      path: request.url.split('?', 1)[0]?.slice(0, 200),
      status: reply.statusCode,
      ms: Math.round(reply.elapsedTime * 10) / 10,
    };
    if (reply.statusCode >= 500) request.log.warn(line, 'request');
    else request.log.debug(line, 'request');
  });
}

function logFailure(logger: Pick<Logger, 'error'>, error: unknown, path: string | undefined): void {
  if (toRefusal(error).code === 'INTERNAL') logger.error({ err: error, path }, 'a call failed');
}
