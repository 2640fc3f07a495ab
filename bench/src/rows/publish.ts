// Events published a second with 500 in flight, against NATS JetStream and a raw script on Redis.
import { randomUUID } from 'node:crypto';
import { joinBus } from '../bus-agent.ts';
import type { Figure, Goal } from '../figures.ts';
import { Costs, type Meter } from '../measure/costs.ts';
import { median, medianRatio } from '../measure/percentiles.ts';
import { cpuSeconds, familyCpuSeconds } from '../measure/process-usage.ts';
import { inFlight, interleave } from '../measure/rounds.ts';
import { JetStream } from '../nats.ts';
import { RedisLog } from '../redis-log.ts';
import type { Rig } from '../rig.ts';
import { sampleEvent } from '../sample-events.ts';
import type { Findings, Row } from './row.ts';

const IN_FLIGHT = 500;

export const publish: Row = {
  name: 'publish',
  title: `events published a second by one client, ${IN_FLIGHT} in flight`,
  measure,
};

type Publish = (topic: string, data: unknown) => Promise<unknown>;

async function measure(rig: Rig): Promise<Findings> {
  await using stack = new AsyncDisposableStack();
  const counts = { redis: rig.size(40_000, 10_000), postgres: rig.size(20_000, 5000) };
  const { url: redisUrl } = await rig.appendOnlyRedis();
  const redisPid = await rig.appendOnlyRedisPid();
  const postgresPid = await rig.postgresPid();
  const onRedis = await rig.core(stack, { DATABASE_URL: await rig.database(), REDIS_URL: redisUrl });
  const onPostgres = await rig.core(stack, { DATABASE_URL: await rig.database() });
  const { client: redisClient } = await joinBus(stack, onRedis);
  const { client: postgresClient } = await joinBus(stack, onPostgres);
  const raw = await RedisLog.connect(redisUrl);
  stack.defer(() => raw.close());
  const ofRedis = redisPid === null ? [] : [() => familyCpuSeconds(redisPid)];
  const ofPostgres = postgresPid === null ? [] : [() => familyCpuSeconds(postgresPid)];

  const costs = new Costs();
  const perSecond = (name: string, count: number, servers: readonly Meter[], send: Publish) => () =>
    costs.metered({ name, count, servers }, async () => {
      const seconds = await inFlight(IN_FLIGHT, count, (index) => {
        const { topic, data } = sampleEvent(index);
        return send(topic, data);
      });
      return count / seconds;
    });
  const contenders: Record<string, () => Promise<number>> = {
    redis: perSecond('core, Redis', counts.redis, [() => cpuSeconds(onRedis.pid), ...ofRedis], (topic, data) =>
      redisClient.publish(topic, data),
    ),
    raw: perSecond('script: Redis', counts.redis, ofRedis, (_, data) => raw.publish('publish', data, randomUUID())),
    postgres: perSecond(
      'core, PostgreSQL',
      counts.postgres,
      [() => cpuSeconds(onPostgres.pid), ...ofPostgres],
      (topic, data) => postgresClient.publish(topic, data),
    ),
  };
  const nats = await rig.nats();
  if (nats !== null) {
    const stream = await JetStream.connect(nats);
    stack.defer(() => stream.close());
    const ofNats = [() => familyCpuSeconds(nats.parentPid)];
    contenders['nats'] = perSecond('JetStream: nats-server', counts.redis, ofNats, (topic, data) =>
      stream.publish(topic, data, randomUUID()),
    );
  }

  rig.say('  warming up');
  for (const contender of Object.values(contenders)) await contender();
  costs.clear();
  const rates = await interleave(contenders, rig.rounds);
  const figure = (store: 'redis' | 'postgres', name: string, [peer, goal]: [string, Goal?]): Figure => ({
    what: `published, ${IN_FLIGHT} in flight, ${store === 'redis' ? 'Redis' : 'PostgreSQL'}`,
    value: median(rates[store] ?? []),
    unit: '/s',
    reference: { what: name, value: median(rates[peer] ?? []) },
    ratio: medianRatio(rates[store] ?? [], rates[peer] ?? []),
    ...(goal === undefined ? {} : { goal }),
  });
  const hasNats = nats !== null;
  return {
    figures: [
      ...(hasNats ? [figure('redis', 'JetStream, file', ['nats', { of: 'ratio', atLeast: 1.5 }])] : []),
      figure('redis', 'raw script', ['raw', { of: 'ratio', atLeast: 0.5 }]),
      ...(hasNats ? [figure('postgres', 'JetStream, file', ['nats'])] : []),
      figure('postgres', 'core on Redis', ['redis']),
    ],
    notes: [
      `${Buffer.byteLength(JSON.stringify(sampleEvent(1).data))} bytes of data, each event acknowledged; the core checks ` +
        "the agent's policy and circuit and knows an event again by its id, as JetStream and the script do",
      'Redis appends to its file and syncs it once a second, for the core and for the script; PostgreSQL syncs every ' +
        'commit; ' +
        (hasNats
          ? `nats-server ${nats.version} writes its file and syncs it when it sees fit (sync_interval, 2 minutes)`
          : 'no nats-server on the PATH: NOT measured against JetStream'),
      `processor time for each event, in µs: ${costs.describe()}`,
    ],
    rounds: rates,
  };
}
