// Every variable of the environment that core reads: the one list behind the configuration and its documentation.
import { isIP } from 'node:net';
import { z } from 'zod';

export interface Setting<T> {
  /** Name of the variable. */
  readonly variable: string;
  readonly schema: z.ZodType<T, string>;
  /** What a value must be, as an error and the documentation say it. */
  readonly expects: string;
  /** The value that an absent or empty variable stands for, as it would be written there; null is none. */
  readonly default: string | null;
  /** How the documentation says the default, where that is not its text. */
  readonly defaultMeans?: string;
  readonly meaning: string;
  /** Its value is never shown. */
  readonly secret?: boolean;
}

/** A setting without a default is null when its variable is absent. */
export type SettingValue<S> = S extends Setting<infer T> ? (S extends { default: null } ? T | null : T) : never;

const define = <T, const D extends string | null>(setting: Setting<T> & { readonly default: D }) => setting;

const DAY_MS = 86_400_000;
/** The longest wait that a timer of Node.js can hold. */
const MAX_TIMER_MS = 2 ** 31 - 1;
const MAX_AGE_MS = 3_650 * DAY_MS;

function integer(min: number, max: number, unit?: string) {
  const count = unit === undefined ? 'an integer' : `a number of ${unit}`;
  return {
    schema: z
      .string()
      .regex(/^\d{1,16}$/)
      .transform(Number)
      .refine((value) => value >= min && value <= max),
    expects: `${count} from ${min} to ${max}`,
  };
}

const milliseconds = (max: number = MAX_TIMER_MS) => integer(1, max, 'milliseconds');

/** A list separated by commas, with or without spaces; the empty text is the empty list. */
const listOf = (item: z.ZodType<string, string>) =>
  z.string().transform((text, context): string[] => {
    const items = text === '' ? [] : text.split(',').map((part) => part.trim());
    if (items.some((part) => !item.safeParse(part).success)) {
      context.addIssue({ code: 'custom', message: 'not such a list' });
    }
    return items;
  });

function parsedUrl(text: string): URL | null {
  return URL.canParse(text) ? new URL(text) : null;
}

const isHost = (text: string): boolean =>
  isIP(text) !== 0 || (/^(?!-)[A-Za-z0-9.-]{1,253}$/.test(text) && /[A-Za-z]/.test(text));

const isOrigin = (text: string): boolean => {
  const url = parsedUrl(text);
  return url !== null && /^https?:$/.test(url.protocol) && url.origin === text;
};

function address(protocols: readonly string[]) {
  return {
    schema: z.string().refine((text) => {
      const url = parsedUrl(text);
      return url !== null && protocols.includes(url.protocol) && /^[^:]+:\/\//.test(text);
    }),
    expects: `an address that begins with ${protocols.map((protocol) => `${protocol}//`).join(' or ')}`,
    default: null,
    secret: true,
  };
}

/** One address, or several separated by commas. */
function addresses(protocols: readonly string[]) {
  const one = address(protocols);
  return {
    ...one,
    schema: z.string().refine((text) => text.split(',').every((part) => one.schema.safeParse(part).success)),
    expects: `${one.expects}, or several of them separated by commas`,
  };
}

const token = {
  schema: z.string().regex(/^[\x21-\x7e]{16,256}$/),
  expects: '16 to 256 printable ASCII characters without spaces',
  default: null,
  secret: true,
};

const LOG_LEVELS = ['fatal', 'error', 'warn', 'info', 'debug', 'trace', 'silent'] as const;

