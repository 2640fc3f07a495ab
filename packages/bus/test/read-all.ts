// Everything that looks at a bus, called once: with an event, a group that has one in flight and one dead, and a stream.
import { randomUUID } from 'node:crypto';
import { expect } from 'vitest';
import type { Bus } from '../src/bus.ts';
import { type BusFixture, OPERATOR, until } from '../testing/bus/bus-fixture.ts';

/** A swarm in which there is something to look at; the result looks at all of it. */
export async function lookingAtAll(t: BusFixture): Promise<() => Promise<void>> {
  const bus = await t.swarm();
  const worker = t.consume(bus, { maxDeliveries: 1 });
  await t.attached(t.subscribe(bus));
  const cause = randomUUID();
  await t.publish(bus, 1, { id: cause });
  const { id, position } = await t.publish(bus, 2, { causationId: cause, correlationId: 'talk' });
  await t.publish(bus, 3, { causationId: id });
  await until(() => expect(worker.of('delivery')).toHaveLength(3));
  const [first] = worker.of('delivery');
  await bus.nack(t.agent('worker'), {
    namespace: t.namespace,
    group: 'crew',
    deliveryIds: [first?.deliveryId ?? ''],
    delayMs: 0,
    reason: 'no',
  });
  return () => lookAt(bus, t.namespace, { id, position });
}

async function lookAt(bus: Bus, namespace: string, { id, position }: { id: string; position: string }): Promise<void> {
  const inGroup = { namespace, group: 'crew', limit: 50 };
  await bus.tracing.trace(OPERATOR, { namespace, id });
  await bus.tracing.trace(OPERATOR, { namespace, position });
  await bus.tracing.trace(OPERATOR, { namespace, id: randomUUID() }).catch(() => undefined);
  await bus.tracing.preview(OPERATOR, { namespace, topic: 'work.done', publisher: null });
  await bus.tracing.preview(OPERATOR, { namespace, topic: 'work.don', publisher: null });
  await bus.find(OPERATOR, { namespace, id });
  for (const order of ['oldest', 'newest'] as const) {
    await bus.read(OPERATOR, { namespace, topics: ['>'], order, correlationId: 'talk', limit: 50 });
  }
  await bus.group(OPERATOR, inGroup);
  await bus.groups(OPERATOR, { namespace, limit: 50 });
  await bus.deadLetters(OPERATOR, inGroup);
  await bus.topics({ namespace, limit: 50 });
}
