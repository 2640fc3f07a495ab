// Wires one core: stores, registry, bus, server. Everything that it starts, it also stops.
import {
  createPostgresSignal,
  createRedisSignal,
  type Database,
  isMisconfigured,
  migrate,
  openDatabase,
  refusalOf,
  refuseSharedSessions,
  type SchemaSources,
  SharedSessionError,
  type StoreHealth,
  storesSchema,
} from '@hypercode/stores';
import {
  Bus,
  busSchema,
  type BusStore,
  openPostgresStore,
  openRedisStore,
  type PolicySchema,
  type RedisStore,
} from '@hypercode/bus';
import { type Clock, systemClock } from '@hypercode/clock';
import { LIMITS } from '@hypercode/contracts';
import { createLocalSignal, type Signal } from '@hypercode/feed';
import { mcpSurface } from '@hypercode/mcp';
import { createOperations, type Operations, operationsSchema } from '@hypercode/operations';
import {
  AddressRules,
  AgentMirror,
  createRegistry,
  defaultRules,
  isLoopback,
  type Registry,
  registrySchema,
  type StaticToken,
} from '@hypercode/registry';
import {
  createSwarmServer,
  healthSurface,
  metricsSurface,
  pageSurface,
  QuestionDesk,
  RateLimit,
  restSurface,
  ServerMetrics,
  sessionSurface,
  type SwarmServer,
  SystemEvents,
  trpcSurface,
} from '@hypercode/server';
import { hostname } from 'node:os';
import type { Logger } from 'pino';
import { AgentLog } from './agent-log.ts';
import type { CoreConfiguration } from './configuration.ts';
import { type DataDir, openDataDir } from './data-dir/data-dir.ts';
import { reasonOf, refuseWrongRedis, StoreMonitors } from './store-monitors.ts';
import { storeStatuses } from './store-statuses.ts';
import { untilItAnswers } from './until-it-answers.ts';
import { VERSION } from './version.ts';

/** An agent that pauses for a second may publish a second's worth at once. */
const PUBLISH_BURST_SECONDS = 1;
/** Bytes of events that an agent may publish at once after a pause, whatever the rate: the largest list, twice. */
const PUBLISH_BURST_BYTES = 2 * LIMITS.publishManyBytes;

export interface CoreTokens {
  readonly admin: string | null;
  readonly join: string | null;
  /** Made once for an embedded core; without one, null. */
  readonly viewer: string | null;
}

/** A core that listens, with its parts. */
export interface AssembledCore {
  readonly url: string;
  readonly port: number;
  readonly dataDir: string | null;
  readonly tokens: CoreTokens;
  readonly registry: Registry;
  readonly bus: Bus;
  readonly operations: Operations;
  readonly gate: SwarmServer['gate'];
  /** Drains and stops. */
  readonly close: () => Promise<void>;
}

export interface AssembleOptions {
  readonly config: CoreConfiguration;
  readonly logger: Logger;
  /** Aborts the start. */
  readonly signal: AbortSignal;
  /**
   * A file that `writeDatabaseImage` wrote. Without `config.databaseUrl`, the core then stores nothing: its database is in memory, and
   * `config.dataDir` is not used. It has the tokens of `config` alone.
   */
  readonly image?: string | undefined;
  /** How often a stream without changes gets a bookmark, in milliseconds. Default: as registry and bus have it. */
  readonly bookmarkIntervalMs?: number;
  /** Default: the system's. */
  readonly clock?: Clock;
}