export const SETTINGS = {
  host: define({
    variable: 'SWARM_HOST',
    schema: z.string().refine(isHost),
    expects: 'an IP address or a host name',
    default: '127.0.0.1',
    meaning: 'Address to listen on; `0.0.0.0` or `::` for all.',
  }),
  port: define({
    variable: 'SWARM_PORT',
    ...integer(0, 65_535),
    default: '7700',
    meaning: 'Port to listen on; 0 picks a free one.',
  }),
  logLevel: define({
    variable: 'SWARM_LOG_LEVEL',
    schema: z.enum(LOG_LEVELS),
    expects: `one of ${LOG_LEVELS.join(', ')}`,
    default: 'info',
    meaning: 'How much is logged.',
  }),
  dataDir: define({
    variable: 'SWARM_DATA_DIR',
    schema: z.string().refine((text) => !text.includes('\0')),
    expects: 'the path of a folder',
    default: '.swarm',
    defaultMeans: "`.swarm` in the workspace's root",
    meaning:
      "Embedded database and credentials; locked by one process. A relative path begins at the workspace's root, or outside of a workspace at the current folder.",
  }),
  databaseUrl: define({
    variable: 'DATABASE_URL',
    ...address(['postgres:', 'postgresql:']),
    meaning: 'PostgreSQL 15 or later. Absent: the embedded database in `SWARM_DATA_DIR`.',
  }),
  redisUrl: define({
    variable: 'REDIS_URL',
    ...addresses(['redis:', 'rediss:']),
    meaning:
      'Redis 7 or later; several addresses separated by commas are nodes of one Redis Cluster. Absent: everything is in the database. It may stand beside the embedded database.',
  }),
  adminToken: define({
    variable: 'SWARM_ADMIN_TOKEN',
    ...token,
    defaultMeans: 'made once when embedded; must be given with `DATABASE_URL`',
    meaning: 'Token that may do everything.',
  }),
  joinToken: define({
    variable: 'SWARM_JOIN_TOKEN',
    ...token,
    defaultMeans: 'made once when embedded; none with `DATABASE_URL`',
    meaning:
      'Token with which agents of all roles register in the namespace `default`. Must differ from `SWARM_ADMIN_TOKEN`.',
  }),
  leaseMs: define({
    variable: 'SWARM_LEASE_MS',
    ...milliseconds(),
    default: '30000',
    meaning: 'How long a heartbeat proves that an agent lives.',
  }),
  expireAfterMs: define({
    variable: 'SWARM_EXPIRE_AFTER_MS',
    ...milliseconds(MAX_AGE_MS),
    default: '3600000',
    meaning: 'How long after its last heartbeat an agent is removed.',
  }),
  probeIntervalMs: define({
    variable: 'SWARM_PROBE_INTERVAL_MS',
    ...milliseconds(),
    default: '10000',
    meaning: 'Time between two probes of a `healthUrl`.',
  }),
  probeTimeoutMs: define({
    variable: 'SWARM_PROBE_TIMEOUT_MS',
    ...milliseconds(),
    default: '2000',
    meaning: 'How long a probe waits for its answer.',
  }),
  probeAllow: define({
    variable: 'SWARM_PROBE_ALLOW',
    schema: listOf(z.union([z.cidrv4(), z.cidrv6()])),
    expects: 'CIDR ranges separated by commas, such as 10.0.0.0/8,fd00::/8',
    default: null,
    defaultMeans: 'by mode',
    meaning: 'Address ranges that probes may reach.',
  }),
  circuitThreshold: define({
    variable: 'SWARM_CIRCUIT_THRESHOLD',
    ...integer(0, 1_000_000),
    default: '3',
    meaning: "An agent's circuit opens when its consecutive failures exceed this.",
  }),
  circuitOpenMs: define({
    variable: 'SWARM_CIRCUIT_OPEN_MS',
    ...milliseconds(),
    default: '30000',
    meaning: 'How long a circuit stays open before a trial; doubles with each bad one, up to 300000.',
  }),
  dedupWindowMs: define({
    variable: 'SWARM_DEDUP_WINDOW_MS',
    ...milliseconds(MAX_AGE_MS),
    default: '600000',
    meaning: 'How long an event that is published again is recognised.',
  }),
  changelogMax: define({
    variable: 'SWARM_CHANGELOG_MAX',
    ...integer(1, 1_000_000_000),
    default: '100000',
    meaning: 'How many changes back a watch can resume, per namespace.',
  }),
  changelogMaxAgeMs: define({
    variable: 'SWARM_CHANGELOG_MAX_AGE_MS',
    ...milliseconds(MAX_AGE_MS),
    default: String(7 * DAY_MS),
    defaultMeans: `${7 * DAY_MS} (7 days)`,
    meaning: 'How long ago a watch can resume, per namespace.',
  }),
  eventsMax: define({
    variable: 'SWARM_EVENTS_MAX',
    ...integer(1, 1_000_000_000_000),
    default: '1000000',
    meaning: 'How many events are kept, per namespace.',
  }),
  eventsMaxBytes: define({
    variable: 'SWARM_EVENTS_MAX_BYTES',
    ...integer(1, Number.MAX_SAFE_INTEGER, 'bytes'),
    default: String(2 ** 30),
    defaultMeans: `${2 ** 30} (1 GiB)`,
    meaning: 'How many bytes of events are kept, per namespace.',
  }),
  eventsMaxAgeMs: define({
    variable: 'SWARM_EVENTS_MAX_AGE_MS',
    ...milliseconds(MAX_AGE_MS),
    default: String(7 * DAY_MS),
    defaultMeans: `${7 * DAY_MS} (7 days)`,
    meaning: 'How long events are kept, per namespace.',
  }),
  ratePublish: define({
    variable: 'SWARM_RATE_PUBLISH',
    ...integer(0, 1_000_000_000),
    default: '5000',
    meaning: 'Events a second that an agent may publish, per replica; 0 is no limit.',
  }),
  rateRegister: define({
    variable: 'SWARM_RATE_REGISTER',
    ...integer(0, 1_000_000_000),
    default: '100',
    meaning: 'Registrations a second that a token may make, per replica; 0 is no limit.',
  }),
  corsOrigins: define({
    variable: 'SWARM_CORS_ORIGINS',
    schema: listOf(z.string().refine(isOrigin)),
    expects: 'origins separated by commas, such as https://dashboard.example.com',
    default: '',
    defaultMeans: 'none',
    meaning: 'Origins whose pages may call core from a browser.',
  }),
};
