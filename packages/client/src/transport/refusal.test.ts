import { problemOf, SwarmError } from '@hypercode/contracts';
import { expect, test } from 'vitest';
import { refusalOf } from './refusal.ts';

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
    expect(refusalOf(503, '<h1>Maintenance</h1>', header)).toMatchObject({ code: 'UNAVAILABLE', retryAfterMs });
    expect(refusalOf(429, undefined, header)).toMatchObject({ code: 'RATE_LIMITED', retryAfterMs });
  },
);

test('what the core itself asks for is waited for', () => {
  const refusal = new SwarmError('CIRCUIT_OPEN', 'tripped', { retryAfterMs: 3_600_000 });
  expect(refusalOf(503, problemOf(refusal), '3600')).toMatchObject({ code: 'CIRCUIT_OPEN', retryAfterMs: 3_600_000 });
});
