// Seeks of consumer groups: what is read again, what is passed over, and which acknowledgements count.
import { expect, test } from 'vitest';
import { type BusFixture, OPERATOR } from './bus-fixture.ts';
import { steeredGroup } from './steered-group.ts';

export function groupSeekingSuite(t: BusFixture): void {
  const { agent, publish, consume, ack, replica, swarm } = t;
  const { place, claim, claimed, figures, refusalOf, soon, delivered } = steeredGroup(t);

  test('a seek back redelivers once every event since that the group does not hold', async () => {
    const bus = await swarm();
    const other = await replica();
    const published = [];
    for (let i = 0; i < 6; i += 1) published.push(await publish(bus, i));
    const { deliveries } = await claim(bus, { maxDeliveries: 1 });
    const ids = deliveries.map(({ deliveryId }) => deliveryId);
    const [dead = '', ...settled] = ids.slice(1);
    const nack = { ...place(), deliveryIds: [dead], delayMs: 0, reason: undefined };
    await bus.nack(agent('py'), nack);
    expect(await ack(other, settled.slice(0, 3), agent('py'))).toBe(3);
    // 0 and 5 are in flight, 1 is dead, and 2 to 4 are settled.
    const after = published[0]?.position ?? '';
    const sought = await bus.steering.seek(OPERATOR, { ...place(), to: { after }, dropOpen: false });
    expect(sought).toMatchObject({ before: published[5]?.position, position: after, dropped: 0 });
    const again = (await claim(other, { maxDeliveries: 1, consumer: 'bob' })).deliveries;
    expect(again.map(({ event, attempt }) => [event.data, attempt])).toEqual([
      [2, 1],
      [3, 1],
      [4, 1],
    ]);
    expect(again.some(({ deliveryId }) => ids.includes(deliveryId))).toBe(false);
    expect(await claimed(bus, { maxDeliveries: 1 })).toEqual([]);
    // An ack of the life before settles nothing; those in flight count.
    expect(await ack(bus, settled.slice(0, 3), agent('py'))).toBe(0);
    expect(await ack(bus, [ids[0] ?? '', ids[5] ?? ''], agent('py'))).toBe(2);
    expect(
      await ack(
        bus,
        again.map(({ deliveryId }) => deliveryId),
        agent('py'),
      ),
    ).toBe(3);
    expect(await figures(bus)).toMatchObject({ inFlight: 0, waiting: 0, deadLetters: 1, lag: 0 });
  });

  test('an event that was redriven and settled before a seek reads it again is in a later life', async () => {
    const bus = await swarm();
    for (let i = 0; i < 3; i += 1) await publish(bus, i);
    const [dead] = (await claim(bus, { maxDeliveries: 1 })).deliveries;
    const deliveryIds = [dead?.deliveryId ?? ''];
    await bus.nack(agent('py'), { ...place(), deliveryIds, delayMs: 0, reason: undefined });
    await bus.steering.seek(OPERATOR, { ...place(), to: 'earliest', dropOpen: true });
    expect(await bus.redrive(OPERATOR, { ...place(), deliveryIds: undefined, all: true })).toEqual({ count: 1 });
    const [redriven] = (await claim(bus, { maxDeliveries: 1, max: 1 })).deliveries;
    expect(redriven).toMatchObject({ event: { data: 0 }, attempt: 1 });
    const early = [redriven?.deliveryId ?? ''];
    expect(await ack(bus, early, agent('py'))).toBe(1);
    const again = (await claim(bus, { maxDeliveries: 1 })).deliveries;
    expect(again.map(({ event }) => event.data)).toEqual([0, 1, 2]);
    expect(await ack(bus, [...deliveryIds, ...early], agent('py'))).toBe(0);
  });

  test('a seek forward passes over events, and a live stream goes on there', async () => {
    const bus = await swarm();
    const other = await replica();
    const member = consume(other, { maxInFlight: 1 });
    for (let i = 0; i < 5; i += 1) await publish(bus, i);
    await delivered(1, member);
    const sought = await bus.steering.seek(OPERATOR, { ...place(), to: 'latest', dropOpen: false });
    expect(await figures(bus)).toMatchObject({ lag: 0, inFlight: 1, position: sought.position });
    await publish(bus, 'new');
    expect(await ack(bus, [member.of('delivery')[0]?.deliveryId ?? ''])).toBe(1);
    expect((await delivered(2, member)).map(({ event }) => event.data)).toEqual([0, 'new']);
  });

  test('what a seek drops is read again, and its acks count for nothing', async () => {
    const bus = await swarm();
    const member = consume(await replica(), { maxInFlight: 2 });
    for (let i = 0; i < 3; i += 1) await publish(bus, i);
    await delivered(2, member);
    const before = member.of('delivery').map(({ deliveryId }) => deliveryId);
    expect(await bus.steering.seek(OPERATOR, { ...place(), to: 'earliest', dropOpen: true })).toMatchObject({
      dropped: 2,
    });
    expect((await delivered(4, member)).map(({ event }) => event.data)).toEqual([0, 1, 0, 1]);
    expect(await ack(bus, before)).toBe(0);
    expect(await figures(bus)).toMatchObject({ inFlight: 2, lag: 1 });
  });

  test('a group begins, and is sought, at a time, and so does a subscription', async () => {
    const bus = await swarm();
    const other = await replica();
    for (let i = 0; i < 3; i += 1) await publish(bus, i);
    await t.pass(1100);
    const time = new Date(await t.nowMs()).toISOString();
    for (let i = 3; i < 6; i += 1) await publish(bus, i);
    expect(await claimed(other, { from: { time } })).toEqual([3, 4, 5]);
    await bus.steering.seek(OPERATOR, { ...place(), to: { time }, dropOpen: true });
    expect(await claimed(bus)).toEqual([3, 4, 5]);
    const subscriber = t.subscribe(other, { from: { time } });
    await soon(() => expect(subscriber.of('event').map(({ event }) => event.data)).toEqual([3, 4, 5]));
  });

  test('a seek back by time redelivers once every event since that the group does not hold', async () => {
    const bus = await swarm();
    const other = await replica();
    for (let i = 0; i < 3; i += 1) await publish(bus, i);
    await t.pass(1100);
    const time = new Date(await t.nowMs()).toISOString();
    for (let i = 3; i < 7; i += 1) await publish(bus, i);
    const ids = (await claim(bus, { maxDeliveries: 1 })).deliveries.map(({ deliveryId }) => deliveryId);
    await bus.nack(agent('py'), { ...place(), deliveryIds: ids.slice(5, 6), delayMs: 0, reason: undefined });
    await ack(bus, [...ids.slice(0, 2), ...ids.slice(3, 5)]);
    // 2 and 6 are in flight, and 5 is dead.
    await bus.steering.seek(OPERATOR, { ...place(), to: { time }, dropOpen: false });
    expect(await claimed(other, { maxDeliveries: 1 })).toEqual([3, 4]);
    expect(await claimed(bus, { maxDeliveries: 1 })).toEqual([]);
    expect(await ack(other, [ids[2] ?? '', ids[6] ?? ''])).toBe(2);
  });

  test('a seek to a position of another log is refused', async () => {
    const bus = await swarm();
    await claim(bus);
    const { position } = await publish(bus, 1);
    const [epoch = '', seq = '', nonce = ''] = position.split('-');
    for (const after of ['nonsense', `x${epoch.slice(1, 5)}-${seq}-${nonce}`, `${epoch}-9-1`]) {
      const refused = bus.steering.seek(OPERATOR, { ...place(), to: { after }, dropOpen: false });
      expect(await refusalOf(refused)).toMatchObject({ code: 'INVALID_INPUT', details: [{ path: 'to.after' }] });
    }
    expect(await claimed(bus)).toEqual([1]);
  });
}
