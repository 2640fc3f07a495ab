// `swarm mcp` as a client speaks to it, on a real core: answers, cancellation, a core that is not there, and hostile lines.
import { sharedCore, START_TIMEOUT_MS, type TestCore } from '@hypercode/core-runtime/testing';
import { waitFor } from '@hypercode/testkit';
import { PassThrough } from 'node:stream';
import { beforeAll, expect, onTestFinished, test } from 'vitest';
import { McpBridge } from '../src/mcp/bridge.ts';
import { runSwarm } from './run-swarm.ts';

let core: TestCore;

beforeAll(async () => {
  core = await sharedCore();
}, START_TIMEOUT_MS);

// oxlint-disable-next-line typescript/no-explicit-any -- any JSON: the tests compare its fields
type Line = any;

function start({ url = core.url, token = core.joinToken }: { url?: string; token?: string } = {}) {
  const input = new PassThrough();
  const lines: Line[] = [];
  const bridge = new McpBridge({
    url: new URL('/mcp', url),
    token,
    write: (line) => void lines.push(JSON.parse(line)),
    onError: () => undefined,
  });
  const ended = bridge.run(input);
  onTestFinished(async () => {
    input.end();
    await ended;
  });
  let last = 0;
  const send = (message: object) => void input.write(`${JSON.stringify({ jsonrpc: '2.0', ...message })}\n`);
  const ask = async (method: string, params: object = {}): Promise<Line> => {
    const id = (last += 1);
    send({ id, method, params });
    return waitFor(() => lines.find((line) => line.id === id), { what: `the answer to ${method}`, timeoutMs: 30_000 });
  };
  return { input, lines, ask, send };
}

const initialize = { protocolVersion: '2025-11-25', capabilities: {}, clientInfo: { name: 'test', version: '1' } };

test('an agent joins and publishes through the bridge', async () => {
  const { ask, send } = start();
  expect((await ask('initialize', initialize)).result.protocolVersion).toBe('2025-11-25');
  send({ method: 'notifications/initialized' });
  expect((await ask('tools/list')).result.tools.map(({ name }: { name: string }) => name)).toContain('claim_work');
  const joined = await ask('tools/call', { name: 'join', arguments: { name: 'bridged', role: 'worker' } });
  expect(joined.result.structuredContent).toMatchObject({ outcome: 'created' });
  const arguments_ = { as: 'bridged', topic: 'agent.bridged.inbox.note', data: 1 };
  expect((await ask('tools/call', { name: 'publish', arguments: arguments_ })).result.isError).toBeUndefined();
});

test('a request of the protocol of 2026 has the headers that it needs', async () => {
  const { ask } = start();
  const _meta = {
    'io.modelcontextprotocol/protocolVersion': '2026-07-28',
    'io.modelcontextprotocol/clientInfo': { name: 'test', version: '1' },
    'io.modelcontextprotocol/clientCapabilities': {},
  };
  expect((await ask('server/discover', { _meta })).result.supportedVersions).toContain('2026-07-28');
  const asked = { _meta, name: 'whoami', arguments: {} };
  expect((await ask('tools/call', asked)).result.structuredContent).toMatchObject({ kind: 'join' });
});

test('a cancelled wait ends at the core, and has no answer', async () => {
  const { ask, send, lines } = start();
  await ask('initialize', initialize);
  await ask('tools/call', { name: 'join', arguments: { name: 'canceller', role: 'worker' } });
  const wait = { as: 'canceller', topics: ['agent.canceller.inbox.>'], waitMs: 25_000 };
  send({ id: 'wait', method: 'tools/call', params: { name: 'wait_for_events', arguments: wait } });
  await waitFor(() => core.openStreams() === 1, { what: 'the wait' });
  send({ method: 'notifications/cancelled', params: { requestId: 'wait' } });
  await waitFor(() => core.openStreams() === 0, { what: 'its end' });
  expect((await ask('ping')).result).toEqual({});
  expect(lines.filter(({ id }) => id === 'wait')).toEqual([]);
});

test('without a core, and with a token that is refused, each request has an error, and the bridge goes on', async () => {
  const gone = start({ url: 'http://127.0.0.1:1' });
  for (let time = 0; time < 2; time += 1) {
    const { error } = await gone.ask('tools/list');
    expect(error).toMatchObject({ code: -32_000, data: { code: 'UNAVAILABLE' } });
    expect(error.message).toContain('no core answers at http://127.0.0.1:1');
  }
  const token = 'swarm_join_not-a-token';
  const refused = start({ token });
  const { error } = await refused.ask('tools/list');
  expect(error).toMatchObject({ code: -32_000, data: { code: 'UNAUTHENTICATED' } });
  expect(JSON.stringify(refused.lines)).not.toContain(token);
});

test('lines that are no message have an error, and the next line is served', async () => {
  const { input, ask, lines } = start();
  input.write('{\n[]\n7\n\n');
  expect((await ask('initialize', initialize)).result).toBeDefined();
  expect(lines.filter(({ id }) => id === null).map(({ error }) => error.code)).toEqual([-32_700, -32_600, -32_600]);
});

test('the command ends with its input, and shows no token', async () => {
  const message = { jsonrpc: '2.0', id: 1, method: 'initialize', params: initialize };
  const run = await runSwarm('mcp', {
    core: { url: core.url, token: core.joinToken },
    stdin: `${JSON.stringify(message)}\n`,
  });
  expect(run.exitCode).toBe(0);
  expect(run.stdout + run.stderr).not.toContain(core.joinToken);
});
