// A whole core in the process of a test, on an embedded database, and what its refusals look like.
import type { Bus } from '@hypercode/bus';
import { type Clock, systemClock } from '@hypercode/clock';
import { ERROR_CODES, type ErrorCode, Problem } from '@hypercode/contracts';
import type { Operations } from '@hypercode/operations';
import type { Registry } from '@hypercode/registry';
import { temporaryFolder } from '@hypercode/testkit';
import { randomUUID } from 'node:crypto';
import { join } from 'node:path';
import { pino } from 'pino';
import { expect } from 'vitest';
import { assembleCore } from '../src/assemble-core.ts';
import type { CoreConfiguration } from '../src/configuration.ts';
import { coreFolder } from './core-folder.ts';

/** Defaults: no limit of rates, no probe of anything but loopback, limits of retention that no test reaches. */
export interface TestCoreOptions extends Partial<CoreConfiguration> {
  /** How often a stream without changes gets a bookmark, in milliseconds. */
  readonly bookmarkIntervalMs?: number;
  /** How far the clock of this core is ahead of the database's, in milliseconds. Default 0. */
  readonly clockAheadMs?: number;
}

export interface TestCore {
  /** `http://127.0.0.1:PORT`. */
  readonly url: string;
  readonly port: number;
  /** Where `joinToken` registers, and where `fetch` goes unless its path names another. */
  readonly namespace: string;
  /** A namespace that no other test uses. */
  freshNamespace(): string;
  readonly adminToken: string;
  /** For all roles. Its holder is trusted for all names, as that of the environment. */
  readonly joinToken: string;
  readonly viewerToken: string;
  readonly registry: Registry;
  readonly bus: Bus;
  readonly operations: Operations;
  /** Calls that are counted for their callers now. */
  openCalls(): number;
  /** Streams that are counted for their callers now. */
  openStreams(): number;
  /** Memory that answers take now. */
  answerBytes(): number;
  /** What was logged since the file began, as pino writes it. */
  log(): readonly Record<string, unknown>[];
  /** Calls a route with a token (default the administrator's) and an optional JSON body. */
  fetch(path: string, options?: TestRequest): Promise<Response>;
  close(): Promise<void>;
}

export interface TestRequest extends RequestInit {
  /** Default: the administrator's. Null: none. */
  token?: string | null;
  /** What the query names, where a path under `/v1` names none. Default: the namespace of the file. Null: none. */
  namespace?: string | null;
  /** Sent as JSON. */
  json?: unknown;
}

/** How long a start may take on a machine that is busy with other tests, in milliseconds. */
export const START_TIMEOUT_MS = 180_000;

const HOUR_MS = 3_600_000;
const DAY_MS = 24 * HOUR_MS;

const configurationOf = (dataDir: string, changes: Partial<CoreConfiguration>): CoreConfiguration => ({
  host: '127.0.0.1',
  port: 0,
  dataDir,
  databaseUrl: null,
  redisUrl: null,
  redisPrefix: 'swarm',
  adminToken: `admin-${randomUUID()}`,
  joinToken: `join-${randomUUID()}`,
  leaseMs: 30_000,
  expireAfterMs: HOUR_MS,
  probeIntervalMs: 10_000,
  probeTimeoutMs: 2_000,
  probeAllow: null,
  circuitThreshold: 3,
  circuitOpenMs: 30_000,
  dedupWindowMs: 600_000,
  eventIndex: true,
  journalMaxBytes: 2 ** 28,
  changelogMax: 100_000,
  changelogMaxAgeMs: DAY_MS,
  auditMaxAgeMs: 365 * DAY_MS,
  eventsMax: 100_000,
  eventsMaxBytes: 2 ** 30,
  eventsMaxAgeMs: DAY_MS,
  ratePublish: 0,
  ratePublishBytes: 0,
  groupsMax: 100_000,
  rateRegister: 0,
  streamsMax: 200,
  corsOrigins: [],
  publicUrl: null,
  sessionMs: 12 * HOUR_MS,
  mcp: true,
  ui: join(dataDir, 'page'),
  ...changes,
});

/**
 * The core's timers keep no process alive, so that a leak check sees those of the test alone. That the core ends its own is tested
 * where they are.
 */
const backgroundClock: Clock = {
  ...systemClock,
  schedule(delayMs, run) {
    const timer = setTimeout(() => void run(), delayMs).unref();
    return () => clearTimeout(timer);
  },
};

