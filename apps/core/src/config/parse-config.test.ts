// The environment as operators write it, right and wrong, and the page that documents it.
import { readFileSync } from 'node:fs';
import { isAbsolute, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';
import { configurationPage } from './configuration-page.ts';
import { ConfigError } from '@hypercode/settings';
import { parseConfig } from './parse-config.ts';
import { SETTINGS } from './settings.ts';

const ROOT = fileURLToPath(new URL('../../../../', import.meta.url));
const TOKEN = 'a-token-of-16-or-more';

function problemOf(env: Record<string, string>): ConfigError {
  try {
    parseConfig(env);
  } catch (error) {
    if (error instanceof ConfigError) return error;
    throw error;
  }
  throw new Error('expected the configuration to be refused');
}

describe('defaults', () => {
  const expected = {
    host: '127.0.0.1',
    port: 7700,
    logLevel: 'info',
    dataDir: join(ROOT, '.swarm'),
    databaseUrl: null,
    redisUrl: null,
    redisPrefix: 'swarm',
    adminToken: null,
    joinToken: null,
    leaseMs: 30_000,
    expireAfterMs: 3_600_000,
    probeIntervalMs: 10_000,
    probeTimeoutMs: 2_000,
    probeAllow: null,
    circuitThreshold: 3,
    circuitOpenMs: 30_000,
    dedupWindowMs: 600_000,
    eventIndex: true,
    journalMaxBytes: 268_435_456,
    changelogMax: 100_000,
    changelogMaxAgeMs: 604_800_000,
    auditMaxAgeMs: 31_536_000_000,
    eventsMax: 1_000_000,
    eventsMaxBytes: 1_073_741_824,
    eventsMaxAgeMs: 604_800_000,
    ratePublish: 5_000,
    ratePublishBytes: 2_097_152,
    groupsMax: 100_000,
    rateRegister: 100,
    streamsMax: 200,
    corsOrigins: [],
    publicUrl: null,
    sessionMs: 43_200_000,
    mcp: true,
    ui: join(ROOT, 'apps/dashboard/dist'),
  };

  it('stand for absent variables', () => {
    expect(parseConfig({})).toEqual(expected);
  });

  it('stand for empty variables', () => {
    const empty = Object.fromEntries(Object.values(SETTINGS).map(({ variable }) => [variable, '']));
    expect(parseConfig(empty)).toEqual(expected);
  });
});

describe('values', () => {
  it('are taken', () => {
    const config = parseConfig({
      SWARM_HOST: '::',
      SWARM_PORT: '0',
      SWARM_LOG_LEVEL: 'debug',
      SWARM_DATA_DIR: '/var/lib/swarm',
      DATABASE_URL: 'postgres://swarm:p%40ss@db.internal:5433/swarm?sslmode=require',
      REDIS_URL: 'rediss://:secret@redis:6380/1',
      SWARM_ADMIN_TOKEN: TOKEN,
      SWARM_JOIN_TOKEN: `${TOKEN}-join`,
      SWARM_RATE_PUBLISH: '0',
      SWARM_CIRCUIT_THRESHOLD: '0',
      SWARM_PROBE_ALLOW: '10.0.0.0/8, fd00::/8',
      SWARM_CORS_ORIGINS: 'https://a.example.com,http://localhost:5173',
      SWARM_PUBLIC_URL: 'https://swarm.example.com',
      SWARM_UI: 'false',
      SOMETHING_ELSE: 'ignored',
    });
    expect(config).toMatchObject({
      host: '::',
      port: 0,
      logLevel: 'debug',
      dataDir: '/var/lib/swarm',
      databaseUrl: 'postgres://swarm:p%40ss@db.internal:5433/swarm?sslmode=require',
      redisUrl: 'rediss://:secret@redis:6380/1',
      adminToken: TOKEN,
      joinToken: `${TOKEN}-join`,
      ratePublish: 0,
      circuitThreshold: 0,
      probeAllow: ['10.0.0.0/8', 'fd00::/8'],
      corsOrigins: ['https://a.example.com', 'http://localhost:5173'],
      publicUrl: 'https://swarm.example.com',
      ui: null,
    });
  });

  it('take a relative data folder from the root of the workspace', () => {
    const { dataDir } = parseConfig({ SWARM_DATA_DIR: 'elsewhere/data' });
    expect(dataDir).toBe(join(ROOT, 'elsewhere', 'data'));
    expect(isAbsolute(dataDir)).toBe(true);
  });

  it('allow Redis beside the embedded database', () => {
    expect(parseConfig({ REDIS_URL: 'redis://localhost' })).toMatchObject({ databaseUrl: null });
  });
});

describe('a bad value', () => {
  it.each([
    ['SWARM_HOST', 'a host'],
    ['SWARM_HOST', 'http://localhost'],
    ['SWARM_HOST', '999.1.1.1'],
    ['SWARM_PORT', '65536'],
    ['SWARM_PORT', '-1'],
    ['SWARM_PORT', '80.5'],
    ['SWARM_PORT', ' 80'],
    ['SWARM_PORT', '0x50'],
    ['SWARM_LOG_LEVEL', 'loud'],
    ['SWARM_LEASE_MS', '0'],
    ['SWARM_LEASE_MS', '30s'],
    ['SWARM_LEASE_MS', '1e4'],
    ['SWARM_LEASE_MS', '2147483648'],
    ['SWARM_CHANGELOG_MAX', '0'],
    ['SWARM_EVENTS_MAX_BYTES', '9007199254740992'],
    ['SWARM_RATE_REGISTER', '-5'],
    ['SWARM_PROBE_ALLOW', '10.0.0.0'],
    ['SWARM_PROBE_ALLOW', '10.0.0.0/33'],
    ['SWARM_PROBE_ALLOW', '10.0.0.0/8,'],
    ['SWARM_REDIS_PREFIX', 'a:b'],
    ['SWARM_REDIS_PREFIX', '{a}'],
    ['SWARM_CORS_ORIGINS', '*'],
    ['SWARM_CORS_ORIGINS', 'example.com'],
    ['SWARM_CORS_ORIGINS', 'https://example.com/'],
    ['SWARM_CORS_ORIGINS', 'https://example.com/path'],
    ['SWARM_CORS_ORIGINS', 'ftp://example.com'],
    ['SWARM_PUBLIC_URL', 'https://example.com/path'],
    ['SWARM_UI', 'off'],
  ])('%s=%s is named, shown and explained in one line', (variable, value) => {
    const { message } = problemOf({ [variable]: value });
    expect(message).toContain(`${variable} is ${JSON.stringify(value)}: expected `);
    expect(message).not.toContain('\n');
  });

  it.each([
    ['DATABASE_URL', 'mysql://user:hunter2@db/x'],
    ['DATABASE_URL', 'hunter2'],
    ['REDIS_URL', 'http://user:hunter2@redis'],
    ['REDIS_URL', 'redis:hunter2'],
    ['SWARM_ADMIN_TOKEN', 'hunter2'],
    ['SWARM_ADMIN_TOKEN', 'hunter2 with some spaces'],
    ['SWARM_JOIN_TOKEN', 'hunter2-höher-und-weiter'],
    ['SWARM_HOST', 'postgres://user:hunter2@db/x'],
    ['SWARM_LOG_LEVEL', 'swadm_hunter2'],
  ])('%s=%s is named and not shown', (variable, value) => {
    const error = problemOf({ [variable]: value });
    expect(error.message).toContain(`${variable} is not usable (its value is not shown): expected `);
    expect(JSON.stringify([error.message, error.stack, error])).not.toContain('hunter2');
  });

  it('stays on one line and short, whatever it holds', () => {
    const { message } = problemOf({ SWARM_LOG_LEVEL: `line\nline\u2028${'x'.repeat(5_000)}` });
    expect(message).not.toMatch(/[\n\r\u2028\u2029]/);
    expect(message.length).toBeLessThan(250);
  });
});

describe('tokens', () => {
  it('must be given for an administrator when the database is not embedded', () => {
    const error = problemOf({ DATABASE_URL: 'postgres://db/swarm' });
    expect(error.variable).toBe('SWARM_ADMIN_TOKEN');
    expect(error.message).toContain('is missing');
  });

  it('must differ, or every agent could do everything', () => {
    const error = problemOf({ SWARM_ADMIN_TOKEN: TOKEN, SWARM_JOIN_TOKEN: TOKEN });
    expect(error.variable).toBe('SWARM_JOIN_TOKEN');
    expect(error.message).not.toContain(TOKEN);
  });
});

describe('docs/configuration.md', () => {
  it('is what the settings say now', () => {
    expect(readFileSync(join(ROOT, 'docs', 'configuration.md'), 'utf8')).toBe(configurationPage());
  });

  it('names every variable once, in cells that a table can hold', () => {
    const rows = configurationPage()
      .split('\n')
      .filter((line) => line.startsWith('| `'));
    expect(rows.map((row) => /`(\w+)`/.exec(row)?.[1])).toEqual(
      Object.values(SETTINGS).map(({ variable }) => variable),
    );
    expect(rows.map((row) => row.split('|').length)).toEqual(rows.map(() => 6));
  });
});
