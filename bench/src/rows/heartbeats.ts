// What 2,000 heartbeats a second cost: the plain route, against the procedure and against a bare server's answers.
import { AgentRegistration } from '@hypercode/contracts';
import { Agent } from 'node:http';
import { CoreCalls, type Registered } from '../core-calls.ts';
import { HttpCalls } from '../http-calls.ts';
import { atPace } from '../measure/pace.ts';
import { median, medianRatio, percentile } from '../measure/percentiles.ts';
import { cpuShareOf } from '../measure/process-usage.ts';
import { interleave } from '../measure/rounds.ts';
import type { Measured, Rig } from '../rig.ts';
import { sampleAgent } from '../sample-agents.ts';
import type { Findings, Row } from './row.ts';

const PER_SECOND = 2000;
const CONNECTIONS = 32;

export const heartbeats: Row = {
  name: 'heartbeats',
  title: `processors that ${PER_SECOND} heartbeats a second take`,
  measure,
};

interface Beats {
  /** Processors that the server would keep busy at the full rate: its processor time for each answer, times the rate. */
  processors: number;
  /** Heartbeats a second that were answered. */
  perSecond: number;
  p99Ms: number;
}

async function measure(rig: Rig): Promise<Findings> {
  await using stack = new AsyncDisposableStack();
  const seconds = rig.size(10, 3);
  const core = await rig.core(stack, { DATABASE_URL: await rig.database() });
  const calls = new CoreCalls(core);
  stack.defer(() => calls.close());
  const registrations = Array.from({ length: 500 }, (_, index) => AgentRegistration.parse(sampleAgent(index, 500)));
  const agents = await calls.registerAll(registrations);
  const bare = await rig.server(stack, 'bare-server');

  const against = (server: Measured, pathOf: (name: string) => string) => async (): Promise<Beats> => {
    const http = new HttpCalls(server.url, new Agent({ keepAlive: true, maxSockets: CONNECTIONS }));
    try {
      return await beat(server, agents, seconds, ({ agent, token }) =>
        http.post(pathOf(agent.name), {}, { authorization: `Bearer ${token}` }),
      );
    } finally {
      http.close();
    }
  };
  const contenders = {
    plain: against(core, (name) => `/v1/agents/${name}/heartbeat`),
    trpc: against(core, () => '/trpc/registry.heartbeat'),
    bare: against(bare, (name) => `/v1/agents/${name}/heartbeat`),
  };
  rig.say('  warming up');
  for (const contender of Object.values(contenders)) await contender();
  const rounds = await interleave(contenders, rig.rounds);

  const processors = (name: keyof typeof contenders) => rounds[name].map((beats) => beats.processors);
  const figure = (what: string, peer: 'trpc' | 'bare') => ({
    what: `${PER_SECOND} heartbeats a second, plain route`,
    value: median(processors('plain')),
    unit: 'processors',
    reference: { what, value: median(processors(peer)) },
    ratio: medianRatio(processors('plain'), processors(peer)),
  });
  return {
    figures: [figure('the procedure', 'trpc'), figure('a bare answer', 'bare')],
    notes: Object.entries(rounds).map(([name, beats]) => {
      const p99Ms = median(beats.map((round) => round.p99Ms));
      return `${name}: ${Math.round(median(beats.map(({ perSecond }) => perSecond)))}/s answered, p99 ${p99Ms.toFixed(1)} ms`;
    }),
    rounds,
  };
}

async function beat(
  server: Measured,
  agents: readonly Registered[],
  seconds: number,
  send: (agent: Registered) => Promise<unknown>,
): Promise<Beats> {
  const share = await cpuShareOf(server.pid);
  const latenciesMs: number[] = [];
  const total = PER_SECOND * seconds;
  const started = performance.now();
  await atPace({ perSecond: PER_SECOND, total }, async (index) => {
    const agent = agents[index % agents.length];
    if (agent === undefined) return;
    const sentAt = performance.now();
    await send(agent);
    latenciesMs.push(performance.now() - sentAt);
  });
  const perSecond = total / ((performance.now() - started) / 1000);
  return { processors: ((await share()) / perSecond) * PER_SECOND, perSecond, p99Ms: percentile(latenciesMs, 99) };
}
