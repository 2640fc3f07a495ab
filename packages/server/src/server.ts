// One HTTP server for everything: tRPC over HTTP, SSE and WebSocket, REST, health, metrics.
import cors from '@fastify/cors';
import { SwarmError } from '@hypercode/contracts';
import type { Registry } from '@hypercode/registry';
import { type FastifyTRPCPluginOptions, fastifyTRPCPlugin } from '@trpc/server/adapters/fastify';
import Fastify, { type FastifyBaseLogger, type FastifyInstance, LogController } from 'fastify';
import { randomUUID } from 'node:crypto';
import type { AddressInfo } from 'node:net';
import type { Logger } from 'pino';
import { type Core, createCallContext } from './context.ts';
import { addHealthRoutes, type HealthChecks } from './health.ts';
import { RateLimit } from './rate-limit.ts';
import { toErrorShape, toRefusal } from './refusals.ts';
import { type AppRouter, appRouter } from './router/app-router.ts';
import { addTrpcWatchRoute } from './sse/trpc-watch-route.ts';
import { serveWebSockets } from './websocket.ts';

export interface SwarmServerOptions {
  registry: Registry;
  logger: Logger;
  /** What `/readyz` asks, by name. */
  checks: HealthChecks;
  leaseMs: number;
  /** Registrations and updates a second for each token; 0 is no limit. */
  registerPerSecond: number;
  /** Origins of browsers that may call. */
  corsOrigins: string[];
}

export interface SwarmServer {
  /** Listens; returns the port that was taken. */
  listen(host: string, port: number): Promise<number>;
  /** Drains: takes no new connections, ends streams, lets answers in flight finish. */
  close(): Promise<void>;
}

/** The largest body or message that any call may have: a full `publishMany`, and room for its envelope. */
const MAX_BODY_BYTES = 5 * 1024 * 1024;
/** A batch of many calls is one long path. */
const MAX_PATH_LENGTH = 16 * 1024;
/** How long a client may take to send a request, in milliseconds. */
const REQUEST_TIMEOUT_MS = 30_000;
/** A fleet that restarts registers at once; so ten seconds' worth of registrations may. */
const REGISTER_BURST_SECONDS = 10;

export function createSwarmServer(options: SwarmServerOptions): SwarmServer {
  const { registry, logger, checks, leaseMs, registerPerSecond, corsOrigins } = options;
  const draining = new AbortController();
  const core: Core = {
    registry,
    leaseMs,
    draining: draining.signal,
    registerRate: new RateLimit({
      perSecond: registerPerSecond,
      burstSeconds: REGISTER_BURST_SECONDS,
      now: () => performance.now(),
    }),
  };

  const app = Fastify({
    loggerInstance: logger satisfies Logger as FastifyBaseLogger,
    logController: new LogController({ disableRequestLogging: true }),
    bodyLimit: MAX_BODY_BYTES,
    requestTimeout: REQUEST_TIMEOUT_MS,
    routerOptions: { maxParamLength: MAX_PATH_LENGTH },
    forceCloseConnections: 'idle',
    genReqId: (request) => requestIdOf(request.headers['x-request-id']),
  });
  addRequestLog(app);
  addErrorHandlers(app);
  if (corsOrigins.length > 0) app.register(cors, { origin: corsOrigins, exposedHeaders: ['x-request-id'] });
  addHealthRoutes(app, checks, draining.signal);
  addTrpcWatchRoute(app, core);
  app.register(fastifyTRPCPlugin, {
    prefix: '/trpc',
    trpcOptions: {
      router: appRouter,
      createContext: ({ req, info }) =>
        createCallContext({
          core,
          authorization: req.headers.authorization,
          connectionToken: info.connectionParams?.['token'],
          bodyBytes: Number(req.headers['content-length'] ?? Number.NaN) || null,
        }),
      onError: ({ error, path, req }) => logFailure(req.log, error, path),
    },
  } satisfies FastifyTRPCPluginOptions<AppRouter>);
  const closeWebSockets = serveWebSockets(app.server, {
    core,
    maxMessageBytes: MAX_BODY_BYTES,
    onError: (error, path) => logFailure(logger, error, path),
  });

  return {
    listen: async (host, port) => {
      await app.listen({ host, port });
      return (app.server.address() as AddressInfo).port;
    },
    close: async () => {
      draining.abort();
      await closeWebSockets();
      await app.close();
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

function addErrorHandlers(app: FastifyInstance): void {
  app.setErrorHandler(async (error, request, reply) => {
    const refusal = refusalOfFastify(error);
    if (refusal.code === 'INTERNAL') request.log.error({ err: error }, 'a call failed');
    const onTrpc = request.url.startsWith('/trpc');
    const body = onTrpc ? { error: toErrorShape(refusal, undefined) } : refusal.toJSON();
    return reply.code(refusal.httpStatus).send(body);
  });
  app.setNotFoundHandler(async (_request, reply) => {
    const refusal = new SwarmError('NOT_FOUND', 'there is nothing at this address');
    return reply.code(refusal.httpStatus).send(refusal.toJSON());
  });
}

/** Fastify's own refusals carry a status: a body that is too large, one that is no JSON, a media type nobody reads. */
function refusalOfFastify(error: unknown): SwarmError {
  const status = error instanceof Error && 'statusCode' in error ? error.statusCode : undefined;
  if (error instanceof Error && typeof status === 'number' && status >= 400 && status < 500) {
    if (status === 413) {
      return new SwarmError('PAYLOAD_TOO_LARGE', 'the body is too large', { details: { limit: MAX_BODY_BYTES } });
    }
    return new SwarmError('INVALID_INPUT', error.message, { details: [{ path: '', reason: error.message }] });
  }
  return toRefusal(error);
}

function logFailure(logger: Pick<Logger, 'error'>, error: unknown, path: string | undefined): void {
  if (toRefusal(error).code === 'INTERNAL') logger.error({ err: error, path }, 'a call failed');
}
