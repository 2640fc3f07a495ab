// Secrets out of files; what values are taken and refused is tested where settings are listed.
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { ConfigError, readSettings } from './read-settings.ts';
import { setting } from './setting.ts';
import { milliseconds, port, token } from './values.ts';

const SETTINGS = {
  key: setting({ variable: 'APP_KEY', ...token, default: null, meaning: 'A key.' }),
  port: setting({ variable: 'APP_PORT', ...port, default: null, meaning: 'A port.' }),
  timeoutMs: setting({ variable: 'APP_TIMEOUT_MS', ...milliseconds(), default: '10', meaning: 'A time.' }),
};
let folder: string;
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'settings-'));
  writeFileSync(join(folder, 'good'), 'a-key-of-16-or-more\n');
  writeFileSync(join(folder, 'short'), 'short-secret\n');
});
afterAll(() => rmSync(folder, { recursive: true }));

const problemOf = (env: Record<string, string>): string => {
  try {
    readSettings(SETTINGS, env);
  } catch (error) {
    if (error instanceof ConfigError) return error.message;
    throw error;
  }
  throw new Error('expected the settings to be refused');
};

test('a secret can be given as a file', () => {
  expect(readSettings(SETTINGS, { APP_KEY_FILE: join(folder, 'good') })).toEqual({
    key: 'a-key-of-16-or-more',
    port: null,
    timeoutMs: 10,
  });
});

test('an empty path is none', () => {
  expect(readSettings(SETTINGS, { APP_KEY_FILE: '' }).key).toBeNull();
});

test('what is no secret has no file', () => {
  expect(readSettings(SETTINGS, { APP_TIMEOUT_MS_FILE: join(folder, 'nowhere') }).timeoutMs).toBe(10);
});

test.each([
  [
    'both are given',
    { APP_KEY: 'a-key-of-16-or-more', APP_KEY_FILE: '/x' },
    'APP_KEY_FILE and APP_KEY are both set: set only one of them',
  ],
  [
    'the file is missing',
    { APP_KEY_FILE: '/nowhere/at/all' },
    'APP_KEY_FILE names a file that cannot be read (ENOENT)',
  ],
])('is refused when %s', (_, env, message) => expect(problemOf(env)).toBe(message));

test('a port that Kubernetes has set for a Service is refused with what to do', () => {
  expect(problemOf({ APP_PORT: 'tcp://10.152.183.152:7700' })).toBe(
    'APP_PORT is "tcp://10.152.183.152:7700": expected an integer from 0 to 65535. Kubernetes sets it because the namespace ' +
      'has a Service named "app": set enableServiceLinks: false in the pod, or APP_PORT itself',
  );
  expect(problemOf({ APP_PORT: 'tcp' })).toBe('APP_PORT is "tcp": expected an integer from 0 to 65535');
});

test('what the file holds is never shown', () => {
  expect(problemOf({ APP_KEY_FILE: join(folder, 'short') })).toBe(
    'APP_KEY is not usable (its value is not shown): expected 16 to 256 printable ASCII characters without spaces',
  );
});
