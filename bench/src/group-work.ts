// One consumer group that works off what is published meanwhile.
import type { SwarmClient } from '@hypercode/client';
import { waitFor } from '@hypercode/testkit';
import { sampleEvent } from './sample-events.ts';

/** Events that the group handles together. */
export const GROUP_CONCURRENCY = 100;

/** Events a second, from the first publish until the last one is handled and acknowledged. */
export async function workOffGroup(client: SwarmClient, group: string, count: number): Promise<number> {
  let handled = 0;
  const all = Promise.withResolvers<void>();
  const consumer = client.consume(
    { group, topics: ['bench.>'], maxInFlight: GROUP_CONCURRENCY, onError: all.reject },
    async () => {
      handled += 1;
      if (handled === count) all.resolve();
    },
  );
  consumer.closed.catch(all.reject);
  try {
    // A group that begins with what comes next has to be there before it comes.
    await waitFor(async () => (await client.bus.groups()).groups.some((one) => one.group === group), {
      what: `the group ${group}`,
    });
    const started = performance.now();
    const published = Array.from({ length: count }, (_, index) => {
      const { topic, data } = sampleEvent(index);
      return client.publish(topic, data);
    });
    await Promise.all([...published, all.promise]);
    // The last acks.
    await client.flush();
    return count / ((performance.now() - started) / 1000);
  } finally {
    await consumer.stop();
  }
}
