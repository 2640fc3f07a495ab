import { problemOf, SwarmError } from '@hypercode/contracts';
import { inspect } from 'node:util';
import { describe, expect, test } from 'vitest';
import { refusalOf, unreachable } from './refusal.ts';

const BASE = new URL('http://core.example:7700/swarm/');

test.each([
  ['0', 0],
  ['7', 7_000],
  ['300', 300_000],
  ['301', 300_000],
  ['86400', 300_000],
  ['9'.repeat(30), 300_000],
  ['Wed, 21 Oct 2026 07:28:00 GMT', undefined],
  ['-1', undefined],
  ['1.5', undefined],
  ['', undefined],
])(
  'Retry-After: %s of something on the way to the core is waited for, but not for too long',
  (header, retryAfterMs) => {
    expect(refusalOf({ status: 503, retryAfter: header }, '<h1>Maintenance</h1>', BASE)).toMatchObject({
      code: 'UNAVAILABLE',
      retryAfterMs,
    });
    expect(refusalOf({ status: 429, retryAfter: header }, undefined, BASE)).toMatchObject({
      code: 'RATE_LIMITED',
      retryAfterMs,
    });
  },
);

test('what the core itself asks for is waited for', () => {
  const refusal = new SwarmError('CIRCUIT_OPEN', 'tripped', { retryAfterMs: 3_600_000 });
  const answer = { status: 503, retryAfter: '3600' };
  expect(refusalOf(answer, problemOf(refusal), BASE)).toMatchObject({ code: 'CIRCUIT_OPEN', retryAfterMs: 3_600_000 });
});

test.each([
  [301, 'https://core.example/swarm/v1/events', 'INVALID_INPUT', 'https://core.example/swarm'],
  [308, '/other/v1/events?input=secret', 'INVALID_INPUT', 'http://core.example:7700/other'],
  [307, 'https://user:secret@sso.example/login?token=secret', 'UNAVAILABLE', 'https://sso.example/login'],
  [302, null, 'UNAVAILABLE', 'another address'],
  // What a browser shows of any redirect.
  [0, null, 'UNAVAILABLE', 'another address'],
])(
  'a redirect with status %i to %s is refused, and the refusal names the address to use',
  (status, location, code, to) => {
    const url = new URL('v1/events', BASE);
    const refusal = refusalOf({ status, location, url }, undefined, BASE);
    expect(refusal.code).toBe(code);
    expect(refusal.message).toBe(
      `http://core.example:7700/swarm redirects to ${to}, and the client follows no redirect; set url to the address of the core`,
    );
    expect(JSON.stringify(refusal)).not.toContain('secret');
  },
);

describe('an error of a request that was not answered', () => {
  const reasonOf = (thrown: unknown): string =>
    unreachable(thrown, BASE, ['hunter2-token']).message.replace(
      'the core at http://core.example:7700/swarm could not be reached, or its answer was cut off: ',
      '',
    );
  const coded = (message: string, code: string) => Object.assign(new Error(message), { code });

  test('names the innermost reason, and its code where the words do not', () => {
    const refused = coded('connect ECONNREFUSED 127.0.0.1:7700', 'ECONNREFUSED');
    expect(reasonOf(refused)).toBe('connect ECONNREFUSED 127.0.0.1:7700');
    expect(reasonOf(new TypeError('fetch failed', { cause: refused }))).toBe('connect ECONNREFUSED 127.0.0.1:7700');
    expect(reasonOf(coded('self-signed certificate', 'DEPTH_ZERO_SELF_SIGNED_CERT'))).toBe(
      'self-signed certificate (DEPTH_ZERO_SELF_SIGNED_CERT)',
    );
    expect(reasonOf(new TypeError('Failed to fetch'))).toBe('Failed to fetch');
    expect(reasonOf('odd')).toBe('unknown');
  });

  test('names each address of a host that was tried', () => {
    const each = ['::1', '127.0.0.1'].map((host) => coded(`connect ECONNREFUSED ${host}:7700`, 'ECONNREFUSED'));
    expect(reasonOf(new AggregateError(each))).toBe(
      'connect ECONNREFUSED ::1:7700, connect ECONNREFUSED 127.0.0.1:7700',
    );
  });

  test('shows no token and no password, its cause included', () => {
    const leaky = coded(
      'bad header "Bearer hunter2-token" for https://me:hunter2@proxy:3128 (x-key: hunter2-token)',
      'ERR_INVALID_CHAR',
    );
    Object.assign(leaky, { request: { headers: { authorization: 'hunter2' } } });
    const error = unreachable(leaky, BASE, ['hunter2-token']);
    expect(inspect(error, { depth: 9, showHidden: true })).not.toContain('hunter2');
    expect(error.cause).toMatchObject({ code: 'ERR_INVALID_CHAR' });
  });
});
