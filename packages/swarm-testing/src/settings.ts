// What a core of a test runs with: the defaults of a core, but for limits that a test would stumble over.
import type { CoreConfiguration } from '@hypercode/core-runtime';
import { randomBytes } from 'node:crypto';

/** The settings of a core that decide what a test sees. Durations are in milliseconds. */
export type SwarmSettings = Partial<
  Pick<
    CoreConfiguration,
    | 'port'
    | 'leaseMs'
    | 'expireAfterMs'
    | 'probeIntervalMs'
    | 'probeTimeoutMs'
    | 'circuitThreshold'
    | 'circuitOpenMs'
    | 'dedupWindowMs'
    | 'eventsMax'
    | 'groupsMax'
    | 'ratePublish'
    | 'ratePublishBytes'
    | 'streamsMax'
    | 'rateRegister'
  >
>;

const HOUR_MS = 3_600_000;
const WEEK_MS = 7 * 24 * HOUR_MS;

/** With tokens of its own, which no other core takes. */
export const configurationOf = (settings: SwarmSettings): CoreConfiguration => ({
  host: '127.0.0.1',
  port: 0,
  dataDir: '',
  databaseUrl: null,
  redisUrl: null,
  redisPrefix: 'swarm',
  adminToken: token('swadm'),
  joinToken: token('swjoin'),
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
  changelogMaxAgeMs: WEEK_MS,
  auditMaxAgeMs: WEEK_MS,
  eventsMax: 100_000,
  eventsMaxBytes: 2 ** 28,
  eventsMaxAgeMs: WEEK_MS,
  groupsMax: 100_000,
  ratePublish: 0,
  ratePublishBytes: 0,
  streamsMax: 200,
  rateRegister: 0,
  corsOrigins: [],
  publicUrl: null,
  sessionMs: 12 * HOUR_MS,
  mcp: false,
  ui: null,
  ...settings,
});

const token = (prefix: string): string => `${prefix}_${randomBytes(32).toString('base64url')}`;
