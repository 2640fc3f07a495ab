// What can never work is refused at once, and no refusal shows a value.
import { inspect } from 'node:util';
import { SwarmError } from '@hypercode/contracts';
import { describe, expect, test } from 'vitest';
import { checkHeaders, checkOptions, checkToken } from './client-options.ts';

const GOOD = { url: 'http://127.0.0.1:7700', token: 'hunter2' };

/** The path that the refusal names; it must not show a value. */
function refusedPath(check: () => unknown): string | undefined {
  try {
    check();
  } catch (thrown) {
    const error = SwarmError.from(thrown);
    expect(inspect(error, { depth: 9 })).not.toContain('hunter2');
    return error.is('INVALID_INPUT') ? error.details?.[0]?.path : error.code;
  }
  return undefined;
}

const refused = (options: object): string | undefined => refusedPath(() => checkOptions({ ...GOOD, ...options }));

test.each([
  '',
  undefined,
  null,
  'localhost:7700',
  'ftp://core',
  'http://',
  'http://me@core',
  'http://me:hunter2@core:7700',
  new URL('https://:hunter2@core'),
])('the url %s is refused', (url) => {
  expect(refused({ url })).toBe('url');
});

test.each([undefined, null, 7, '', ' \n', 'hunter2\nx', 'two hunter2', 'hunter2\0', 'hunter2–', {}])(
  'the token %j is refused',
  (token) => {
    expect(refused({ token })).toBe('token');
  },
);

test('white space around a token is left out', () => {
  expect(checkToken('hunter2\r\n')).toBe('hunter2');
  expect(refused({ token: '\thunter2 ' })).toBeUndefined();
});

test('a session takes the place of the token', () => {
  const { url } = GOOD;
  const check = (options: object) => refusedPath(() => checkOptions({ url, ...options } as never));
  expect(check({ session: 'hunter2' })).toBeUndefined();
  expect(check({ session: () => 'hunter2' })).toBeUndefined();
  expect(check({ session: 'hunter2 hunter2' })).toBe('session');
  expect(check({ session: undefined })).toBe('session');
  expect(check({ session: 'hunter2', token: 'hunter2' })).toBe('session');
});

test('a function is asked for its token when there is a request', () => {
  expect(refused({ token: () => '' })).toBeUndefined();
});

describe('headers', () => {
  test.each([
    [{ 'x hunter2': 'a' }, 'headers'],
    [{ '': 'a' }, 'headers'],
    [{ 'x-team': 'hunter2\r\nx-admin: 1' }, 'headers.x-team'],
    [{ 'x-team': 'hunter2 日本' }, 'headers.x-team'],
    [{ 'x-team': 7 }, 'headers.x-team'],
    [{ 'x-team': undefined }, 'headers.x-team'],
    [{ 'X-Team': 'a', 'x-team': 'b' }, 'headers.x-team'],
    [{ Authorization: 'Basic hunter2' }, 'headers.Authorization'],
    [{ 'Transfer-Encoding': 'chunked' }, 'headers.Transfer-Encoding'],
    [{ 'content-type': 'text/plain' }, 'headers.content-type'],
    [{ 'swarm-session': 'hunter2' }, 'headers.swarm-session'],
  ])('%j are refused', (headers, path) => {
    expect(refused({ headers })).toBe(path);
  });

  test('have names in lower case', () => {
    expect(checkHeaders({ 'X-Team': 'Zoë', cookie: '' })).toEqual({ 'x-team': 'Zoë', cookie: '' });
  });
});

test.each([
  [{ timeoutMs: 0 }, 'timeoutMs'],
  [{ timeoutMs: Number.NaN }, 'timeoutMs'],
  [{ timeoutMs: '10' }, 'timeoutMs'],
  [{ publishTimeoutMs: -1 }, 'publishTimeoutMs'],
  [{ publishBuffer: { maxEvents: 0 } }, 'publishBuffer.maxEvents'],
  [{ publishBuffer: { maxBytes: Number.NaN } }, 'publishBuffer.maxBytes'],
  [{ publishBuffer: { whenFull: 'drop' } }, 'publishBuffer.whenFull'],
  [{ whenCircuitOpen: 'wait' }, 'whenCircuitOpen'],
  [{ fetch: 'undici' }, 'fetch'],
  [{ logger: {} }, 'logger'],
  [{ logger: true }, 'logger'],
])('%j is refused', (options, path) => {
  expect(refused(options)).toBe(path);
});

test.each([{}, { timeoutMs: Infinity, publishTimeoutMs: 0.5 }, { logger: false }, { logger: console }, { fetch }])(
  '%j is taken',
  (options) => {
    expect(refused(options)).toBeUndefined();
  },
);
