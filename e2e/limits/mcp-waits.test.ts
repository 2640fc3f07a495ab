// Many agents that wait over MCP: what each costs the core, and that all of them receive what they wait for.
import { type SpawnedCore, waitFor } from '@hypercode/testkit';
import { request } from 'node:http';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { spawnCore } from '../fixtures/spawn-core.ts';
import { INSPECTED, liveMib } from './live-memory.ts';

const CLIENTS = 200;
/** What each of them may cost while it waits, its socket included. */
const EACH_KIB = 64;

let core: SpawnedCore;

beforeAll(async () => {
  core = await spawnCore({ env: { NODE_OPTIONS: INSPECTED, SWARM_RATE_REGISTER: '0' } });
});
afterAll(() => core?.close());

interface Tool {
  readonly name: string;
  readonly args: object;
  readonly token: string;
}

/** One call on a connection of its own, as the revision 2026-07-28 has it. */
function callTool({ name, args, token }: Tool): Promise<{ structuredContent: Record<string, unknown> }> {
  const _meta = {
    'io.modelcontextprotocol/protocolVersion': '2026-07-28',
    'io.modelcontextprotocol/clientInfo': { name: 'test', version: '1' },
    'io.modelcontextprotocol/clientCapabilities': {},
  };
  const body = JSON.stringify({
    jsonrpc: '2.0',
    id: 1,
    method: 'tools/call',
    params: { name, arguments: args, _meta },
  });
  return new Promise((resolve, reject) => {
    const outgoing = request(
      `${core.url}/mcp`,
      {
        method: 'POST',
        agent: false,
        headers: {
          authorization: `Bearer ${token}`,
          'content-type': 'application/json',
          'content-length': Buffer.byteLength(body),
          accept: 'application/json, text/event-stream',
          'mcp-protocol-version': '2026-07-28',
          'mcp-method': 'tools/call',
          'mcp-name': name,
        },
      },
      (answer) => {
        const parts: Buffer[] = [];
        answer.on('data', (part: Buffer) => parts.push(part));
        answer.on('end', () => resolve(JSON.parse(Buffer.concat(parts).toString()).result as never));
      },
    );
    outgoing.on('error', reject);
    outgoing.end(body);
  });
}

/** Streams that a preview finds on the topic. */
async function listeners(): Promise<number> {
  const headers = { authorization: `Bearer ${core.adminToken}` };
  const answer = await fetch(`${core.url}/v1/events/preview?topic=review.all`, { headers });
  return ((await answer.json()) as { streams: number }).streams;
}

test(`${CLIENTS} waits cost at most ${EACH_KIB} KiB each, and one event ends all of them`, async () => {
  const names = Array.from({ length: CLIENTS }, (_, i) => `waiter-${i}`);
  const registered = await Promise.all(
    names.map(async (name) => {
      const answer = await fetch(`${core.url}/v1/agents`, {
        method: 'POST',
        headers: { authorization: `Bearer ${core.joinToken}`, 'content-type': 'application/json' },
        body: JSON.stringify({ name, role: 'coder', version: '1.0.0' }),
      });
      return ((await answer.json()) as { token: string }).token;
    }),
  );
  const wait = (waitMs: number) =>
    registered.map((token) => callTool({ name: 'wait_for_events', args: { topics: ['review.>'], waitMs }, token }));
  // What is loaded, compiled and remembered with the first calls is no cost of a wait.
  await Promise.all(wait(0));
  const before = await liveMib(core.output());
  const waiting = wait(25_000);
  await waitFor(async () => (await listeners()) === CLIENTS, { what: 'all waits' });
  const eachKib = ((await liveMib(core.output())) - before) * (1024 / CLIENTS);
  await callTool({ name: 'publish', args: { topic: 'review.all', data: 1 }, token: core.adminToken });
  const answers = await Promise.all(waiting);
  expect(answers.map(({ structuredContent }) => structuredContent['count'])).toEqual(names.map(() => 1));
  expect(eachKib).toBeLessThan(EACH_KIB);
});
