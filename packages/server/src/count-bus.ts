// Counts what a bus does into the statistics and the traffic of its namespaces. Counting is adding to a number.
import { type Bus, originOf } from '@hypercode/bus';
import type { CountRead, Operations } from '@hypercode/operations';

/** Groups whose counter is kept; when there are more, all are made anew. */
const MAX_GROUPS = 10_000;

/** Counts until the returned function is called. */
export function countBus(bus: Bus, { statistics, traffic }: Operations): () => void {
  const groups = new Map<string, CountRead>();
  const ofGroup = (namespace: string, group: string): CountRead => {
    const key = `${namespace} ${group}`;
    let count = groups.get(key);
    if (count === undefined) {
      if (groups.size >= MAX_GROUPS) groups.clear();
      groups.set(key, (count = traffic.reader(namespace, { kind: 'group', name: group })));
    }
    return count;
  };
  return bus.observe({
    onAppend({ namespace, published }) {
      if (published > 0) statistics.of(namespace).published += published;
    },
    onPublish: (namespace, ms) => statistics.of(namespace).publishing.add(ms),
    onRefused(namespace, events) {
      statistics.of(namespace).refused += events;
    },
    onStream: (namespace, name) => traffic.reader(namespace, { kind: 'stream', name }),
    onDeliver(namespace, group, deliveries) {
      const counts = statistics.of(namespace);
      counts.delivered += deliveries.length;
      for (const { attempt } of deliveries) if (attempt > 1) counts.redelivered += 1;
      ofGroup(namespace, group)(deliveries.map(({ text }) => originOf(text)));
    },
    onAck(namespace, count) {
      statistics.of(namespace).acked += count;
    },
    onDead({ namespace, count }) {
      statistics.of(namespace).dead += count;
    },
  });
}
