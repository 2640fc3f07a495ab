// One HTTP server for every surface: limits, request log, error answers, and draining.
import cors from '@fastify/cors';
import type { Bus } from '@hypercode/bus';
import type { Clock } from '@hypercode/clock';
import { IGNORED_HEADER, isFromOtherOrigin } from '@hypercode/contracts';
import type { Operations } from '@hypercode/operations';
import type { Registry } from '@hypercode/registry';
import Fastify, { type FastifyBaseLogger, type FastifyInstance, LogController } from 'fastify';
import { randomUUID } from 'node:crypto';
import type { IncomingMessage } from 'node:http';
import type { AddressInfo, Socket } from 'node:net';
import type { Logger } from 'pino';
import { type AllowanceLimits, Allowances } from './allowances/allowances.ts';
import { Connections } from './connections.ts';
import type { Core } from './context.ts';
import { countBus } from './count-bus.ts';
import { addErrorAnswers, answerBadUrl, answerBrokenRequest } from './error-answers.ts';
import { MAX_BODY_BYTES } from './intake/bodies.ts';
import { BodyBudget } from './intake/body-budget.ts';
import { endConnection } from './intake/end-connection.ts';
import { RefusalLog } from './intake/refusal-log.ts';
import { addRequestChecks, crossSite, MAX_HEAD_BYTES } from './intake/request-checks.ts';
import type { ServerMetrics } from './metrics.ts';
import { AnswerMemory } from './outgoing/answer-memory.ts';
import { OpenAnswers } from './outgoing/open-answers.ts';
import type { Gate } from './outgoing/outgoing.ts';
import { Overviews } from './overview/overviews.ts';
import { readOverview } from './overview/read-overview.ts';
import { PlanFolds } from './plans/plan-folds.ts';
import type { QuestionDesk } from './questions/question-desk.ts';
import { RegistrationRates } from './registration-rates.ts';
import { rawProblem } from './rest/problem.ts';
import { BrowserSessions } from './sessions/browser-sessions.ts';
import type { Surface, SurfaceContext, Upgrade } from './surface.ts';
import { SwarmView, type SwarmViewOptions } from './swarm-view.ts';

export interface SwarmServerOptions {
  registry: Registry;
  bus: Bus;
  operations: Operations;
  /** Asks the stores. Never rejects. */
  stores: SwarmViewOptions['stores'];
  questions: QuestionDesk;
  metrics: ServerMetrics;
  logger: Logger;
  clock: Clock;
  surfaces: readonly Surface[];
  /** Version of the core, as `whoami` reports it. */
  version: string;
  /** Registrations a second for each name, and updates a second for each agent; 0 is no limit. See `RegistrationRates`. */
  registerPerSecond: number;
  /** What an agent may have open at this replica; operators, viewers and administrators five times that. Null: no limits. */
  allowances: AllowanceLimits | null;
  /** Origins of browsers that may call. */
  corsOrigins: readonly string[];
  /** Where users reach the dashboard; null: at loopback names. */
  publicUrl: string | null;
  /** Whether the dashboard is served. */
  servesPage: boolean;
}

export interface SwarmServer {
  /** Listens; returns the port that was taken. */
  listen(host: string, port: number): Promise<number>;
  /** What callers have open now, and the memory that answers take. */
  readonly gate: Gate;
  /** Drains: takes no new connections, ends streams, lets answers in flight finish. */
  close(): Promise<void>;
}

/** A batch of many calls is one long path. */
const MAX_PATH_LENGTH = 16 * 1024;
/** How long a client may take to send a request, in milliseconds. */
const REQUEST_TIMEOUT_MS = 30_000;
/** How long a connection may wait for its next request, in milliseconds. */
const IDLE_TIMEOUT_MS = 30_000;
/** How often connections are held against that, in milliseconds. */
const CHECK_INTERVAL_MS = 1000;
/**
 * After how long without traffic the system probes a connection (TCP keep-alive), in milliseconds. After ten probes without an
 * answer, a second apart, the connection has ended, and with it a long poll.
 */
const KEEP_ALIVE_DELAY_MS = 10_000;
/** What a page of another origin may call, and which headers of the answer it may read. */
const METHODS = ['GET', 'HEAD', 'POST', 'PUT', 'PATCH', 'DELETE'];
const HEADERS = ['location', 'retry-after', 'x-request-id', IGNORED_HEADER];
/** How long answers in flight may take when the server closes, in milliseconds. */
const MAX_DRAIN_MS = 10_000;

