// Which requests a web page of another origin sends, as browsers mark them.
import { expect, test } from 'vitest';
import { isCrossSite, isFromOtherOrigin } from './cross-site.ts';

const HOST = 'swarm.example:7710';
const TRUSTED = ['https://console.example'];

test.each<[boolean, Record<string, string | string[]>]>([
  [false, {}],
  [false, { 'sec-fetch-site': 'same-origin', origin: `http://${HOST}` }],
  [false, { 'sec-fetch-site': 'none' }],
  [false, { origin: `http://${HOST}` }],
  [false, { origin: 'HTTPS://Swarm.Example:7710' }],
  [false, { 'sec-fetch-site': 'cross-site', origin: 'https://console.example' }],
  [false, { origin: 'https://console.example' }],
  [true, { 'sec-fetch-site': 'cross-site', origin: 'https://evil.example' }],
  [true, { 'sec-fetch-site': 'cross-site' }],
  // Another port of the same host.
  [true, { 'sec-fetch-site': 'same-site', origin: 'http://swarm.example:80' }],
  [true, { 'sec-fetch-site': '' }],
  [true, { 'sec-fetch-site': 'same-origin, same-origin' }],
  // The page of another origin cannot make up the header that a browser sets.
  [true, { 'sec-fetch-site': 'cross-site', origin: `http://${HOST}` }],
  [true, { origin: 'https://evil.example' }],
  [true, { origin: 'http://swarm.example' }],
  [true, { origin: 'null' }],
  [true, { origin: `chrome-extension://${HOST}` }],
  [true, { origin: `http://${HOST}.evil.example` }],
  [true, { origin: `http://a.${HOST}` }],
  [true, { 'sec-fetch-site': 'same-site' }],
  [true, { origin: '' }],
  [true, { origin: 'https://console.example.evil.example' }],
  [true, { origin: ['https://console.example', 'https://evil.example'] }],
])('%s for %o', (expected, headers) => {
  for (const method of ['POST', 'PUT', 'PATCH', 'DELETE', 'QUERY']) {
    expect(isCrossSite({ method, headers: { host: HOST, ...headers } }, TRUSTED)).toBe(expected);
  }
  for (const method of ['GET', 'HEAD', 'OPTIONS']) {
    expect(isCrossSite({ method, headers: { host: HOST, ...headers } }, TRUSTED)).toBe(false);
  }
});

test('without a host no page is of this origin', () => {
  expect(isFromOtherOrigin({ origin: 'http://' })).toBe(true);
  expect(isFromOtherOrigin({ origin: 'http://a' })).toBe(true);
});

test('a page of another origin is one whatever the method, as an upgrade needs it', () => {
  expect(isFromOtherOrigin({ host: HOST, origin: 'https://evil.example' }, TRUSTED)).toBe(true);
  expect(isFromOtherOrigin({ host: HOST, 'sec-fetch-site': 'same-origin' }, TRUSTED)).toBe(false);
});
