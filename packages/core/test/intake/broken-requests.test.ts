// What is no request: its sender receives one answer, and is disconnected, whether it closes its side or not.
import { beforeAll, expect, test } from 'vitest';
import { sharedCore, START_TIMEOUT_MS, type TestCore } from '../../testing/core.ts';
import { head, openRaw, statusIn } from './raw-connection.ts';

let core: TestCore;
beforeAll(async () => {
  core = await sharedCore();
}, START_TIMEOUT_MS);

const UPGRADE = {
  upgrade: 'websocket',
  connection: 'Upgrade',
  'sec-websocket-version': 13,
  'sec-websocket-key': 'a2V5',
};

test.each([
  ['no HTTP', 'hello\r\n\r\n', 400],
  ['headers without an end', `GET /healthz HTTP/1.1\r\nhost: core\r\nx: ${'x'.repeat(40_000)}`, 431],
  ['two lengths', head('POST /v1/events', { 'content-length': 1, 'transfer-encoding': 'chunked' }), 400],
  ['an upgrade without a token', head('GET /trpc', UPGRADE), 401],
  ['an upgrade with a token that is none', head('GET /trpc', { ...UPGRADE, authorization: 'Bearer no' }), 401],
  [
    'an upgrade by a page of another origin',
    head('GET /trpc?connectionParams=1', { ...UPGRADE, origin: 'https://evil.example' }),
    403,
  ],
])('%s is answered, and the connection ends', async (_case, bytes, status) => {
  const text = await openRaw(core.port, bytes).closed;
  expect(statusIn(text)).toBe(status);
  expect(text).toContain('connection: close');
});

test('the answer to a request that has a body, which no route reads, ends the connection', async () => {
  const text = await openRaw(core.port, head('GET /healthz', { 'content-length': 1e9 })).closed;
  expect(statusIn(text)).toBe(200);
});