/** Rejects, with everything closed again, when a store cannot be used or the port cannot be taken. */
export async function assembleCore(options: AssembleOptions): Promise<AssembledCore> {
  const { config, logger, signal, image, bookmarkIntervalMs, clock: systemTime = systemClock } = options;
  const bookmarks = bookmarkIntervalMs === undefined ? {} : { bookmarkIntervalMs };
  const stack = new AsyncDisposableStack();
  try {
    const isStored = config.databaseUrl === null && image === undefined;
    const dataDir = isStored ? await openDataDir(config.dataDir, { clock: systemTime }) : null;
    if (dataDir !== null) stack.defer(() => dataDir.close());
    const tokens = await tokensOf(config, dataDir);

    const monitors = new StoreMonitors({ clock: systemTime, logger });
    const onError = monitors.onBackgroundError('a background task failed and will be retried');
    const place = placeOf(config, image);
    const database = await openDatabase(
      'url' in place
        ? { ...place, clock: systemTime, onFailure: monitors.databaseFailed }
        : { ...place, clock: systemTime, onError },
    );
    stack.defer(() => database.close());
    await prepareDatabase(database, { config, clock: systemTime, logger, signal });
    // From here on every time of day is the database's, whatever the clock of this machine shows.
    const clock = withTimeOf(database, systemTime);
    const databaseHealth = monitors.watchDatabase(database, nameOfDatabase(config));
    stack.defer(() => databaseHealth.close());
    const wakeUps = openSignal(config, monitors);
    stack.defer(() => wakeUps.close());

    const metrics = new ServerMetrics(wakeUps);

    // The registry keeps the mirror up to date, and the bus reads the circuits of agents in it.
    const mirror = new AgentMirror();
    const { store, redis } = openStore(config, database, monitors);
    const redisHealth = redis?.health ?? null;
    stack.defer(() => store.close());
    if (redisHealth !== null) {
      stack.defer(() => redisHealth.close());
      await refuseWrongRedis(redisHealth);
    }
    const replica = { id: clock.newId(), version: VERSION, host: hostname() };
    const questions = new QuestionDesk({
      bus: () => bus,
      questions: () => operations.questions,
      isAgent: (namespace, name) => registry.queries.has({ namespace, name }),
      clock,
      onError: monitors.onBackgroundError('questions to people could not be read or published, which will be retried'),
    });
    const bus = new Bus({
      store,
      db: database.kysely.$extendTables<PolicySchema>(),
      signal: wakeUps,
      circuitOf: ({ agentId }) => mirror.statusOf(agentId),
      isAgent: (namespace, name) => registry.queries.has({ namespace, name }),
      surroundings: {
        replica: replica.id,
        otherStreams: (namespace) => operations.otherStreams(namespace),
        declaring: (namespace, topic) => registry.queries.subscribers(namespace, topic),
        roleAt: (namespace, name, atMs) => registry.queries.roleAt(namespace, name, atMs),
      },
      intake: questions.intake,
      groupLimits: { inNamespace: config.groupsMax, ofAgent: GROUPS_OF_AGENT },
      onGroupChange: (notice) => systemEvents.groupChanged(notice),
      onDeaths: (notice) => systemEvents.groupDied(notice),
      rate: new RateLimit({
        perSecond: config.ratePublish,
        burstSeconds: PUBLISH_BURST_SECONDS,
        words: `${config.ratePublish} events of one publisher per second`,
        clock,
      }),
      byteRate: new RateLimit({
        perSecond: config.ratePublishBytes,
        burstSeconds: Math.max(PUBLISH_BURST_SECONDS, PUBLISH_BURST_BYTES / config.ratePublishBytes),
        words: `${config.ratePublishBytes} bytes of events of one publisher per second`,
        clock,
      }),
      clock,
      onError,
      ...bookmarks,
    });
    stack.defer(() => bus.close());

    const systemEvents = new SystemEvents({
      bus,
      clock,
      onError: monitors.onBackgroundError('a system event could not be published'),
    });
    stack.defer(() => systemEvents.close());
    const agentLog = new AgentLog({ clock, logger });
    stack.defer(() => agentLog.close());
    const registry = createRegistry({
      database,
      signal: wakeUps,
      clock,
      mirror,
      staticTokens: staticTokensOf(tokens),
      tokenNameRestMs: config.dedupWindowMs + NAME_REST_MARGIN_MS,
      leaseMs: config.leaseMs,
      retention: { maxChanges: config.changelogMax, maxAgeMs: config.changelogMaxAgeMs },
      liveness: {
        expireAfterMs: config.expireAfterMs,
        circuitThreshold: config.circuitThreshold,
        circuitOpenMs: config.circuitOpenMs,
        probeIntervalMs: config.probeIntervalMs,
        probeTimeoutMs: config.probeTimeoutMs,
        probeAllow: addressRulesOf(config),
      },
      notices: {
        groupCommitted: (group) => metrics.groupCommitted(group),
        agentsChanged: (changes) => agentLog.note(changes),
        tokenChanged: (notice) => systemEvents.tokenChanged(notice),
        guard(namespace, notice, numbers) {
          const found = { namespace, ...numbers };
          if (notice === 'suspended') logger.warn(found, 'many agents fail together: no agent is tripped or expired');
          else logger.info(found, 'liveness has resumed after a mass failure: all failures count from zero');
          systemEvents.guard(namespace, notice, numbers);
        },
        circuitChanged: (change) => systemEvents.circuitChanged(change),
      },
      onError,
      ...bookmarks,
    });
    stack.defer(() => registry.close());

    const operations = createOperations({
      database,
      clock,
      signal: wakeUps,
      replica,
      vitals: () => ({ streams: metrics.openMainStreams(), suspended: registry.suspended() }),
      streams: () => bus.streams(),
      parts: [registry.tokenUses],
      auditMaxAgeMs: config.auditMaxAgeMs,
      sessionMs: config.sessionMs,
      onAuditHead: (head) =>
        logger.info(head, 'the head of the audit: `swarm audit verify --head HASH` compares with it'),
      onError: monitors.onBackgroundError(
        'a report of this replica, or a part of the audit, failed and will be retried',
      ),
    });
    stack.defer(() => operations.close());

    stack.defer(() => questions.close());
    questions.start();
    const server = createSwarmServer({
      registry,
      bus,
      operations,
      stores: storeStatuses({ database, databaseHealth, redis, clock }),
      questions,
      metrics,
      logger,
      clock,
      surfaces: [
        metricsSurface,
        healthSurface(checksOf({ databaseHealth, redisHealth, wakeUps, registry })),
        restSurface,
        trpcSurface,
        ...(config.mcp ? [mcpSurface({ publicUrl: config.publicUrl })] : []),
        ...(config.ui === null ? [] : [sessionSurface, pageSurface({ folder: config.ui })]),
      ],
      version: VERSION,
      registerPerSecond: config.rateRegister,
      allowances: allowancesOf(config),
      corsOrigins: config.corsOrigins,
      publicUrl: config.publicUrl,
      servesPage: config.ui !== null,
    });
    stack.defer(() => server.close());
    const port = await server.listen(config.host, config.port);
    signal.throwIfAborted();

    const running = stack.move();
    return {
      url: `http://${config.host.includes(':') ? `[${config.host}]` : config.host}:${port}`,
      port,
      dataDir: dataDir?.path ?? null,
      tokens,
      registry,
      bus,
      operations,
      gate: server.gate,
      close: () => running.disposeAsync(),
    };
  } catch (error) {
    await stack.disposeAsync();
    throw error;
  }
}

