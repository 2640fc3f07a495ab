// The environment as operators write it, right and wrong, and the page that documents it.
import { ConfigError } from '@hypercode/settings';
import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { configurationPage } from './configuration-page.ts';
import { parseConfig } from './parse-config.ts';

const TOKEN = { SWARM_JOIN_TOKEN: 'a-token-of-16-or-more' };

const problemOf = (env: Record<string, string>): string => {
  try {
    parseConfig(env);
  } catch (error) {
    if (error instanceof ConfigError) return error.message;
    throw error;
  }
  throw new Error('expected the configuration to be refused');
};

test('a token is enough', () => {
  expect(parseConfig(TOKEN)).toMatchObject({
    swarmUrl: 'http://127.0.0.1:7700',
    name: 'architect',
    namespace: 'default',
    standby: false,
    host: '127.0.0.1',
    port: 7710,
    healthUrl: null,
    model: null,
    maxAttempts: 5,
  });
});

test('a model has an address, a name, and perhaps a key', () => {
  const model = { ARCHITECT_MODEL_URL: 'http://127.0.0.1:1/v1', ARCHITECT_MODEL: 'small' };
  expect(parseConfig({ ...TOKEN, ...model }).model).toEqual({
    url: 'http://127.0.0.1:1/v1',
    model: 'small',
    key: undefined,
  });
  expect(parseConfig({ ...TOKEN, ...model, ARCHITECT_MODEL_KEY: 'key' }).model?.key).toBe('key');
});

test.each([
  [{}, 'SWARM_JOIN_TOKEN is missing'],
  [{ ...TOKEN, ARCHITECT_MODEL_URL: 'http://127.0.0.1:1/v1' }, 'ARCHITECT_MODEL is missing'],
  [{ ...TOKEN, ARCHITECT_MODEL: 'small' }, 'ARCHITECT_MODEL_URL is missing: it is required when ARCHITECT_MODEL'],
  [{ ...TOKEN, ARCHITECT_MODEL_KEY: 'key' }, 'ARCHITECT_MODEL_URL is missing'],
  [{ ...TOKEN, ARCHITECT_NAME: 'Architect' }, 'ARCHITECT_NAME is "Architect"'],
  [{ ...TOKEN, ARCHITECT_STANDBY: 'perhaps' }, 'ARCHITECT_STANDBY is "perhaps": expected true or false'],
  [{ SWARM_JOIN_TOKEN: 'short' }, 'SWARM_JOIN_TOKEN is not usable (its value is not shown)'],
])('%j is refused', (env, message) => expect(problemOf(env)).toContain(message));

test('the page says what the settings say', () => {
  const page = readFileSync(new URL('../../../../docs/architect-configuration.md', import.meta.url), 'utf8');
  expect(page).toBe(configurationPage());
});
