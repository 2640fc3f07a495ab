// Every variable of the environment that core reads: the one list behind the configuration and its documentation.
import {
  address,
  addresses,
  flag,
  host,
  integer,
  listOf,
  logLevel,
  milliseconds,
  port,
  setting,
  token,
} from '@hypercode/settings';
import { z } from 'zod';

const DAY_MS = 86_400_000;
const MAX_AGE_MS = 3_650 * DAY_MS;

const isOrigin = (text: string): boolean => {
  const url = URL.canParse(text) ? new URL(text) : null;
  return url !== null && /^https?:$/.test(url.protocol) && url.origin === text;
};

export const SETTINGS = {
  host: setting({
    variable: 'SWARM_HOST',
    ...host,
    default: '127.0.0.1',
    meaning: 'Address to listen on; `0.0.0.0` or `::` for all.',
  }),
  port: setting({
    variable: 'SWARM_PORT',
    ...port,
    default: '7700',
    meaning: 'Port to listen on; 0 picks a free one.',
  }),
  logLevel: setting({
    variable: 'SWARM_LOG_LEVEL',
    ...logLevel,
    default: 'info',
    meaning: 'Lowest level of log lines that are written.',
  }),
  dataDir: setting({
    variable: 'SWARM_DATA_DIR',
    schema: z.string().refine((text) => !text.includes('\0')),
    expects: 'the path of a folder',
    default: '.swarm',
    defaultMeans: "`.swarm` in the workspace's root",
    meaning:
      'Folder of the embedded database and its credentials; locked by one process. A relative path starts at the root of the workspace, or outside of a workspace at the current folder.',
  }),
  databaseUrl: setting({
    variable: 'DATABASE_URL',
    ...address(['postgres:', 'postgresql:']),
    default: null,
    meaning:
      'PostgreSQL 15 or later, directly or through a pooler with session pooling; `?schema=NAME` puts all tables into that schema. Absent: the embedded database in `SWARM_DATA_DIR`.',
  }),
  redisUrl: setting({
    variable: 'REDIS_URL',
    ...addresses(['redis:', 'rediss:']),
    default: null,
    meaning:
      'Redis 7 or later; several addresses separated by commas are nodes of one Redis Cluster. Absent: events are in the database, too. Redis also works with the embedded database.',
  }),
  redisPrefix: setting({
    variable: 'SWARM_REDIS_PREFIX',
    schema: z.string().regex(/^[A-Za-z0-9._-]{1,64}$/),
    expects: '1 to 64 letters, digits and ._-',
    default: 'swarm',
    meaning:
      'Begins every key and channel in Redis, so that two swarms can share one Redis. The same on all replicas of a swarm.',
  }),
  adminToken: setting({
    variable: 'SWARM_ADMIN_TOKEN',
    ...token,
    default: null,
    defaultMeans: 'embedded: made at the first start; required with `DATABASE_URL`',
    meaning: 'Admin token, which may do everything in every namespace.',
  }),
  joinToken: setting({
    variable: 'SWARM_JOIN_TOKEN',
    ...token,
    default: null,
    defaultMeans: 'embedded: made at the first start; none with `DATABASE_URL`',
    meaning:
      'Join token, with which agents of all roles register in the namespace `default`. Must differ from `SWARM_ADMIN_TOKEN`.',
  }),
  leaseMs: setting({
    variable: 'SWARM_LEASE_MS',
    ...milliseconds(),
    default: '30000',
    meaning:
      'Lease of agents that ask for none: how long a heartbeat, or any other call, counts. An agent that makes none for longer becomes unhealthy.',
  }),
  expireAfterMs: setting({
    variable: 'SWARM_EXPIRE_AFTER_MS',
    ...milliseconds(MAX_AGE_MS),
    default: '3600000',
    meaning: 'How long after the end of its lease an agent without a heartbeat is removed.',
  }),
  probeIntervalMs: setting({
    variable: 'SWARM_PROBE_INTERVAL_MS',
    ...milliseconds(),
    default: '10000',
    meaning: 'Time between two probes of a `healthUrl`.',
  }),
  probeTimeoutMs: setting({
    variable: 'SWARM_PROBE_TIMEOUT_MS',
    ...milliseconds(),
    default: '2000',
    meaning: 'How long a probe waits for an answer; never longer than three fifths of `SWARM_PROBE_INTERVAL_MS`.',
  }),
  probeAllow: setting({
    variable: 'SWARM_PROBE_ALLOW',
    schema: listOf(z.union([z.cidrv4(), z.cidrv6()])),
    expects: 'CIDR ranges separated by commas, such as 10.0.0.0/8,fd00::/8',
    default: null,
    defaultMeans: 'embedded and with a `SWARM_HOST` on loopback: `127.0.0.0/8,::1/128`; otherwise none',
    meaning: 'Loopback and private address ranges that probes may reach. Public addresses are always allowed.',
  }),
  circuitThreshold: setting({
    variable: 'SWARM_CIRCUIT_THRESHOLD',
    ...integer(0, 1_000_000),
    default: '3',
    meaning: 'The circuit of an agent opens when its consecutive failures exceed this number.',
  }),
  circuitOpenMs: setting({
    variable: 'SWARM_CIRCUIT_OPEN_MS',
    ...milliseconds(),
    default: '30000',
    meaning: 'How long a circuit stays open before it is half open. It doubles with each failed trial, up to 300000.',
  }),
  dedupWindowMs: setting({
    variable: 'SWARM_DEDUP_WINDOW_MS',
    ...milliseconds(MAX_AGE_MS),
    default: '600000',
    meaning: 'Deduplication window: how long an event that is published again is recognised as a duplicate.',
  }),
  eventIndex: setting({
    variable: 'SWARM_EVENT_INDEX',
    ...flag,
    default: 'true',
    meaning:
      'Whether the ids of events are put into an index, so that an event is found by its id without a search of the log. All replicas ' +
      'need the same value.',
  }),
  changelogMax: setting({
    variable: 'SWARM_CHANGELOG_MAX',
    ...integer(1, 1_000_000_000),
    default: '100000',
    meaning: 'Changes of agents that are kept per namespace. A watch can resume that far back.',
  }),
  changelogMaxAgeMs: setting({
    variable: 'SWARM_CHANGELOG_MAX_AGE_MS',
    ...milliseconds(MAX_AGE_MS),
    default: String(7 * DAY_MS),
    defaultMeans: `${7 * DAY_MS} (7 days)`,
    meaning: 'How long changes of agents are kept. A watch can resume that far back.',
  }),
  auditMaxAgeMs: setting({
    variable: 'SWARM_AUDIT_MAX_AGE_MS',
    ...milliseconds(MAX_AGE_MS),
    default: String(365 * DAY_MS),
    defaultMeans: `${365 * DAY_MS} (1 year)`,
    meaning: 'How long the audit is kept: the record of what operators and admins did.',
  }),
  eventsMax: setting({
    variable: 'SWARM_EVENTS_MAX',
    ...integer(1, 1_000_000_000_000),
    default: '1000000',
    meaning: 'Events that are kept per namespace.',
  }),
  eventsMaxBytes: setting({
    variable: 'SWARM_EVENTS_MAX_BYTES',
    ...integer(1, Number.MAX_SAFE_INTEGER, 'bytes'),
    default: String(2 ** 30),
    defaultMeans: `${2 ** 30} (1 GiB)`,
    meaning: 'Bytes of events that are kept per namespace.',
  }),
  journalMaxBytes: setting({
    variable: 'SWARM_JOURNAL_MAX_BYTES',
    ...integer(0, Number.MAX_SAFE_INTEGER, 'bytes'),
    default: String(2 ** 28),
    defaultMeans: `${2 ** 28} (256 MiB)`,
    meaning:
      'Bytes of records of settled deliveries that are kept per namespace, for traces. The oldest go first, and with their events. 0 keeps none.',
  }),
  eventsMaxAgeMs: setting({
    variable: 'SWARM_EVENTS_MAX_AGE_MS',
    ...milliseconds(MAX_AGE_MS),
    default: String(7 * DAY_MS),
    defaultMeans: `${7 * DAY_MS} (7 days)`,
    meaning: 'How long events are kept.',
  }),
  groupsMax: setting({
    variable: 'SWARM_GROUPS_MAX',
    ...integer(1, 1_000_000),
    default: '100000',
    meaning: 'Consumer groups in a namespace. One agent makes at most 16.',
  }),
  ratePublish: setting({
    variable: 'SWARM_RATE_PUBLISH',
    ...integer(0, 1_000_000_000),
    default: '5000',
    meaning: 'Events per second that one agent or token may publish on each replica; 0 is no limit.',
  }),
  ratePublishBytes: setting({
    variable: 'SWARM_RATE_PUBLISH_BYTES',
    ...integer(0, Number.MAX_SAFE_INTEGER, 'bytes'),
    default: String(2 * 2 ** 20),
    defaultMeans: `${2 * 2 ** 20} (2 MiB)`,
    meaning:
      'Bytes of events per second, as JSON, that one agent or token may publish on each replica, after a pause up to 8 MiB at once; 0 is no limit.',
  }),
  rateRegister: setting({
    variable: 'SWARM_RATE_REGISTER',
    ...integer(0, 1_000_000_000),
    default: '100',
    meaning:
      'Registrations per second of one name with one token on each replica; one token may make 50 times as many, and one agent ' +
      'may be updated as often. 0 is no limit.',
  }),
  streamsMax: setting({
    variable: 'SWARM_STREAMS_MAX',
    ...integer(0, 1_000_000),
    default: '200',
    meaning:
      'Streams that one agent may have open at each replica, with five times as many topic patterns over them, and 64 calls in ' +
      'flight; an operator, viewer or admin token may have five times as much. 0 is no limit.',
  }),
  corsOrigins: setting({
    variable: 'SWARM_CORS_ORIGINS',
    schema: listOf(z.string().refine(isOrigin)),
    expects: 'origins separated by commas, such as https://dashboard.example.com',
    default: '',
    defaultMeans: 'none',
    meaning: 'Origins whose pages may call core from a browser.',
  }),
  publicUrl: setting({
    variable: 'SWARM_PUBLIC_URL',
    schema: z.string().refine(isOrigin),
    expects: 'an origin, such as https://swarm.example.com',
    default: null,
    defaultMeans: 'the dashboard works at loopback names alone, such as `localhost`',
    meaning:
      'Where browsers reach core, without a path. The dashboard works there besides, and links that sign in lead there. Behind a proxy that ends TLS it begins with `https://`.',
  }),
  sessionMs: setting({
    variable: 'SWARM_SESSION_MS',
    ...milliseconds(MAX_AGE_MS),
    default: String(DAY_MS / 2),
    defaultMeans: `${DAY_MS / 2} (12 hours)`,
    meaning: 'How long a browser that has signed in to the dashboard stays signed in, unless its token ends before.',
  }),
  mcp: setting({
    variable: 'SWARM_MCP',
    ...flag,
    default: 'true',
    meaning: 'Whether core serves MCP at `/mcp`, for coding agents ([mcp.md](mcp.md)).',
  }),
  ui: setting({
    variable: 'SWARM_UI',
    ...flag,
    default: 'true',
    meaning: 'Whether core serves the dashboard. Without it, no browser signs in.',
  }),
};