/** Most consumer groups that one agent makes. */
const GROUPS_OF_AGENT = 16;
/** Longer than two stores' clocks differ, in milliseconds: the database counts the rest of names, and Redis the window. */
const NAME_REST_MARGIN_MS = 60_000;

/** Everything that a core keeps in its database. */
export const SCHEMAS: readonly SchemaSources[] = [storesSchema, registrySchema, busSchema, operationsSchema];

interface Preparation {
  readonly config: CoreConfiguration;
  readonly clock: Clock;
  readonly logger: Logger;
  readonly signal: AbortSignal;
}

/** Waits for the database, refuses an address that can not serve, brings the schema up to date and reads the database's clock. */
async function prepareDatabase(database: Database, { config, clock, logger, signal }: Preparation): Promise<void> {
  const { databaseUrl } = config;
  const onRetry = (error: unknown) => {
    const reason = error instanceof Error ? `: ${reasonOf(error)}` : '';
    logger.warn({ err: error }, `${nameOfDatabase(config)} does not answer yet${reason}`);
  };
  const attempt = async () => {
    if (databaseUrl !== null) await refuseSharedSessions(databaseUrl, clock);
    await migrateDatabase(database, databaseUrl);
    await database.read();
  };
  try {
    await untilItAnswers(attempt, { clock, signal, onRetry });
  } catch (error) {
    const isOurs =
      error instanceof SharedSessionError || isMisconfigured(error) || refusalOf(error).code === 'UNAVAILABLE';
    if (databaseUrl === null || !isOurs) throw error;
    throw new Error(`DATABASE_URL: ${reasonOf(error as Error)}`, { cause: error });
  }
}

/** A clock whose time of day is the database's. */
const withTimeOf = ({ time }: Database, clock: Clock): Clock => ({
  epochMs: () => time.epochMs(),
  monotonicMs: () => clock.monotonicMs(),
  schedule: (delayMs, run) => clock.schedule(delayMs, run),
  random: () => clock.random(),
  newId: () => clock.newId(),
});

const nameOfDatabase = ({ databaseUrl }: CoreConfiguration): string =>
  databaseUrl === null ? 'the embedded database (SWARM_DATA_DIR)' : 'PostgreSQL (DATABASE_URL)';

function placeOf({ databaseUrl, dataDir }: CoreConfiguration, image: string | undefined) {
  if (databaseUrl !== null) return { url: databaseUrl };
  return image === undefined ? { dataDir } : { image };
}

/** A migration may take as long as it needs: on a server it has a connection without a statement timeout. */
export async function migrateDatabase(database: Database, url: string | null): Promise<void> {
  if (url === null) return migrate(database.kysely, SCHEMAS);
  const patient = await openDatabase({ url, maxConnections: 1, statementTimeoutMs: 0 });
  try {
    await migrate(patient.kysely, SCHEMAS);
  } finally {
    await patient.close();
  }
}

