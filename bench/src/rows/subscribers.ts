// Events delivered a second to 1,000 SSE subscribers of the same topics, against tRPC's own path and a bare broadcast.
import type { SwarmClient } from '@hypercode/client';
import { type BusAgent, joinBus } from '../bus-agent.ts';
import { captureValue, costOf, deliver, deliverFrom, type Delivery } from '../delivery.ts';
import type { Figure, Goal } from '../figures.ts';
import { median, medianRatio } from '../measure/percentiles.ts';
import { type Contender, inFlight, interleave } from '../measure/rounds.ts';
import type { Measured, Rig } from '../rig.ts';
import { sampleEvent } from '../sample-events.ts';
import type { WatchTarget } from '../watchers/watchers.ts';
import type { Findings, Row } from './row.ts';

const SUBSCRIBERS = 1000;
/** Events published at the same time, and so in one request and one append. */
const GROUP = 100;
/** What begins every event on the wire, and nothing else. */
const EVENT_MARK = 'data: {"type":"event"';

export const subscribers: Row = {
  name: 'subscribers',
  title: `events delivered a second to ${SUBSCRIBERS} SSE subscribers of the same topics`,
  measure,
};

async function measure(rig: Rig): Promise<Findings> {
  await using stack = new AsyncDisposableStack();
  const burst = rig.size(2000, 500);
  const single = rig.size(300, 60);
  const trpcBurst = rig.size(40, 10);
  const { url: redisUrl } = await rig.appendOnlyRedis();
  const core = await rig.core(stack, { DATABASE_URL: await rig.database(), REDIS_URL: redisUrl });
  const agent = await joinBus(stack, core);
  const { client } = agent;
  await publishTogether(client, 1);
  const value = await captureValue(subscribeTarget(core, agent, { topics: ['bench.>'], from: 'earliest' }), () =>
    publishTogether(client, 1),
  );
  const trpc = await rig.server(stack, 'trpc-server');
  const bare = await rig.server(stack, 'bare-server');

  const fromCore =
    (count: number, group: number): Contender<Delivery> =>
    async () => {
      const [{ position } = { position: '' }] = await publishTogether(client, 1);
      const target = subscribeTarget(core, agent, { topics: ['bench.>'], from: { after: position } });
      return deliver({ server: core, target, watcherCount: SUBSCRIBERS, count }, () =>
        inFlight(group === 1 ? 1 : 2, count / group, () => publishTogether(client, group)),
      );
    };
  const fromPeer =
    (server: Measured, path: string, count: number, group: number): Contender<Delivery> =>
    () =>
      deliverFrom(server, { path, mark: EVENT_MARK }, { watcherCount: SUBSCRIBERS, value, count, group });
  const contenders = {
    core: fromCore(burst, GROUP),
    bareGrouped: fromPeer(bare, '/', burst, GROUP),
    bareSingle: fromPeer(bare, '/', burst, 1),
    trpc: fromPeer(trpc, '/trpc/watch', trpcBurst, 1),
    coreSingle: fromCore(single, 1),
  };
  rig.say('  warming up');
  for (const contender of Object.values(contenders)) await contender(-1);
  const rounds = await interleave(contenders, rig.rounds);

  const rates = (name: keyof typeof contenders) => rounds[name].map(({ perSecond }) => perSecond);
  const figure = (
    what: string,
    ours: 'core' | 'coreSingle',
    [name, peer, goal]: [string, keyof typeof contenders, Goal?],
  ): Figure => ({
    what,
    value: median(rates(ours)),
    unit: '/s',
    reference: { what: name, value: median(rates(peer)) },
    ratio: medianRatio(rates(ours), rates(peer)),
    ...(goal === undefined ? {} : { goal }),
  });
  const many = `events to ${SUBSCRIBERS} subscribers, ${GROUP} an append`;
  const one = `events to ${SUBSCRIBERS} subscribers, 1 an append`;
  return {
    figures: [
      figure(many, 'core', ["tRPC's own path", 'trpc', { of: 'ratio', atLeast: 30 }]),
      figure(many, 'core', [`bare broadcast, ${GROUP} a write`, 'bareGrouped', { of: 'ratio', atLeast: 0.7 }]),
      figure(many, 'core', ['bare broadcast, 1 a write', 'bareSingle']),
      figure(one, 'coreSingle', ['bare broadcast, 1 a write', 'bareSingle']),
    ],
    notes: [
      `from the first publish to the last event at the last subscriber, Redis included; ${burst} events in groups, ` +
        `${single} one by one (one call at a time), ${trpcBurst} for tRPC's path`,
      ...Object.entries(rounds).map(([name, deliveries]) => costOf(name, deliveries)),
    ],
    rounds,
  };
}

const publishTogether = (client: SwarmClient, count: number) =>
  Promise.all(
    Array.from({ length: count }, (_, index) => {
      const { topic, data } = sampleEvent(index);
      return client.publish(topic, data);
    }),
  );

/** A subscription as a connection of the watchers' process asks for it. */
export const subscribeTarget = ({ url }: Measured, { token }: BusAgent, input: object): WatchTarget => ({
  url,
  path: `/trpc/bus.subscribe?input=${encodeURIComponent(JSON.stringify(input))}`,
  headers: { authorization: `Bearer ${token}` },
  mark: EVENT_MARK,
});
