import { expect, test } from 'vitest';
import { isCrossSite, mayChange } from './cross-site.ts';

const PAGE = 'https://dashboard.example.com';
const host = 'core.example.com:7700';

test.each([
  ['a program that sends neither header', {}],
  ['a page of the core', { origin: 'http://core.example.com:7700', 'sec-fetch-site': 'same-origin' }],
  ['a page of the core behind TLS', { origin: 'https://core.example.com:7700' }],
  ['a page of the core, in other letters', { origin: 'https://CORE.example.com:7700' }],
  ['a page of an allowed origin', { origin: PAGE, 'sec-fetch-site': 'cross-site' }],
  ['the address bar', { 'sec-fetch-site': 'none' }],
])('%s may change something', (_sender, headers) => {
  expect(isCrossSite({ host, ...headers }, [PAGE])).toBe(false);
});

test.each([
  ['a page of another origin', { origin: 'https://evil.example', 'sec-fetch-site': 'cross-site' }],
  ['a page that hides its origin', { origin: 'null' }],
  ['a page of another port', { origin: 'http://core.example.com:7701', 'sec-fetch-site': 'same-site' }],
  ['a page of a subdomain', { origin: 'http://a.core.example.com:7700' }],
  ['a page of a longer name', { origin: 'http://core.example.com:7700.evil.example' }],
  ['an extension', { origin: 'chrome-extension://core.example.com:7700' }],
  ['a page of another site without an origin', { 'sec-fetch-site': 'cross-site' }],
  ['a page of the same site without an origin', { 'sec-fetch-site': 'same-site' }],
  ['two statements on its site', { 'sec-fetch-site': 'same-origin, cross-site' }],
  ['a subdomain of an allowed origin', { origin: 'https://a.dashboard.example.com' }],
])('%s may not', (_sender, headers) => {
  expect(isCrossSite({ host, ...headers }, [PAGE])).toBe(true);
});

test('without a host no page is of this origin', () => {
  expect(isCrossSite({ origin: 'http://' }, [])).toBe(true);
  expect(isCrossSite({ origin: 'http://a' }, [])).toBe(true);
});

test('only GET, HEAD and OPTIONS change nothing, and of them not an upgrade', () => {
  expect(['GET', 'HEAD', 'OPTIONS'].filter((method) => mayChange(method))).toEqual([]);
  expect(['POST', 'PUT', 'PATCH', 'DELETE', 'LINK'].every((method) => mayChange(method))).toBe(true);
  expect(mayChange('GET', true)).toBe(true);
});
