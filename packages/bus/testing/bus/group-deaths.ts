// That a delivery is named only by who received it, and that deaths become known.
import { expect, test } from 'vitest';
import type { DeathNotice } from '../../src/groups/death-reports.ts';
import type { Bus } from '../../src/bus.ts';
import { type BusFixture, NO_TOKEN_ENDS, OPERATOR, raise } from './bus-fixture.ts';

const GROUP = 'crew';

export function groupDeathsSuite(t: BusFixture): void {
  const { agent, publish, groupInput, ack, replica, pass, swarm } = t;
  const claim = async (bus: Bus, more: object = {}) =>
    (await bus.claim(agent('py'), { ...groupInput(more), consumer: 'py', max: 100, waitMs: 0 }, NO_TOKEN_ENDS))
      .deliveries;
  const place = () => ({ namespace: t.namespace, group: GROUP });
  const nack = (bus: Bus, deliveryIds: string[], reason?: string) =>
    bus.nack(agent('py'), { ...place(), deliveryIds, delayMs: 0, reason });
  const dead = async (bus: Bus) =>
    (await bus.deadLetters(OPERATOR, { ...place(), limit: 50, cursor: undefined })).deadLetters;
  /** The id that a consumer makes up that knows where an event stands, with the proof of another id, or without one. */
  const forged = (id: string): string[] => {
    const [position = '', life = '', attempt = '', uncounted = '', proof = ''] = id.split('.');
    const rest = [position, life, attempt, uncounted].join('.');
    const other = `${proof.startsWith('A') ? 'B' : 'A'}${proof.slice(1)}`;
    return [rest, [position, life, attempt].join('.'), `${rest}.${other}`, `${rest}.AAAAAAAAAAAAAAAA`];
  };

  test('an id that was made up counts for nothing, in any call', async () => {
    const bus = await swarm();
    const other = await replica();
    for (let i = 0; i < 2; i += 1) await publish(bus, i);
    const [first, second] = await claim(bus, { maxDeliveries: 1 });
    const [mine, others] = [first?.deliveryId ?? raise(), second?.deliveryId ?? raise()];
    for (const id of [...forged(others), `${others.slice(0, -16)}${mine.slice(-16)}`]) {
      expect(await ack(bus, [id])).toBe(0);
      expect(await nack(other, [id])).toBe(0);
      const extending = { ...place(), deliveryIds: [id], byMs: 1000 };
      expect(await bus.extend(agent('py'), extending)).toEqual({ extended: 0, dueAt: null });
    }
    // It does not harm those beside it.
    expect(await nack(other, [...forged(others), mine], 'no')).toBe(1);
    const [letter] = await dead(other);
    for (const id of forged(letter?.deliveryId ?? raise())) {
      const choice = { ...place(), deliveryIds: [id], all: undefined };
      expect(await bus.redrive(OPERATOR, choice)).toEqual({ count: 0 });
      expect(await bus.discard(OPERATOR, choice)).toEqual({ count: 0 });
    }
    const choice = { ...place(), deliveryIds: [letter?.deliveryId ?? raise()], all: undefined };
    expect(await other.discard(OPERATOR, choice)).toEqual({ count: 1 });
    expect(await ack(other, [others])).toBe(1);
  });

  test('every id that a core shows is taken by the others', async () => {
    const bus = await swarm();
    const other = await replica();
    await publish(bus, 1);
    await claim(bus);
    const { open } = await bus.group(OPERATOR, { ...place(), limit: 10, cursor: undefined });
    expect(await ack(other, [open[0]?.deliveryId ?? raise()])).toBe(1);
  });

  test('a core that knows a group from before takes the ids of the one that was made in its place', async () => {
    const bus = await swarm();
    const other = await replica();
    await publish(bus, 1);
    const [before] = await claim(bus);
    expect(await nack(other, [before?.deliveryId ?? raise()])).toBe(1);
    await bus.steering.delete(OPERATOR, { ...place(), reason: undefined });
    const [after] = await claim(bus);
    expect(await ack(bus, [before?.deliveryId ?? raise()])).toBe(0);
    expect(await ack(other, [after?.deliveryId ?? raise()])).toBe(1);
  });

  test('deaths become known once, over all replicas: as figures and as a notice with the commonest reasons', async () => {
    const notices: DeathNotice[] = [];
    const counted: number[] = [];
    const onDeaths = (notice: DeathNotice) => {
      if (notice.namespace === t.namespace) notices.push(notice);
    };
    const bus = await swarm({ onDeaths });
    const other = await replica({ onDeaths });
    for (const each of [bus, other])
      each.observe({ onDead: ({ namespace, count }) => void (namespace === t.namespace && counted.push(count)) });
    for (let i = 0; i < 9; i += 1) await publish(bus, i);
    const deliveries = await claim(bus, { maxDeliveries: 1, ackDeadlineMs: 200 });
    const ids = deliveries.map(({ deliveryId }) => deliveryId);
    for (const [index, reason] of ['e', 'e', 'd', 'c', 'b', 'a', undefined].entries())
      await nack(other, ids.slice(index, index + 1), reason);
    await pass(200);
    expect(await dead(bus)).toHaveLength(9);
    await Promise.all([bus.reportDeaths(), other.reportDeaths()]);
    const reason = (name: string, count: number) => ({ reason: name, count });
    const reasons = [reason('deadline', 2), reason('e', 2), reason('a', 1), reason('b', 1), reason('c', 1)];
    expect(notices).toEqual([{ namespace: t.namespace, data: { group: GROUP, count: 9, dropped: 0, reasons } }]);
    expect(counted).toEqual([9]);
    expect(bus.deliveries.dead + other.deliveries.dead).toBeGreaterThanOrEqual(9);
    const [info] = await other.listGroups(OPERATOR, t.namespace);
    expect(info).toMatchObject({ deadLetters: 9, deadByReason: reasons, members: 1, oldestUnreadAt: null });
    expect(JSON.stringify([info, await bus.group(OPERATOR, { ...place(), limit: 10, cursor: undefined })])).not.toMatch(
      /secret|unsigned/i,
    );
  });
}
