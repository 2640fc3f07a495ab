// How long one publish takes when nothing else is under way.
import { randomUUID } from 'node:crypto';
import { joinBus } from '../bus-agent.ts';
import type { Figure } from '../figures.ts';
import { type Latency, latencyOf } from '../measure/latency.ts';
import { median, medianRatio } from '../measure/percentiles.ts';
import { inFlight, interleave } from '../measure/rounds.ts';
import { JetStream } from '../nats.ts';
import { RedisLog } from '../redis-log.ts';
import type { Rig } from '../rig.ts';
import { sampleEvent } from '../sample-events.ts';
import type { Findings, Row } from './row.ts';

export const publishLatency: Row = {
  name: 'publish-latency',
  title: 'from a publish to its acknowledgement, one at a time',
  measure,
};

async function measure(rig: Rig): Promise<Findings> {
  await using stack = new AsyncDisposableStack();
  const count = rig.size(2000, 300);
  const { url: redisUrl } = await rig.appendOnlyRedis();
  const core = await rig.core(stack, { DATABASE_URL: await rig.database(), REDIS_URL: redisUrl });
  const { client } = await joinBus(stack, core);
  const raw = await RedisLog.connect(redisUrl);
  stack.defer(() => raw.close());

  const latency = (send: (topic: string, data: unknown) => Promise<unknown>) => async (): Promise<Latency> => {
    const latenciesMs: number[] = [];
    await inFlight(1, count, async (index) => {
      const { topic, data } = sampleEvent(index);
      const started = performance.now();
      await send(topic, data);
      latenciesMs.push(performance.now() - started);
    });
    return latencyOf(latenciesMs);
  };
  const contenders: Record<string, () => Promise<Latency>> = {
    core: latency((topic, data) => client.publish(topic, data)),
    raw: latency((_, data) => raw.publish('publish-latency', data, randomUUID())),
  };
  const nats = await rig.nats();
  if (nats !== null) {
    const stream = await JetStream.connect(nats);
    stack.defer(() => stream.close());
    contenders['nats'] = latency((topic, data) => stream.publish(topic, data, randomUUID()));
  }

  rig.say('  warming up');
  for (const contender of Object.values(contenders)) await contender();
  const rounds = await interleave(contenders, rig.rounds);
  const of = (name: string, part: keyof Latency) => (rounds[name] ?? []).map((one) => one[part]);
  const figure = (peer: string, name: string, part: keyof Latency): Figure => ({
    what: `publish, one at a time, Redis, ${part === 'p50Ms' ? 'p50' : 'p99'}`,
    value: median(of('core', part)),
    unit: 'ms',
    reference: { what: name, value: median(of(peer, part)) },
    ratio: medianRatio(of('core', part), of(peer, part)),
  });
  const peers = { ...(nats === null ? {} : { nats: 'JetStream, file' }), raw: 'raw script' };
  return {
    figures: Object.entries(peers).flatMap(([peer, name]) => [
      figure(peer, name, 'p50Ms'),
      figure(peer, name, 'p99Ms'),
    ]),
    notes: ['HTTP to the core and from there to Redis; its peers speak to their server directly, on one connection'],
    rounds,
  };
}
