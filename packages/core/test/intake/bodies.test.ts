// Bodies of requests: each route has its limit, and callers and the process have budgets for those under way.
import { RegisterResult } from '@hypercode/contracts';
import { afterEach, beforeAll, describe, expect, test, vi } from 'vitest';
import { sharedCore, START_TIMEOUT_MS, type TestCore } from '../../testing/core.ts';
import { head, openRaw, type RawConnection, statusIn } from './raw-connection.ts';

const MIB = 1024 * 1024;
let core: TestCore;
const open: RawConnection[] = [];

beforeAll(async () => {
  core = await sharedCore();
}, START_TIMEOUT_MS);
afterEach(async () => {
  for (const { socket } of open) socket.destroy();
  await Promise.all(open.splice(0).map(({ closed }) => closed));
});

async function agentToken(name: string): Promise<string> {
  const json = { name, role: 'worker', version: '1.0.0' };
  return RegisterResult.parse(await (await core.fetch('/v1/agents', { method: 'POST', json })).json()).token ?? '';
}

function post(path: string, token: string, headers: Record<string, string | number>): RawConnection {
  const all = { authorization: `Bearer ${token}`, 'content-type': 'application/json', ...headers };
  const connection = openRaw(core.port, head(`POST ${path}`, all));
  open.push(connection);
  return connection;
}

test.each([
  ['/v1/agents', 512 * 1024],
  ['/v1/events', 4 * MIB],
  ['/v1/agents/query', 128 * 1024],
  ['/v1/groups/a/ack', 128 * 1024],
  ['/trpc/registry.register', 512 * 1024],
  ['/trpc/registry.watch', 128 * 1024],
  ['/trpc/bus.publishMany', 4 * MIB],
  ['/trpc/nothing', 128 * 1024],
])('a body for %s that states more than its limit is refused before it comes', async (path, limit) => {
  const text = await post(path, core.adminToken, { 'content-length': 5 * MIB }).closed;
  expect(statusIn(text)).toBe(413);
  expect(text).toContain('PAYLOAD_TOO_LARGE');
  if (!path.endsWith('publish')) expect(text).toContain(`"limit":${limit}`);
});

test('a batch may have as much as its calls together', async () => {
  const description = 'x'.repeat(4000);
  const names = Array.from({ length: 40 }, (_, index) => `batched-${index}`);
  const calls = names.map((name) => ({
    namespace: core.namespace,
    name,
    role: 'worker',
    version: '1.0.0',
    description,
  }));
  const path = `/trpc/${calls.map(() => 'registry.register').join(',')}?batch=1`;
  const answer = await core.fetch(path, { method: 'POST', json: Object.fromEntries(calls.entries()) });
  expect(answer.status).toBe(200);
  const text = await post('/trpc/registry.get,registry.get?batch=1', core.adminToken, { 'content-length': MIB }).closed;
  expect(statusIn(text)).toBe(413);
});

test('a body in chunks is refused when it passes the limit, and its connection ends', async () => {
  const { socket, closed } = post('/v1/agents', core.adminToken, { 'transfer-encoding': 'chunked' });
  const chunk = `4000\r\n${' '.repeat(0x4000)}\r\n`;
  for (let sent = 0; sent < 33; sent += 1) socket.write(chunk);
  expect(statusIn(await closed)).toBe(413);
});

describe('bodies under way', () => {
  test('one caller has a share of the budget, and others are not refused for it', async () => {
    const [greedy, other] = await Promise.all([agentToken('greedy'), agentToken('modest')]);
    const slow = () => post('/v1/events', greedy, { 'content-length': 4 * MIB });
    for (let held = 0; held < 4; held += 1) slow().socket.write('[');
    // Which of them comes first is open; one too many is refused.
    const refused = slow();
    await vi.waitFor(() => expect(open.some(({ text }) => text().includes('RATE_LIMITED'))).toBe(true));
    const text = await Promise.race(open.map(({ closed }) => closed));
    expect(statusIn(text)).toBe(429);
    expect(text.toLowerCase()).toContain('retry-after: 1');
    expect(text).toContain('"retryAfterMs":1000');
    expect(open).toContain(refused);

    const json = { topic: 'agent.greedy.inbox', data: 'x'.repeat(100_000) };
    const fits = await core.fetch('/v1/events', { method: 'POST', token: other, json });
    expect(await fits.text()).not.toContain('RATE_LIMITED');
    // Its heartbeats are too small to count.
    const heartbeat = await core.fetch('/v1/agents/greedy/heartbeat', { method: 'POST', token: greedy, json: {} });
    expect(heartbeat.status).toBe(200);

    for (const { socket } of open) socket.destroy();
    await vi.waitFor(async () => {
      const again = await core.fetch('/v1/events', { method: 'POST', token: greedy, json });
      expect(again.status).not.toBe(429);
    }, 20_000);
  });

  test('a body in chunks counts as it comes', async () => {
    const token = await agentToken('chunking');
    const filling = Array.from({ length: 4 }, () => post('/v1/events', token, { 'transfer-encoding': 'chunked' }));
    const chunk = `100000\r\n${' '.repeat(MIB)}\r\n`;
    for (const { socket } of filling) for (let sent = 0; sent < 3; sent += 1) socket.write(chunk);
    await new Promise<void>((resolve) => filling[3]?.socket.write(' '.repeat(0), () => resolve()));
    for (const { socket } of filling) socket.write('F0000\r\n'.concat(' '.repeat(0xf0000), '\r\n'));
    const refused = post('/v1/events', token, { 'content-length': 4 * MIB });
    expect(statusIn(await Promise.race([refused.closed, ...filling.map(({ closed }) => closed)]))).toBe(429);
  });
});
