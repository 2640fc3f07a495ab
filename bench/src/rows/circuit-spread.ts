// How long a circuit that opens takes to be known: until another replica refuses what its agent publishes.
import { createSwarmClient, type SwarmClient } from '@hypercode/client';
import { waitFor } from '@hypercode/testkit';
import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { joinBus } from '../bus-agent.ts';
import { HttpCalls } from '../http-calls.ts';
import { latencyOf } from '../measure/latency.ts';
import { median } from '../measure/percentiles.ts';
import { interleave } from '../measure/rounds.ts';
import type { Rig } from '../rig.ts';
import type { Findings, Row } from './row.ts';

/** What the project promises. */
const GOAL_MS = 1000;
const PROBE_INTERVAL_MS = 400;
/** The failure that opens a circuit, with the default threshold. */
const OPENING_FAILURE = 4;
/** Longer than that has failed. */
const PATIENCE_MS = 30_000;

export const circuitSpread: Row = {
  name: 'circuit-spread',
  title: 'from a trip, or a fourth failed probe, to the refusal on another core',
  measure,
};

async function measure(rig: Rig): Promise<Findings> {
  await using stack = new AsyncDisposableStack();
  const counts = { trip: rig.size(50, 10), probe: rig.size(5, 2) };
  const { url: redisUrl } = await rig.appendOnlyRedis();
  const contenders: Record<string, () => Promise<number[]>> = {};
  for (const [name, redis] of Object.entries({ redis: { REDIS_URL: redisUrl }, notify: {} })) {
    const env = {
      ...redis,
      DATABASE_URL: await rig.database(),
      SWARM_ADMIN_TOKEN: 'bench-admin-token-of-two-cores',
      SWARM_PROBE_INTERVAL_MS: String(PROBE_INTERVAL_MS),
      SWARM_PROBE_TIMEOUT_MS: String(PROBE_INTERVAL_MS / 2),
      SWARM_PROBE_ALLOW: '127.0.0.0/8',
    };
    // One after the other: the first one migrates.
    const core = await rig.core(stack, env);
    const other = await rig.core(stack, env);
    const { token } = await joinBus(stack, core);
    const admin = createSwarmClient({ url: core.url, token: core.adminToken });
    stack.defer(() => admin.close());
    const publisher = publisherOf(stack, other.url, token);
    contenders[`${name} trip`] = () => repeated(counts.trip, () => spreadOfTrip(admin, publisher));
    if (name === 'redis') {
      const endpoint = await endpointOf(stack);
      contenders['redis probe'] = () => repeated(counts.probe, () => spreadOfProbes(admin, publisher, endpoint));
    }
  }
  rig.say('  warming up');
  for (const contender of Object.values(contenders)) await contender();
  const rounds = await interleave(contenders, rig.rounds);
  const figure = (what: string, name: string, part: 'p50Ms' | 'p99Ms') => ({
    what: `${what}, ${part === 'p50Ms' ? 'p50' : 'p99'}`,
    value: median((rounds[name] ?? []).map((latenciesMs) => latencyOf(latenciesMs)[part])),
    unit: 'ms',
    ...(part === 'p99Ms' ? { goal: { of: 'value' as const, atMost: GOAL_MS } } : {}),
  });
  const figures = Object.entries({
    'redis trip': 'trip to refusal, other core, Redis',
    'notify trip': 'trip to refusal, other core, NOTIFY',
    'redis probe': 'fourth failed probe to refusal, other core',
  }).flatMap(([name, what]) => [figure(what, name, 'p50Ms'), figure(what, name, 'p99Ms')]);
  return {
    figures,
    notes: [
      'the agent publishes one event after the other on the other core until one is refused, so the time of a publish is in ' +
        `it; ${counts.trip} trips and ${counts.probe} failing healthUrls a round`,
      'a fourth failed probe begins with its answer, and waits for the look of the replica that judges',
    ],
    rounds,
  };
}

async function repeated(count: number, measureOnce: () => Promise<number>): Promise<number[]> {
  const latenciesMs: number[] = [];
  for (let index = 0; index < count; index++) latenciesMs.push(await measureOnce());
  return latenciesMs;
}

interface Publisher {
  /** Publishes until an answer is as wanted. Resolves to when that answer came. */
  until(wanted: 'taken' | 'refused'): Promise<number>;
}

function publisherOf(stack: AsyncDisposableStack, url: string, token: string): Publisher {
  const http = new HttpCalls(url, undefined, { authorization: `Bearer ${token}` });
  stack.defer(() => http.close());
  const publish = async () => {
    try {
      await http.post('/trpc/bus.publish', { topic: 'bench.circuit', data: null });
      return 'taken';
    } catch (error) {
      if (error instanceof Error && error.message.includes('CIRCUIT_OPEN')) return 'refused';
      throw error;
    }
  };
  return {
    async until(wanted) {
      const deadline = performance.now() + PATIENCE_MS;
      while ((await publish()) !== wanted) {
        if (performance.now() > deadline) throw new Error(`No publish was ${wanted} in ${PATIENCE_MS} ms`);
      }
      return performance.now();
    },
  };
}

async function spreadOfTrip(admin: SwarmClient, publisher: Publisher): Promise<number> {
  await publisher.until('taken');
  const startedAt = performance.now();
  const refused = publisher.until('refused');
  await admin.circuit.trip({ name: 'bencher', reason: 'the bench' });
  const refusedAt = await refused;
  await admin.circuit.reset({ name: 'bencher' });
  await publisher.until('taken');
  return refusedAt - startedAt;
}

interface Endpoint {
  readonly url: string;
  /** Fails from now on. Resolves to when the failure that opens the circuit was answered. */
  fail(): Promise<number>;
  recover(): void;
}

async function endpointOf(stack: AsyncDisposableStack): Promise<Endpoint> {
  let failures: number | null = null;
  let opening = Promise.withResolvers<number>();
  const server = createServer((_request, response) => {
    response.statusCode = failures === null ? 200 : 500;
    response.end();
    if (failures === null) return;
    failures += 1;
    if (failures === OPENING_FAILURE) opening.resolve(performance.now());
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  stack.defer(() => {
    server.closeAllConnections();
    server.close();
  });
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/health`,
    fail() {
      failures = 0;
      opening = Promise.withResolvers<number>();
      return opening.promise;
    },
    recover: () => void (failures = null),
  };
}

async function spreadOfProbes(admin: SwarmClient, publisher: Publisher, endpoint: Endpoint): Promise<number> {
  await admin.registry.update({ name: 'bencher', set: { healthUrl: endpoint.url } });
  await publisher.until('taken');
  await untilHealthy(admin);
  const opening = endpoint.fail();
  const refusedAt = await publisher.until('refused');
  const spread = refusedAt - (await opening);
  endpoint.recover();
  await admin.registry.update({ name: 'bencher', set: { healthUrl: null } });
  await admin.circuit.reset({ name: 'bencher' });
  await publisher.until('taken');
  return spread;
}

/** The failures of before are forgotten. */
async function untilHealthy(admin: SwarmClient): Promise<void> {
  await waitFor(async () => (await admin.registry.get({ name: 'bencher' })).status.health === 'healthy', {
    what: 'the agent to be healthy',
    timeoutMs: PATIENCE_MS,
  });
}
