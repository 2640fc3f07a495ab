// What heartbeats cost: 2,000 a second by the plain route, against the procedure and against a bare server's answers; and 5,000 a
// second as SDKs of a fleet send them.
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
/** What one core is to carry beside its other work. */
const FLEET_PER_SECOND = 5000;
const FLEET_GOAL_PROCESSORS = 0.4;
const CONNECTIONS = 32;

export const heartbeats: Row = {
  name: 'heartbeats',
  title: `processors that ${PER_SECOND} and ${FLEET_PER_SECOND} heartbeats a second take`,
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
  // The lease that agents have by default, so that what they say is written as often as it is by default.
  const core = await rig.core(stack, { DATABASE_URL: await rig.database(), SWARM_LEASE_MS: '30000' });
  const calls = new CoreCalls(core);
  stack.defer(() => calls.close());
  const population = rig.size(20_000, 2000);
  const registrations = Array.from({ length: population }, (_, index) =>
    AgentRegistration.parse(sampleAgent(index, population)),
  );
  const fleet = await calls.registerAll(registrations);
  const few = fleet.slice(0, 500);
  const bare = await rig.server(stack, 'bare-server');

  const against =
    (server: Measured, load: Omit<Load, 'seconds'>, pathOf: (name: string) => string) => async (): Promise<Beats> => {
      const http = new HttpCalls(server.url, new Agent({ keepAlive: true, maxSockets: CONNECTIONS }));
      try {
        return await beat(server, { ...load, seconds }, ({ agent, token }) =>
          http.post(
            pathOf(agent.name),
            { incarnation: agent.incarnation, activity: 'ready' },
            { authorization: `Bearer ${token}` },
          ),
        );
      } finally {
        http.close();
      }
    };
  const plainPath = (name: string) => `/v1/agents/${name}/heartbeat`;
  const load = { agents: few, rate: PER_SECOND };
  const contenders = {
    plain: against(core, load, plainPath),
    trpc: against(core, load, () => '/trpc/registry.heartbeat'),
    bare: against(bare, load, plainPath),
    fleet: against(core, { agents: fleet, rate: FLEET_PER_SECOND }, plainPath),
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
    figures: [
      figure('the procedure', 'trpc'),
      figure('a bare answer', 'bare'),
      {
        what: `${FLEET_PER_SECOND} heartbeats a second of ${fleet.length} agents`,
        value: median(processors('fleet')),
        unit: 'processors',
        goal: { of: 'value', atMost: FLEET_GOAL_PROCESSORS },
      },
    ],
    notes: Object.entries(rounds).map(([name, beats]) => {
      const p99Ms = median(beats.map((round) => round.p99Ms));
      return `${name}: ${Math.round(median(beats.map(({ perSecond }) => perSecond)))}/s answered, p99 ${p99Ms.toFixed(1)} ms`;
    }),
    rounds,
  };
}

interface Load {
  agents: readonly Registered[];
  /** Heartbeats a second. */
  rate: number;
  seconds: number;
}

async function beat(
  server: Measured,
  { agents, rate, seconds }: Load,
  send: (agent: Registered) => Promise<unknown>,
): Promise<Beats> {
  const share = await cpuShareOf(server.pid);
  const latenciesMs: number[] = [];
  const total = rate * seconds;
  const started = performance.now();
  await atPace({ perSecond: rate, total }, async (index) => {
    const agent = agents[index % agents.length];
    if (agent === undefined) return;
    const sentAt = performance.now();
    await send(agent);
    latenciesMs.push(performance.now() - sentAt);
  });
  const perSecond = total / ((performance.now() - started) / 1000);
  return { processors: ((await share()) / perSecond) * rate, perSecond, p99Ms: percentile(latenciesMs, 99) };
}
