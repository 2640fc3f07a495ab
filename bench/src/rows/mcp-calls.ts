// What a call of a tool costs over the same call by REST: one publisher, one event after the other.
import type { Figure } from '../figures.ts';
import { HttpCalls } from '../http-calls.ts';
import { median, medianRatio, percentile } from '../measure/percentiles.ts';
import { interleave } from '../measure/rounds.ts';
import type { Rig } from '../rig.ts';
import type { Findings, Row } from './row.ts';

export const mcpCalls: Row = {
  name: 'mcp-calls',
  title: 'a tool of MCP, and the same call by REST',
  measure,
};

const TOPIC = 'bench.mcp';
const DATA = { text: 'x'.repeat(200) };

/** The two protocols that are served. */
const PROTOCOLS = {
  'MCP 2026-07-28': {
    headers: { 'mcp-protocol-version': '2026-07-28', 'mcp-method': 'tools/call', 'mcp-name': 'publish' },
    params: {
      _meta: {
        'io.modelcontextprotocol/protocolVersion': '2026-07-28',
        'io.modelcontextprotocol/clientInfo': { name: 'bench', version: '1' },
        'io.modelcontextprotocol/clientCapabilities': {},
      },
    },
  },
  'MCP 2025-11-25': { headers: { 'mcp-protocol-version': '2025-11-25' }, params: {} },
} as const;

async function measure(rig: Rig): Promise<Findings> {
  await using stack = new AsyncDisposableStack();
  const core = await rig.core(stack, { DATABASE_URL: await rig.database() });
  const http = new HttpCalls(core.url, undefined, { authorization: `Bearer ${core.adminToken}` });
  stack.defer(() => http.close());
  const calls = rig.size(500, 100);
  const viaRest = () => http.post('/v1/events', { topic: TOPIC, data: DATA });
  const contenders = {
    REST: () => timesOf(calls, viaRest),
    ...Object.fromEntries(
      Object.entries(PROTOCOLS).map(([protocol, { headers, params }]) => [
        protocol,
        () => timesOf(calls, () => publishBy(http, { headers, params })),
      ]),
    ),
  };
  rig.say('  warming up');
  for (const contender of Object.values(contenders)) await contender();
  const rounds: Record<string, number[][]> = await interleave(contenders, rig.rounds);
  const of = (name: string, percent: number): number[] =>
    (rounds[name] ?? []).map((samples) => percentile(samples, percent));
  const figure = (name: string, percent: number): Figure => ({
    what: `publish by ${name}, p${percent}`,
    value: median(of(name, percent)),
    unit: 'ms',
    reference: { what: 'by REST', value: median(of('REST', percent)) },
    ratio: medianRatio(of(name, percent), of('REST', percent)),
  });
  return {
    figures: Object.keys(PROTOCOLS).flatMap((name) => [figure(name, 50), figure(name, 99)]),
    notes: [
      `one event of ${JSON.stringify(DATA).length} bytes at a time over one kept connection; events are in PostgreSQL`,
    ],
    rounds,
  };
}

async function publishBy(http: HttpCalls, { headers, params }: { headers: Record<string, string>; params: object }) {
  const call = { name: 'publish', arguments: { topic: TOPIC, data: DATA }, ...params };
  const message = { jsonrpc: '2.0', id: 1, method: 'tools/call', params: call };
  const accept = 'application/json, text/event-stream';
  const answer = await http.post('/mcp', message, { ...headers, accept });
  if (!answer.includes('"duplicate":false')) throw new Error(`a tool answered: ${answer.slice(0, 300)}`);
}

/** Milliseconds of each of so many calls, one after the other. */
async function timesOf(count: number, call: () => Promise<unknown>): Promise<number[]> {
  const times: number[] = [];
  for (let made = 0; made < count; made += 1) {
    const begun = performance.now();
    await call();
    times.push(performance.now() - begun);
  }
  return times;
}
