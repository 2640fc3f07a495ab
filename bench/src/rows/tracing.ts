// How long it takes to see what became of an event, and the newest events, in a log of a million with a hundred groups.
import { createSwarmClient, type SwarmClient } from '@hypercode/client';
import { joinBus } from '../bus-agent.ts';
import type { Figure } from '../figures.ts';
import { type Latency, latencyOf } from '../measure/latency.ts';
import { median } from '../measure/percentiles.ts';
import { inFlight, interleave } from '../measure/rounds.ts';
import type { Rig } from '../rig.ts';
import { randomOf } from '../sample-agents.ts';
import { sampleEvent } from '../sample-events.ts';
import type { Findings, Row } from './row.ts';

const IN_FLIGHT = 2000;
const GROUPS = 100;
/** Events that each group has acknowledged before the others were published. */
const ACKNOWLEDGED = 50;
const CORRELATION = 'rare';

export const tracing: Row = {
  name: 'tracing',
  title: `the trace of an event and the newest events, among 1,000,000 with ${GROUPS} groups`,
  measure,
};

interface Log {
  readonly client: SwarmClient;
  readonly ids: readonly string[];
}

async function measure(rig: Rig): Promise<Findings> {
  await using stack = new AsyncDisposableStack();
  const size = rig.size(1_000_000, 20_000);
  const calls = rig.size(200, 100);
  const { url: redisUrl } = await rig.appendOnlyRedis();
  const logs: Record<string, Log> = {
    Redis: await fill(rig, stack, size, { REDIS_URL: redisUrl, SWARM_REDIS_PREFIX: 'tracing' }),
    PostgreSQL: await fill(rig, stack, size, {}),
  };
  const questions: Record<string, (log: Log, random: () => number) => Promise<unknown>> = {
    'trace of an event': ({ client, ids }, random) =>
      client.bus.trace({ id: ids[Math.floor(random() * ids.length)] ?? '' }),
    'the newest 50': ({ client }) => client.bus.read({ order: 'newest', limit: 50 }),
    'the next piece of a rare correlation': ({ client }) =>
      client.bus.read({ order: 'newest', limit: 50, correlationId: CORRELATION }),
  };
  const contenders = Object.fromEntries(
    Object.entries(logs).flatMap(([store, log]) =>
      Object.entries(questions).map(([question, ask]) => [
        `${question}, ${store}`,
        async (round: number): Promise<Latency> => {
          const random = randomOf(round + 1);
          const latenciesMs: number[] = [];
          await inFlight(1, calls, async () => {
            const started = performance.now();
            await ask(log, random);
            latenciesMs.push(performance.now() - started);
          });
          return latencyOf(latenciesMs);
        },
      ]),
    ),
  );
  rig.say('  warming up');
  for (const contender of Object.values(contenders)) await contender(99);
  const rounds = await interleave(contenders, rig.rounds);
  const figures = Object.entries(rounds).map(([name, latencies]): Figure => {
    const atMost = name.startsWith('trace') ? 50 : 100;
    return {
      what: `${name}, p99`,
      value: median(latencies.map(({ p99Ms }) => p99Ms)),
      unit: 'ms',
      goal: { of: 'value', atMost },
      note: `p50 ${median(latencies.map(({ p50Ms }) => p50Ms)).toFixed(1)} ms`,
    };
  });
  return {
    figures,
    notes: [
      `${size.toLocaleString('en-GB')} events, ${GROUPS} groups of which each has acknowledged ${ACKNOWLEDGED}; one call ` +
        `after the other by an administrator over HTTP, ${calls} in a round; p50: ` +
        figures.map(({ what, note }) => `${what.replace(', p99', '')} ${note?.replace('p50 ', '')}`).join(', '),
    ],
    rounds,
  };
}

async function fill(
  rig: Rig,
  stack: AsyncDisposableStack,
  size: number,
  env: Readonly<Record<string, string>>,
): Promise<Log> {
  const core = await rig.core(stack, {
    DATABASE_URL: await rig.database(),
    SWARM_EVENTS_MAX: String(2 * size),
    SWARM_EVENTS_MAX_BYTES: String(2 ** 33),
    ...env,
  });
  const { client: agent } = await joinBus(stack, core);
  const client = createSwarmClient({ url: core.url, token: core.adminToken });
  stack.defer(() => client.close());
  const ids: string[] = [];
  const publish = async (index: number): Promise<void> => {
    const { topic, data } = sampleEvent(index);
    const { id } = await agent.publish(topic, data, index === 0 ? { correlationId: CORRELATION } : {});
    ids.push(id);
  };
  await inFlight(IN_FLIGHT, ACKNOWLEDGED, publish);
  rig.say(`  ${GROUPS} groups work off ${ACKNOWLEDGED} events each`);
  await inFlight(10, GROUPS, async (index) => {
    const all = Promise.withResolvers<void>();
    let handled = 0;
    const group = { group: `group-${index}`, topics: ['bench.>'], from: 'earliest' as const };
    // An agent may make sixteen at most.
    const consumer = client.consume(group, async () => {
      handled += 1;
      if (handled === ACKNOWLEDGED) all.resolve();
    });
    consumer.closed.catch(all.reject);
    await all.promise;
    await consumer.stop();
  });
  rig.say(`  filling a log with ${size} events`);
  await inFlight(IN_FLIGHT, size - ACKNOWLEDGED, (index) => publish(index + ACKNOWLEDGED));
  return { client, ids };
}
