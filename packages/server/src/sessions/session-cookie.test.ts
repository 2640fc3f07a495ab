// How the cookie of a session is set and read.
import { expect, test } from 'vitest';
import { cookiesOf, setCookie } from './session-cookie.ts';

test('the cookie is for the core alone: no script reads it, and no page of another site sends it', () => {
  const place = { host: 'localhost:7700', isSecure: false };
  expect(setCookie(place, { value: 'v', maxAgeMs: 1500 })).toBe(
    'swarm-session-7700=v; Path=/; Max-Age=2; HttpOnly; SameSite=Strict',
  );
  expect(setCookie(place, null)).toBe('swarm-session-7700=; Path=/; Max-Age=0; HttpOnly; SameSite=Strict');
});

test('over TLS no other host can set it, and nothing sends it in plain text', () => {
  expect(setCookie({ host: 'swarm.example.com', isSecure: true }, { value: 'v', maxAgeMs: 1000 })).toBe(
    '__Host-swarm-session=v; Path=/; Max-Age=1; HttpOnly; SameSite=Strict; Secure',
  );
});

test('the cookies of cores at other ports are not read', () => {
  const header =
    'swarm-session-7700=a; swarm-session-7701=b; swarm-session=c; __Host-swarm-session-7700=d; x=swarm-session-7700=e';
  expect(cookiesOf(header, 'localhost:7700')).toEqual(['d', 'a']);
  expect(cookiesOf(header, 'localhost')).toEqual(['c']);
  expect(cookiesOf(undefined, 'localhost:7700')).toEqual([]);
});

test('of many cookies with one name a few are read', () => {
  const header = Array.from({ length: 100 }, (_, index) => `swarm-session=${index}`).join('; ');
  expect(cookiesOf(header, 'localhost')).toEqual(['0', '1', '2', '3']);
});
