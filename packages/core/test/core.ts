// For tests: a whole core in this process, on an embedded database of its own, and what its refusals look like.
import { Bus, busMigrations, openPostgresStore, type PolicySchema } from '@hypercode/bus';
import { ERROR_CODES, type ErrorCode, Problem } from '@hypercode/contracts';
import { createLocalSignal } from '@hypercode/feed';
import { migrate, openDatabase } from '@hypercode/stores';
import { Registry, registryMigrations } from '@hypercode/registry';
import { embeddedFolder } from '@hypercode/testkit';
import { pino } from 'pino';
import { expect } from 'vitest';
import { createSwarmServer, type SwarmServerOptions } from '@hypercode/server';

export interface TestCoreOptions extends Partial<
  Pick<SwarmServerOptions, 'registerPerSecond' | 'corsOrigins' | 'checks'>
> {
  leaseMs?: number;
  bookmarkIntervalMs?: number;
  /** Default 0: no limit. */
  publishPerSecond?: number;
}

export interface TestCore {
  /** `http://127.0.0.1:PORT`. */
  readonly url: string;
  readonly port: number;
  readonly registry: Registry;
  readonly bus: Bus;
  /** What was logged, as pino writes it; begins empty. */
  readonly log: Record<string, unknown>[];
  /** Calls a route with a token (default the admin's) and an optional JSON body. */
  fetch(path: string, options?: TestRequest): Promise<Response>;
  close(): Promise<void>;
}

export interface TestRequest extends RequestInit {
  /** Default: the admin token. Null: none. */
  token?: string | null;
  /** Sent as JSON. */
  json?: unknown;
}

export const ADMIN_TOKEN = 'admin-token-of-the-tests';
export const JOIN_TOKEN = 'join-token-of-the-tests';
export const VIEWER_TOKEN = 'viewer-token-of-the-tests';

/** How long a start may take on a machine that is busy with other tests, in milliseconds. */
export const START_TIMEOUT_MS = 180_000;

/** Starts a core on a free port. It takes a second or two: share one among the tests of a file. */
export async function startTestCore(options: TestCoreOptions = {}): Promise<TestCore> {
  const { leaseMs = 30_000, bookmarkIntervalMs, registerPerSecond = 0, corsOrigins = [], checks } = options;
  const { publishPerSecond = 0 } = options;
  const folder = await embeddedFolder('core');
  const database = await openDatabase({ dataDir: folder.path });
  await migrate(database.kysely, { ...registryMigrations, ...busMigrations });
  const log: Record<string, unknown>[] = [];
  const logger = pino({ level: 'debug' }, { write: (line: string) => void log.push(JSON.parse(line)) });
  const signal = createLocalSignal();
  const registry = new Registry({
    database,
    signal,
    leaseMs,
    staticTokens: [
      { token: ADMIN_TOKEN, principal: { kind: 'admin', id: 'admin', name: 'admin' } },
      { token: VIEWER_TOKEN, principal: { kind: 'viewer', id: 'viewer', name: 'viewer', namespace: null } },
      {
        token: JOIN_TOKEN,
        principal: { kind: 'join', id: 'join', name: 'join', namespace: 'default', roles: '*', limited: false },
      },
    ],
    retention: { maxChanges: 100_000, maxAgeMs: 86_400_000 },
    onError: (error) => logger.error({ err: error }, 'in the background'),
    ...(bookmarkIntervalMs === undefined ? {} : { bookmarkIntervalMs }),
  });
  const store = openPostgresStore({
    database,
    settings: {
      retention: { maxEvents: 100_000, maxBytes: 2 ** 30, maxAgeMs: 86_400_000 },
      dedupWindowMs: 600_000,
    },
  });
  const bus = new Bus({
    store,
    db: database.kysely.$extendTables<PolicySchema>(),
    signal,
    publishPerSecond,
    onError: (error) => logger.error({ err: error }, 'in the background'),
    ...(bookmarkIntervalMs === undefined ? {} : { bookmarkIntervalMs }),
  });
  const server = createSwarmServer({
    registry,
    bus,
    logger,
    leaseMs,
    registerPerSecond,
    corsOrigins,
    checks: checks ?? { database: () => database.ping() },
  });
  const port = await server.listen('127.0.0.1', 0);
  const url = `http://127.0.0.1:${port}`;
  return {
    url,
    port,
    registry,
    bus,
    log,
    fetch: (path, { token = ADMIN_TOKEN, json, headers, ...init } = {}) =>
      fetch(`${url}${path}`, {
        ...init,
        headers: {
          ...(token === null ? {} : { authorization: `Bearer ${token}` }),
          ...(json === undefined ? {} : { 'content-type': 'application/json' }),
          ...(headers as Record<string, string> | undefined),
        },
        ...(json === undefined ? {} : { body: JSON.stringify(json) }),
      }),
    close: async () => {
      await server.close();
      await bus.close();
      await store.close();
      await registry.close();
      await signal.close();
      await database.close();
      await folder.remove();
    },
  };
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
