// Probes of thousands of agents: how many a second, what they cost the core, and what publishes notice of them.
import { createSwarmClient, type SwarmClient } from '@hypercode/client';
import { waitFor } from '@hypercode/testkit';
import { setTimeout as delay } from 'node:timers/promises';
import { joinBus } from '../bus-agent.ts';
import { CoreCalls } from '../core-calls.ts';
import { HttpCalls } from '../http-calls.ts';
import { type Latency, latencyOf } from '../measure/latency.ts';
import { atPace } from '../measure/pace.ts';
import { median, medianRatio } from '../measure/percentiles.ts';
import { cpuSeconds } from '../measure/process-usage.ts';
import { inFlight, interleave } from '../measure/rounds.ts';
import type { Measured, Rig } from '../rig.ts';
import { sampleAgent } from '../sample-agents.ts';
import { sampleEvent } from '../sample-events.ts';
import type { Findings, Row } from './row.ts';

const INTERVAL_MS = 2000;
const PUBLISHES_PER_SECOND = 200;
/** Agents live on so many hosts: a core probes few of one at a time. */
const HOSTS = 250;

export const probes: Row = {
  name: 'probes',
  title: `probes every ${INTERVAL_MS / 1000} s, and ${PUBLISHES_PER_SECOND} events a second beside them`,
  measure,
};

interface Probing extends Latency {
  probesPerSecond: number;
  /** Processors that the core keeps busy while nobody publishes. */
  processors: number;
}

async function measure(rig: Rig): Promise<Findings> {
  await using stack = new AsyncDisposableStack();
  const population = rig.size(4000, 1000);
  const seconds = rig.size(10, 4);
  const { url: redisUrl } = await rig.appendOnlyRedis();
  const core = await rig.core(stack, {
    DATABASE_URL: await rig.database(),
    REDIS_URL: redisUrl,
    SWARM_PROBE_INTERVAL_MS: String(INTERVAL_MS),
    SWARM_PROBE_TIMEOUT_MS: String(INTERVAL_MS / 2),
    SWARM_PROBE_ALLOW: '127.0.0.0/8',
  });
  const server = await rig.server(stack, 'healthy-server');
  const { client } = await joinBus(stack, core);
  const admin = createSwarmClient({ url: core.url, token: core.adminToken });
  stack.defer(() => admin.close());
  const calls = new CoreCalls(core);
  stack.defer(() => calls.close());
  const agents = Array.from({ length: population }, (_, index) => sampleAgent(index, population));
  await calls.registerAll(agents);
  const names = agents.map(({ name }) => name);
  const asked = askedOf(stack, server);

  const measureOnce = () => probing({ core, client, asked, seconds });
  const contenders = {
    async probed() {
      const port = new URL(server.url).port;
      await setHealthUrls(admin, names, (index) => `http://127.0.0.${1 + (index % HOSTS)}:${port}/agents/${index}`);
      // Twice each: connections are open, and turns are spread.
      const before = await asked();
      await waitFor(async () => (await asked()) >= before + 2 * population, {
        what: 'everybody to be probed',
        timeoutMs: 120_000,
      });
      return measureOnce();
    },
    async alone() {
      await setHealthUrls(admin, names, () => null);
      // As long as the other one, so that both begin when the core has done with the changes.
      await delay(2 * INTERVAL_MS);
      return measureOnce();
    },
  };
  rig.say('  warming up');
  await contenders.alone();
  await contenders.probed();
  const rounds = await interleave(contenders, rig.rounds);
  const of = (name: keyof typeof contenders, part: keyof Probing) => rounds[name].map((one) => one[part]);
  const micros = median(
    rounds.probed.map(
      ({ processors, probesPerSecond }, round) =>
        ((processors - (rounds.alone[round]?.processors ?? 0)) * 1e6) / probesPerSecond,
    ),
  );
  const wanted = (population * 1000) / INTERVAL_MS;
  return {
    figures: [
      { what: `probes of ${population} agents`, value: median(of('probed', 'probesPerSecond')), unit: '/s' },
      {
        what: 'the core, probing',
        value: median(of('probed', 'processors')),
        unit: 'processors',
        reference: { what: 'idle', value: median(of('alone', 'processors')) },
      },
      {
        what: 'publish beside probes, p99',
        value: median(of('probed', 'p99Ms')),
        unit: 'ms',
        reference: { what: 'without probes', value: median(of('alone', 'p99Ms')) },
        ratio: medianRatio(of('probed', 'p99Ms'), of('alone', 'p99Ms')),
      },
    ],
    notes: [
      `${population} agents every ${INTERVAL_MS} ms are ${wanted} probes a second; a probe takes ${Math.round(micros)} µs of ` +
        `the core's processor; ${PUBLISHES_PER_SECOND} publishes a second on one client`,
    ],
    rounds,
  };
}

interface Measurement {
  core: Measured;
  client: SwarmClient;
  asked: () => Promise<number>;
  seconds: number;
}

/** First what probes alone cost, then what publishes notice of them. */
async function probing({ core, client, asked, seconds }: Measurement): Promise<Probing> {
  const before = { asked: await asked(), cpu: await cpuSeconds(core.pid), at: performance.now() };
  await delay(seconds * 1000);
  const took = (performance.now() - before.at) / 1000;
  const processors = ((await cpuSeconds(core.pid)) - before.cpu) / took;
  const probesPerSecond = ((await asked()) - before.asked) / took;
  const latenciesMs: number[] = [];
  await atPace({ perSecond: PUBLISHES_PER_SECOND, total: PUBLISHES_PER_SECOND * seconds }, async (index) => {
    const { topic, data } = sampleEvent(index);
    const sentAt = performance.now();
    await client.publish(topic, data);
    latenciesMs.push(performance.now() - sentAt);
  });
  return { ...latencyOf(latenciesMs), processors, probesPerSecond };
}

async function setHealthUrls(
  admin: SwarmClient,
  names: readonly string[],
  urlOf: (index: number) => string | null,
): Promise<void> {
  await inFlight(200, names.length, (index) =>
    admin.registry.update({ name: names[index] ?? '', set: { healthUrl: urlOf(index) } }),
  );
}

/** How often the server has been asked so far. */
function askedOf(stack: AsyncDisposableStack, { url }: Measured): () => Promise<number> {
  const http = new HttpCalls(url);
  stack.defer(() => http.close());
  return async () => (JSON.parse(await http.get('/asked')) as { asked: number }).asked;
}