export function createSwarmServer(options: SwarmServerOptions): SwarmServer {
  const {
    registry,
    bus,
    operations,
    stores,
    questions,
    metrics,
    logger,
    clock,
    surfaces,
    version,
    registerPerSecond,
    allowances,
    corsOrigins,
    publicUrl,
    servesPage,
  } = options;
  /** Where it listens, as a browser on this machine reaches it. */
  let localUrl = '';
  const draining = new AbortController();
  const connections = new Connections(clock);
  const refusals = new RefusalLog(clock, logger);
  metrics.read({ registry, bus, operations });
  const endCounting = countBus(bus, operations);
  const view = new SwarmView({ registry, bus, operations, stores, clock });
  const gate: Gate = {
    allowances: new Allowances(allowances),
    memory: new AnswerMemory({ clock }),
    open: new OpenAnswers(),
  };
  const plans = new PlanFolds({
    bus,
    clock,
    onError: (error, namespace) =>
      logger.warn({ namespace, code: error.code }, `the plans of a namespace cannot be read: ${error.message}`),
  });
  const core: Core = {
    registry,
    bus,
    plans,
    operations,
    questions,
    view,
    overviews: new Overviews({
      read: (namespace) => readOverview({ bus, view, openQuestions: (one) => questions.countOpen(one) }, namespace),
      clock,
      onError: (error) => logger.debug({ err: error }, 'an overview could not be read'),
    }),
    metrics,
    clock,
    connections,
    version,
    draining: draining.signal,
    browsers: new BrowserSessions({
      sessions: operations.sessions,
      identities: registry.identities,
      publicUrl: publicUrl === null ? null : new URL(publicUrl),
      pageUrl: () => (servesPage ? new URL('/', publicUrl ?? localUrl).href : null),
      clock,
    }),
    registrationRates: new RegistrationRates({ perSecond: registerPerSecond, clock }),
    gate,
    bodies: new BodyBudget(),
    onRefusal: ({ code, cause }, { log = logger, path, address } = {}) => {
      metrics.refused(code);
      if (code === 'UNAUTHENTICATED') refusals.note(address);
      if (code === 'INTERNAL') log.error({ err: cause, path }, 'a call failed');
    },
  };
  const upgrades = new Map<string, Upgrade>();

  // The type of the instance would follow that of the logger.
  const baseLogger: FastifyBaseLogger = logger;
  const app = Fastify({
    loggerInstance: baseLogger,
    logController: new LogController({ disableRequestLogging: true }),
    bodyLimit: MAX_BODY_BYTES,
    requestTimeout: REQUEST_TIMEOUT_MS,
    keepAliveTimeout: IDLE_TIMEOUT_MS,
    routerOptions: { maxParamLength: MAX_PATH_LENGTH },
    forceCloseConnections: 'idle',
    http: {
      shouldUpgradeCallback: (request) => upgradeOf(request, upgrades) !== undefined,
      maxHeaderSize: MAX_HEAD_BYTES,
      connectionsCheckingInterval: CHECK_INTERVAL_MS,
      keepAlive: true,
      keepAliveInitialDelay: KEEP_ALIVE_DELAY_MS,
    },
    frameworkErrors: answerBadUrl,
    clientErrorHandler: (error, socket) => answerBrokenRequest(clock, error, socket),
    genReqId: (request) => requestIdOf(request.headers['x-request-id']),
  });
  addRequestLog(app);
  app.decorateRequest('callerIdentity', null);
  app.decorateRequest('bodyClaim', null);
  addRequestChecks(app, { origins: corsOrigins });
  // A connection whose answer comes while the core drains would be kept alive, and keep the core alive.
  app.addHook('onSend', (_request, reply, _payload, done) => {
    if (draining.signal.aborted) reply.header('connection', 'close');
    done();
  });
  addErrorAnswers(app, core);
  if (corsOrigins.length > 0)
    app.register(cors, { origin: [...corsOrigins], methods: METHODS, exposedHeaders: HEADERS });
  const context: SurfaceContext = { core, onUpgrade: (path, upgrade) => void upgrades.set(path, upgrade) };
  for (const addSurface of surfaces) addSurface(app, context);
  app.server.on('upgrade', (request: IncomingMessage, socket: Socket, head: Buffer) => {
    if (isFromOtherOrigin(request.headers, corsOrigins))
      endConnection(clock, socket, { last: rawProblem(crossSite()), resets: false });
    else upgradeOf(request, upgrades)?.(request, socket, head);
  });

  // Node.js would close its own side only, and a peer could keep the other open.
  app.server.on('timeout', (socket: Socket) => void socket.resetAndDestroy());
  connections.track(app.server);

  return {
    gate,
    listen: async (host, port) => {
      await app.listen({ host, port });
      const { port: taken } = app.server.address() as AddressInfo;
      localUrl = `http://${localNameOf(host)}:${taken}`;
      return taken;
    },
    close: async () => {
      draining.abort();
      connections.endSilent();
      const cancel = clock.schedule(MAX_DRAIN_MS, () => app.server.closeAllConnections());
      await app.close();
      cancel();
      await plans.close();
      connections.close();
      metrics.close();
      endCounting();
    },
  };
}

/** What takes the upgrade of a request. Any other than to WebSocket is none (Java's HTTP client offers h2c with its first request). */
function upgradeOf(
  { url = '/', headers }: IncomingMessage,
  upgrades: ReadonlyMap<string, Upgrade>,
): Upgrade | undefined {
  if (headers.upgrade?.toLowerCase() !== 'websocket') return undefined;
  return upgrades.get(url.split('?', 1)[0] ?? '/');
}

/** A name by which this machine reaches what listens on `host`. */
function localNameOf(host: string): string {
  if (host === '0.0.0.0' || host === '::') return 'localhost';
  return host.includes(':') ? `[${host}]` : host;
}

/** The caller's own id, when it is one that can stand in a log line. */
function requestIdOf(given: string | string[] | undefined): string {
  return typeof given === 'string' && /^[\w.-]{1,64}$/.test(given) ? given : randomUUID();
}

/** A line for each answer, without the query: it can carry a token. */
function addRequestLog(app: FastifyInstance): void {
  // With callbacks, since each promise of a hook costs every call two turns.
  app.addHook('onRequest', (request, reply, done) => {
    reply.header('x-request-id', request.id);
    done();
  });
  app.addHook('onResponse', (request, reply, done) => {
    const line = {
      method: request.method,
      path: request.url.split('?', 1)[0]?.slice(0, 200),
      status: reply.statusCode,
      ms: Math.round(reply.elapsedTime * 10) / 10,
    };
    if (reply.statusCode >= 500) request.log.warn(line, 'request');
    else request.log.debug(line, 'request');
    done();
  });
}
