// Which requests count as those of the page that the core serves.
import { SwarmError } from '@hypercode/contracts';
import { describe, expect, test } from 'vitest';
import { assertOwnPage, isOwnHost, isSecure, type PageHeaders } from './own-page.ts';

const PUBLIC = new URL('https://swarm.example.com');

function isOwn(headers: PageHeaders, publicUrl: URL | null = null): boolean {
  try {
    assertOwnPage(headers, publicUrl);
    return true;
  } catch (error) {
    expect(SwarmError.from(error).code).toBe('FORBIDDEN');
    return false;
  }
}

const SAME = { 'sec-fetch-site': 'same-origin' } as const;

describe('without a public address', () => {
  test.each<PageHeaders>([
    { host: 'localhost:7700', origin: 'http://localhost:7700' },
    { host: 'localhost:7700', origin: 'http://localhost:7700', ...SAME },
    { host: 'LOCALHOST:7700', origin: 'http://localhost:7700' },
    { host: '127.0.0.1:7700', ...SAME },
    { host: '127.8.0.1:7700', ...SAME },
    { host: '[::1]:7700', origin: 'http://[::1]:7700' },
    { host: 'localhost', origin: 'http://localhost' },
    { host: 'localhost:8443', origin: 'https://localhost:8443' },
    { host: 'localhost', origin: 'https://localhost' },
  ])('%o is the own page', (headers) => {
    expect(isOwn(headers)).toBe(true);
  });

  test.each<PageHeaders>([
    { host: 'localhost:7700' },
    { host: 'localhost:7700', origin: 'http://localhost:7701' },
    { host: 'localhost:7700', origin: 'http://127.0.0.1:7700' },
    { host: 'localhost:7700', origin: 'null' },
    { host: 'localhost:7700', origin: 'https://evil.example' },
    { host: 'localhost:7700', origin: 'http://localhost:7700', 'sec-fetch-site': 'same-site' },
    { host: 'localhost:7700', 'sec-fetch-site': 'none' },
    { host: 'localhost:7700', 'sec-fetch-site': 'same-site' },
    { host: 'localhost:7700', 'sec-fetch-site': 'cross-site' },
    // A name that an attacker points at this machine.
    { host: 'evil.example:7700', origin: 'http://evil.example:7700', ...SAME },
    { host: 'localhost.evil.example:7700', ...SAME },
    { host: '127.0.0.1.evil.example', ...SAME },
    { host: 'swarm.example.com', origin: 'https://swarm.example.com', ...SAME },
    { host: '10.0.0.5:7700', origin: 'http://10.0.0.5:7700', ...SAME },
    SAME,
  ])('%o is not', (headers) => {
    expect(isOwn(headers)).toBe(false);
  });
});

describe('with a public address', () => {
  test.each<PageHeaders>([
    { host: 'swarm.example.com', origin: 'https://swarm.example.com' },
    { host: 'swarm.example.com:443', origin: 'https://swarm.example.com' },
    { host: 'swarm.example.com', ...SAME },
    { host: 'localhost:7700', origin: 'http://localhost:7700' },
    // A proxy that names the core in place of itself.
    { host: '127.0.0.1:7700', origin: 'https://swarm.example.com' },
  ])('%o is the own page', (headers) => {
    expect(isOwn(headers, PUBLIC)).toBe(true);
  });

  test.each<PageHeaders>([
    { host: 'swarm.example.com', origin: 'http://swarm.example.com' },
    { host: 'swarm.example.com:8443', origin: 'https://swarm.example.com:8443' },
    { host: 'swarm.example.com', origin: 'https://other.example.com' },
    { host: 'swarm.example.com', origin: 'https://swarm.example.com', 'sec-fetch-site': 'cross-site' },
    { host: 'evil.example', origin: 'https://swarm.example.com' },
  ])('%o is not', (headers) => {
    expect(isOwn(headers, PUBLIC)).toBe(false);
  });
});

test('a page came over TLS when its origin says so', () => {
  expect(isSecure({ host: 'localhost:7700', origin: 'http://localhost:7700' }, PUBLIC)).toBe(false);
  expect(isSecure({ host: 'localhost:7700', origin: 'https://localhost:7700' }, null)).toBe(true);
  expect(isSecure({ host: 'swarm.example.com', ...SAME }, PUBLIC)).toBe(true);
  expect(isSecure({ host: 'localhost:7700', ...SAME }, PUBLIC)).toBe(false);
});

test.each([
  ['localhost:7700', null, true],
  ['127.0.0.1', null, true],
  ['127.9.9.9:1', null, true],
  ['[::1]:7700', null, true],
  ['10.0.0.7:7700', null, true],
  ['[fd00::7]:7700', null, true],
  ['swarm.example.com', 'https://swarm.example.com', true],
  ['swarm.example.com', null, false],
  ['swarm.example.com:8443', 'https://swarm.example.com', false],
  ['localhost.evil.example', null, false],
  ['127.0.0.1.evil.example', null, false],
  ['', null, false],
])('the host "%s" of a core at %s: %s', (host, publicUrl, expected) => {
  expect(isOwnHost(host, publicUrl === null ? null : new URL(publicUrl))).toBe(expected);
});
