// From a publish to the subscriber's handler, at a moderate rate.
import { randomUUID } from 'node:crypto';
import { joinBus, openClient } from '../bus-agent.ts';
import type { SwarmClient } from '@hypercode/client';
import type { Figure } from '../figures.ts';
import { type Latency, latencyOf } from '../measure/latency.ts';
import { atPace } from '../measure/pace.ts';
import { median, medianRatio } from '../measure/percentiles.ts';
import { interleave } from '../measure/rounds.ts';
import { JetStream } from '../nats.ts';
import { RedisLog } from '../redis-log.ts';
import type { Rig } from '../rig.ts';
import { type SampleData, sampleData } from '../sample-events.ts';
import type { Findings, Row } from './row.ts';

const PER_SECOND = 500;
const ADMIN_TOKEN = 'bench-admin-token-of-two-cores';

export const eventLatency: Row = {
  name: 'event-latency',
  title: `from a publish to a subscriber, at ${PER_SECOND} events a second`,
  measure,
};

/** A publisher and a subscriber, on connections of their own. */
interface Route {
  /** Resolves when everything that is published from now on will be received. Returns what ends it. */
  listen(topic: string, onData: (data: unknown) => void): Promise<() => Promise<void>>;
  publish(topic: string, data: unknown): Promise<unknown>;
}

async function measure(rig: Rig): Promise<Findings> {
  await using stack = new AsyncDisposableStack();
  const total = rig.size(5000, 2000);
  const { url: redisUrl } = await rig.appendOnlyRedis();
  const env = {
    DATABASE_URL: await rig.database(),
    REDIS_URL: redisUrl,
    SWARM_ADMIN_TOKEN: ADMIN_TOKEN,
  };
  // One after the other: the first one migrates.
  const core = await rig.core(stack, env);
  const other = await rig.core(stack, env);
  const { client, token } = await joinBus(stack, core);
  const routes: Record<string, Route> = {
    same: throughCores(client, openClient(stack, core, token)),
    other: throughCores(client, openClient(stack, other, token)),
    raw: await throughRedis(stack, redisUrl),
  };
  const nats = await rig.nats();
  if (nats !== null) {
    const [publisher, subscriber] = [await JetStream.connect(nats), await JetStream.connect(nats)];
    stack.defer(() => publisher.close());
    stack.defer(() => subscriber.close());
    routes['nats'] = {
      listen: (topic, onData) => subscriber.listen(topic, onData),
      publish: (topic, data) => publisher.publish(topic, data, randomUUID()),
    };
  }
  const contenders = Object.fromEntries(
    Object.entries(routes).map(([name, route]) => [
      name,
      (round: number) => latencies(route, `bench.latency-${name}.round-${round + 1}`, total),
    ]),
  );

  rig.say('  warming up');
  for (const contender of Object.values(contenders)) await contender(-1);
  const rounds = await interleave(contenders, rig.rounds);
  const of = (name: string, part: keyof Latency) => (rounds[name] ?? []).map((one) => one[part]);
  const figure = (ours: 'same' | 'other', part: keyof Latency, [peer, name]: readonly [string, string]): Figure => ({
    what: `publish to subscriber, ${ours} core, ${part === 'p50Ms' ? 'p50' : 'p99'}`,
    value: median(of(ours, part)),
    unit: 'ms',
    reference: { what: name, value: median(of(peer, part)) },
    ratio: medianRatio(of(ours, part), of(peer, part)),
    ...(ours === 'same' && peer === 'nats' && part === 'p99Ms' ? { goal: { of: 'ratio', atMost: 4 } } : {}),
  });
  const raw = ['raw', 'XADD to blocking XREAD'] as const;
  const stream = nats === null ? raw : (['nats', 'JetStream, file'] as const);
  return {
    figures: [
      figure('same', 'p50Ms', stream),
      figure('same', 'p99Ms', stream),
      ...(nats === null ? [] : [figure('same', 'p50Ms', raw), figure('same', 'p99Ms', raw)]),
      figure('other', 'p50Ms', stream),
      figure('other', 'p99Ms', stream),
    ],
    notes: [
      'publisher and subscriber are in the process of the bench, on connections of their own; acknowledgements are not ' +
        'waited for; JetStream is read by an ordered consumer, which is sent what it asked for in advance',
      ...(nats === null ? ['no nats-server on the PATH: NOT measured against JetStream'] : []),
    ],
    rounds,
  };
}

async function latencies(route: Route, topic: string, total: number): Promise<Latency> {
  const startedAt: number[] = [];
  const latenciesMs: number[] = [];
  const all = Promise.withResolvers<void>();
  const stop = await route.listen(topic, (data) => {
    latenciesMs.push(performance.now() - (startedAt[(data as SampleData).index] ?? Number.NaN));
    if (latenciesMs.length === total) all.resolve();
  });
  try {
    await atPace({ perSecond: PER_SECOND, total }, (index) => {
      const data = sampleData(index, 'task-0001');
      startedAt.push(performance.now());
      return route.publish(topic, data);
    });
    await all.promise;
  } finally {
    await stop();
  }
  return latencyOf(latenciesMs);
}

function throughCores(publisher: SwarmClient, subscriber: SwarmClient): Route {
  return {
    publish: (topic, data) => publisher.publish(topic, data),
    async listen(topic, onData) {
      const subscription = subscriber.subscribe({ topics: [topic] });
      // A bookmark, where it is attached.
      await subscription.next();
      const run = async () => {
        for await (const item of subscription) if (item.type === 'event') onData(item.event.data);
      };
      const running = run();
      return async () => {
        await subscription.return?.();
        await running;
      };
    },
  };
}

async function throughRedis(stack: AsyncDisposableStack, url: string): Promise<Route> {
  const [publisher, subscriber] = [await RedisLog.connect(url), await RedisLog.connect(url)];
  stack.defer(() => publisher.close());
  stack.defer(() => subscriber.close());
  return {
    publish: (topic, data) => publisher.append(topic, data),
    listen: async (topic, onData) => subscriber.listen(topic, onData),
  };
}