function openSignal({ redisUrl, redisPrefix, databaseUrl }: CoreConfiguration, monitors: StoreMonitors): Signal {
  const onFault = monitors.onBackgroundError('a listener of wake-ups between replicas failed');
  if (redisUrl === null && databaseUrl === null) return createLocalSignal({ onError: onFault });
  const outage = monitors.outage(`the wake-ups between replicas (${redisUrl === null ? 'DATABASE_URL' : 'REDIS_URL'})`);
  // While there is a link, only a listener can have failed.
  const onError = (error: Error) => (signal.linked ? onFault(error) : outage.failed(error));
  const signal: Signal =
    redisUrl === null
      ? createPostgresSignal({ connectionString: databaseUrl ?? '', onError })
      : createRedisSignal({ url: redisUrl, prefix: redisPrefix, onError });
  signal.onLinked(() => outage.recovered());
  return signal;
}

/** Events are in Redis where there is one, and in the database otherwise. */
function openStore(
  config: CoreConfiguration,
  database: Database,
  monitors: StoreMonitors,
): { store: BusStore; redis: { store: RedisStore; health: StoreHealth } | null } {
  const {
    redisUrl,
    redisPrefix: prefix,
    eventsMax,
    eventsMaxBytes,
    eventsMaxAgeMs,
    dedupWindowMs,
    eventIndex,
    journalMaxBytes,
  } = config;
  const retention = { maxEvents: eventsMax, maxBytes: eventsMaxBytes, maxAgeMs: eventsMaxAgeMs };
  const settings = { retention, dedupWindowMs, eventIndex, journalMaxBytes };
  if (redisUrl === null) return { store: openPostgresStore({ database, settings }), redis: null };
  const store = openRedisStore({ url: redisUrl, prefix, settings, onFailure: (error) => health.failed(error) });
  const health = monitors.watchRedis({ store, database, prefix });
  return { store, redis: { store, health } };
}

/**
 * Where nothing is listed: a core that serves this machine alone probes this machine, too. One that others reach would scan the
 * ports of its own machine for them.
 */
function addressRulesOf({ probeAllow, databaseUrl, host }: CoreConfiguration): AddressRules {
  if (probeAllow !== null) return new AddressRules(probeAllow);
  return defaultRules(databaseUrl === null && isLoopback(host) ? 'embedded' : 'server');
}

/** Five patterns to a stream, and calls beside. */
const allowancesOf = ({ streamsMax }: CoreConfiguration) =>
  streamsMax === 0 ? null : { streams: streamsMax, patterns: streamsMax * 5, calls: MAX_CALLS };

/** Calls that an agent may have in flight at a replica. */
const MAX_CALLS = 64;

interface Checked {
  databaseHealth: StoreHealth;
  /** Null where there is no Redis. */
  redisHealth: StoreHealth | null;
  wakeUps: Signal;
  registry: Registry;
}

function checksOf({ databaseHealth, redisHealth, wakeUps, registry }: Checked) {
  const liveness = async () => {
    const suspended = registry.suspended();
    return suspended.length === 0 ? null : `suspended in ${suspended.join(', ')}: many agents failed at the same time`;
  };
  const redis = async (health: StoreHealth) => {
    if (!wakeUps.linked) throw new Error('not connected');
    return health.check();
  };
  return {
    database: () => databaseHealth.check(),
    liveness,
    ...(redisHealth === null ? {} : { redis: () => redis(redisHealth) }),
  };
}

/** The tokens of the configuration, and of the data folder where it gives none. */
async function tokensOf({ adminToken, joinToken }: CoreConfiguration, dataDir: DataDir | null): Promise<CoreTokens> {
  if (dataDir === null) return { admin: adminToken, join: joinToken, viewer: null };
  const kept = await dataDir.credentials({ adminToken, joinToken });
  return { admin: kept.adminToken, join: kept.joinToken, viewer: kept.viewerToken };
}

function staticTokensOf({ admin, join, viewer }: CoreTokens): StaticToken[] {
  const tokens: StaticToken[] = [];
  if (admin !== null) tokens.push({ token: admin, principal: { kind: 'admin', id: 'static:admin', name: 'admin' } });
  if (join !== null) {
    const scope = { namespace: 'default', roles: '*', names: null, limited: false } as const;
    tokens.push({ token: join, principal: { kind: 'join', id: 'static:join', name: 'join', ...scope } });
  }
  if (viewer !== null) {
    const principal = { kind: 'viewer', id: 'static:viewer', name: 'viewer', namespace: null } as const;
    tokens.push({ token: viewer, principal });
  }
  return tokens;
}