/** Starts a core for one file, with settings of its own. A file that needs just a core takes `sharedCore`. */
export async function startTestCore(given: TestCoreOptions = {}): Promise<TestCore> {
  const { bookmarkIntervalMs, clockAheadMs = 0, ...changes } = given;
  const folder = (changes.databaseUrl ?? null) === null ? await coreFolder('core') : temporaryFolder('core');
  const log: Record<string, unknown>[] = [];
  const core = await assembleCore({
    config: configurationOf(folder.path, changes),
    logger: pino({ level: 'debug' }, { write: (line: string) => void log.push(JSON.parse(line)) }),
    signal: new AbortController().signal,
    clock: { ...backgroundClock, epochMs: () => systemClock.epochMs() + clockAheadMs },
    ...(bookmarkIntervalMs === undefined ? {} : { bookmarkIntervalMs }),
  }).catch(async (error: unknown) => {
    await folder.remove();
    throw error;
  });
  const { url, port, registry, bus, operations, gate, tokens } = core;
  const adminToken = tokens.admin ?? '';
  return {
    url,
    port,
    namespace: 'default',
    freshNamespace,
    adminToken,
    joinToken: tokens.join ?? '',
    viewerToken: tokens.viewer ?? '',
    registry,
    bus,
    operations,
    openCalls: () => gate.allowances.open.calls,
    openStreams: () => gate.allowances.open.streams,
    answerBytes: () => gate.memory.bytes,
    log: () => log,
    fetch: (path, { namespace = null, ...options } = {}) =>
      call(`${url}${inNamespace(path, namespace)}`, { token: adminToken, ...options }),
    close: async () => {
      await core.close();
      await folder.remove();
    },
  };
}

/** Files of one worker run one after another, and each begins with the modules of the one before. */
const SHARED = Symbol.for('@hypercode/core-runtime/testing');
const place = globalThis as { [SHARED]?: Promise<TestCore> };

/** The one core of this worker. It ends with the worker. Bookmarks come every 200 ms. */
const coreOfWorker = (): Promise<TestCore> => (place[SHARED] ??= startTestCore({ bookmarkIntervalMs: 200 }));

/**
 * The core that the files of this worker share, with a namespace and a join token of the file's own. `fetch` adds the
 * namespace to paths under `/v1` that name none.
 */
export async function sharedCore(): Promise<TestCore> {
  const core = await coreOfWorker();
  const namespace = freshNamespace();
  const { token: joinToken } = await core.registry.tokens.create(
    { namespace, kind: 'join', name: 'join', roles: '*' },
    { name: 'test' },
  );
  const begun = core.log().length;
  return {
    ...core,
    namespace,
    joinToken,
    log: () => core.log().slice(begun),
    fetch: (path, options) => core.fetch(path, { namespace, ...options }),
    close: () => Promise.resolve(),
  };
}

const freshNamespace = (): string => `test-${randomUUID().slice(0, 18)}`;

function inNamespace(path: string, namespace: string | null): string {
  const { pathname, searchParams } = new URL(path, 'http://core');
  const takesOne = pathname.startsWith('/v1/') && !pathname.endsWith('.json') && !searchParams.has('namespace');
  if (namespace === null || !takesOne) return path;
  return `${path}${path.includes('?') ? '&' : '?'}namespace=${namespace}`;
}

/** Reads the whole body, if it is not a stream, and keeps no connection: what a call leaves open would be a leak to its file. */
async function call(url: string, { token, json, headers, ...init }: Omit<TestRequest, 'namespace'>): Promise<Response> {
  const answer = await fetch(url, {
    ...init,
    headers: {
      connection: 'close',
      ...(token === null ? {} : { authorization: `Bearer ${token}` }),
      ...(json === undefined ? {} : { 'content-type': 'application/json' }),
      ...(headers as Record<string, string> | undefined),
    },
    ...(json === undefined ? {} : { body: JSON.stringify(json) }),
  });
  const isStream = answer.headers.get('content-type') === 'text/event-stream';
  return isStream || answer.body === null ? answer : new Response(await answer.arrayBuffer(), answer);
}

/** Expects the refusal `code` in full, and returns it. */
export async function expectProblem(answer: Response, code: ErrorCode): Promise<Problem> {
  const text = await answer.text();
  expect(text).toContain(`"${code}"`);
  const { http, retryable } = ERROR_CODES[code];
  expect(answer.status).toBe(http);
  expect(answer.headers.get('content-type')).toBe('application/problem+json');
  expect(answer.headers.get('www-authenticate')).toBe(http === 401 ? 'Bearer' : null);
  const problem = Problem.parse(JSON.parse(text));
  expect(problem).toMatchObject({ status: http, code, retryable });
  expect(answer.headers.has('retry-after')).toBe(problem.retryAfterMs !== undefined);
  return problem;
}
