// Events delivered a second to 1,000 SSE subscribers of the same topics, against tRPC's own path and a bare broadcast.
import type { SwarmClient } from '@hypercode/client';
import { type BusAgent, joinBus } from '../bus-agent.ts';
import { captureValue, deliver } from '../delivery.ts';
import { inFlight } from '../measure/rounds.ts';
import type { Measured, Rig } from '../rig.ts';
import { sampleEvent } from '../sample-events.ts';
import type { WatchTarget } from '../watchers/watchers.ts';
import { compareDelivery, GROUP } from './compare-delivery.ts';
import type { Findings, Row } from './row.ts';

const SUBSCRIBERS = 1000;
/** What begins every event on the wire, and nothing else. */
const EVENT_MARK = 'data: {"type":"event"';

export const subscribers: Row = {
  name: 'subscribers',
  title: `events delivered a second to ${SUBSCRIBERS} SSE subscribers of the same topics`,
  measure,
};

async function measure(rig: Rig): Promise<Findings> {
  await using stack = new AsyncDisposableStack();
  const { url: redisUrl } = await rig.appendOnlyRedis();
  const core = await rig.core(stack, { DATABASE_URL: await rig.database(), REDIS_URL: redisUrl });
  const agent = await joinBus(stack, core);
  const { client } = agent;
  await publishTogether(client, 1);
  const value = await captureValue(subscribeTarget(core, agent, { topics: ['bench.>'], from: 'earliest' }), () =>
    publishTogether(client, 1),
  );
  return await compareDelivery(rig, stack, {
    watcherCount: SUBSCRIBERS,
    mark: EVENT_MARK,
    value,
    fromCore: (count, group) => async () => {
      const [{ position } = { position: '' }] = await publishTogether(client, 1);
      const target = subscribeTarget(core, agent, { topics: ['bench.>'], from: { after: position } });
      return deliver({ server: core, target, watcherCount: SUBSCRIBERS, count }, () =>
        inFlight(group === 1 ? 1 : 2, count / group, () => publishTogether(client, group)),
      );
    },
    many: `events to ${SUBSCRIBERS} subscribers, ${GROUP} an append`,
    one: `events to ${SUBSCRIBERS} subscribers, 1 an append`,
    span: 'from the first publish to the last event at the last subscriber, Redis included',
  });
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
