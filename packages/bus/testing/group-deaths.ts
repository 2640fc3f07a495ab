// The contract of the GroupStore port: how many dead letters a group keeps, what is reported of deaths, and what figures say.
import { LIMITS } from '@hypercode/contracts';
import { waitFor } from '@hypercode/testkit';
import { beforeEach, expect, test } from 'vitest';
import type { BusStore } from '../src/store/bus-store.ts';
import { type DeathReport, DEATHS_INTERVAL_MS } from '../src/store/group-deaths.ts';
import { at, newEventOf, newEvents, type StoreTime } from './bus-store.ts';
import { AT_ONCE, type GroupSuite, type GroupUnderTest, SHORT_DEADLINE_MS } from './group-under-test.ts';

/** Part of `groupStoreConformance`. */
export function groupDeaths(suite: GroupSuite): void {
  const { describeWhole } = suite;
  let first: BusStore;
  let second: BusStore;
  let time: StoreTime;
  let group: GroupUnderTest;

  beforeEach(() => {
    ({ first, second, group } = suite.current());
    ({ time } = suite.current().stores);
  });

  /** Reports of the group of the test; what other tests left behind is passed over. */
  const taken = async (store: BusStore): Promise<DeathReport[]> =>
    (await store.groups.takeDeaths()).filter(({ namespace }) => namespace === group.namespace);

  /** Appends events, which die at once. */
  async function kill(events: ReturnType<typeof newEvents>): Promise<void> {
    await first.log.append(group.namespace, events);
    for (let left = events.length; left > 0;) {
      const { deliveries } = await group.claim(first);
      expect(await group.nack(first, deliveries)).toBe(deliveries.length);
      left -= deliveries.length;
    }
  }

  describeWhole('bounds', () => {
    test('when one more dies than a group keeps, the oldest dead letter goes', { timeout: 60_000 }, async () => {
      await group.openGroup({ maxDeliveries: 1 });
      for (let count = 0; count < LIMITS.deadLetters; count += 1000) await kill(newEvents(1000));
      expect(await group.figures(second)).toMatchObject({ deadLetters: LIMITS.deadLetters });
      await kill(newEvents(3));
      expect(await group.figures(second)).toMatchObject({
        deadLetters: LIMITS.deadLetters,
        deadByReason: { 'no reason': LIMITS.deadLetters },
      });
      expect((await group.deadLetters(second, { after: null, limit: 1 }))[0]?.position.seq).toBe(4);
      expect(await taken(second)).toMatchObject([{ count: LIMITS.deadLetters + 3, dropped: 3 }]);
      // Room that was made is used before anything goes again.
      const page = await group.deadLetters(first, { after: null, limit: 2 });
      await group.ack(first, page.slice(0, 1));
      await first.groups.discard(group.namespace, group.name, [at(page, 1).position], '/operators/ops');
      await kill(newEvents(2));
      expect((await group.deadLetters(second, { after: null, limit: 1 }))[0]?.position.seq).toBe(6);
    });

    test('the texts of the dead letters of a group have no more bytes than it keeps', { timeout: 60_000 }, async () => {
      await group.openGroup({ maxDeliveries: 1 });
      const size = LIMITS.eventBytes;
      const most = LIMITS.deadLetterBytes / size;
      for (let count = 0; count < most; count += 8) await kill(Array.from({ length: 8 }, () => newEventOf(size)));
      expect(await group.figures(second)).toMatchObject({ deadLetters: most });
      await kill([newEventOf(3 * size)]);
      expect(await group.figures(second)).toMatchObject({ deadLetters: most - 2 });
      expect(await taken(second)).toMatchObject([{ count: most + 1, dropped: 3 }]);
      const [redriven] = await group.deadLetters(first, { after: null, limit: 1 });
      if (redriven === undefined) throw new Error('there is no dead letter');
      await first.groups.redrive(group.namespace, group.name, [redriven.position]);
      await kill([newEventOf(size / 2)]);
      expect(await group.figures(second)).toMatchObject({ deadLetters: most - 2 });
    });

    test('of the failed attempts of an event, the newest are kept', { timeout: 60_000 }, async () => {
      const maxDeliveries = LIMITS.failedAttempts + 3;
      await group.withEvents(1, { maxDeliveries });
      for (let attempt = 1; attempt <= maxDeliveries; attempt += 1) {
        const { deliveries } = await group.claim(first);
        await group.nack(second, deliveries, { delayMs: 0, reason: `no ${attempt}` });
      }
      const [letter] = await group.deadLetters(first);
      expect(letter?.history.map(({ attempt }) => attempt)).toEqual(
        Array.from({ length: LIMITS.failedAttempts }, (_, index) => index + 4),
      );
      expect(await group.figures(second)).toMatchObject({ deadByReason: { [`no ${maxDeliveries}`]: 1 } });
      expect(await first.groups.discard(group.namespace, group.name, null, '/operators/ops')).toBe(1);
      expect(await group.figures(second)).toMatchObject({ deadLetters: 0, deadByReason: {} });
    });
  });

  describeWhole('deaths', () => {
    test('deaths are reported once, whether an attempt was refused or its deadline passed, and whoever noticed', async () => {
      await group.withEvents(4, { maxDeliveries: 1, ackDeadlineMs: SHORT_DEADLINE_MS });
      const { deliveries } = await group.claim(first);
      await group.nack(first, deliveries.slice(0, 1), { delayMs: 0, reason: 'broken' });
      await group.nack(first, deliveries.slice(1, 2), AT_ONCE);
      await time.pass(SHORT_DEADLINE_MS);
      expect(await group.ack(second, [])).toBe(0);
      const { namespace, name } = group;
      expect(await taken(second)).toEqual([
        { namespace, group: name, count: 4, dropped: 0, reasons: { broken: 1, deadline: 2, 'no reason': 1 } },
      ]);
      expect(await taken(first)).toEqual([]);
      expect(await group.figures(second)).toMatchObject({
        deadByReason: { broken: 1, deadline: 2, 'no reason': 1 },
      });
    });

    test('a group is reported again after a while, with what died meanwhile', { timeout: 30_000 }, async () => {
      await group.openGroup({ maxDeliveries: 1 });
      await kill(newEvents(1));
      expect(await taken(first)).toMatchObject([{ count: 1 }]);
      await kill(newEvents(2));
      expect([...(await taken(first)), ...(await taken(second))]).toEqual([]);
      await kill(newEvents(1));
      await time.pass(DEATHS_INTERVAL_MS);
      const [reports] = await waitFor(
        async () => {
          const found = await taken(second);
          return found.length > 0 ? [found] : null;
        },
        { what: 'a second report' },
      );
      expect(reports).toMatchObject([{ count: 3 }]);
    });

    test('the reasons of the dead letters that a group has now are counted, the rarest only up to a number', async () => {
      const reasons = ['a', 'a', 'a', 'b', 'b', 'c'];
      const { positions } = await group.withEvents(40, { maxDeliveries: 1 });
      const { deliveries } = await group.claim(first);
      for (const [index, reason] of reasons.entries()) {
        await group.nack(first, [at(deliveries, index)], { delayMs: 0, reason });
      }
      expect(await group.figures(second)).toMatchObject({ deadByReason: { a: 3, b: 2, c: 1 } });
      await first.groups.redrive(group.namespace, group.name, [at(positions, 0)]);
      await first.groups.discard(group.namespace, group.name, [at(positions, 3)], '/operators/ops');
      await group.ack(second, [at(deliveries, 5)]);
      expect((await group.figures(second)).deadByReason).toEqual({ a: 2, b: 1 });
      for (const [index, delivery] of deliveries.slice(6).entries()) {
        await group.nack(first, [delivery], { delayMs: 0, reason: `${index} ${'é'.repeat(1000)}` });
      }
      const { deadByReason } = await group.figures(first);
      expect(deadByReason).toMatchObject({ a: 2 });
      expect(Object.keys(deadByReason)).toHaveLength(20);
      for (const reason of Object.keys(deadByReason)) expect(reason).toMatch(/^(a|b|\d+ é{90,200})$/);
      await first.groups.discard(group.namespace, group.name, null, '/operators/ops');
      expect((await group.figures(first)).deadByReason).toEqual({});
    });

    test('a group that was deleted is reported no more, and one of its name begins anew', async () => {
      await group.openGroup({ maxDeliveries: 1 });
      await kill(newEvents(2));
      await first.groups.delete(group.namespace, group.name);
      expect(await taken(second)).toEqual([]);
      await group.openGroup({ maxDeliveries: 1 });
      expect((await group.figures(second)).deadByReason).toEqual({});
      // It reads the log from its beginning.
      await kill(newEvents(1));
      expect((await group.figures(second)).deadByReason).toEqual({ 'no reason': 3 });
    });
  });

  describeWhole('figures', () => {
    test('the oldest unread event is as old as its appending', async () => {
      await group.openGroup();
      expect(await group.figures(second)).toMatchObject({ oldestUnreadAt: null, members: 0, ratePerSecond: 0 });
      const before = await time.nowMs();
      await first.log.append(group.namespace, newEvents(1));
      const between = await time.nowMs();
      await time.pass(20);
      await first.log.append(group.namespace, newEvents(1));
      const { oldestUnreadAt } = await group.figures(second);
      expect(oldestUnreadAt).toBeGreaterThanOrEqual(Math.floor(before));
      expect(oldestUnreadAt).toBeLessThanOrEqual(between);
      await group.claim(first, { max: 1 });
      expect((await group.figures(second)).oldestUnreadAt).toBeGreaterThan(oldestUnreadAt ?? Infinity);
      await group.claim(first);
      expect(await group.figures(second)).toMatchObject({ oldestUnreadAt: null, members: 1 });
    });

    test('the oldest dead letter is as old as its death, until it is redriven or discarded', async () => {
      await group.openGroup({ maxDeliveries: 1 });
      expect(await group.figures(second)).toMatchObject({ oldestDeadAt: null });
      const before = await time.nowMs();
      await kill(newEvents(1));
      const between = await time.nowMs();
      await time.pass(20);
      await kill(newEvents(2));
      const { oldestDeadAt } = await group.figures(second);
      expect(oldestDeadAt).toBeGreaterThanOrEqual(Math.floor(before));
      expect(oldestDeadAt).toBeLessThanOrEqual(between);
      const letters = await group.deadLetters(first, { after: null, limit: 3 });
      expect(letters.map(({ deadAt }) => deadAt)[0]).toBe(oldestDeadAt);
      await first.groups.redrive(group.namespace, group.name, [at(letters, 0).position]);
      expect(await group.figures(second)).toMatchObject({ deadLetters: 2, oldestDeadAt: at(letters, 1).deadAt });
      expect(at(letters, 1).deadAt).toBeGreaterThan(between);
      await first.groups.discard(group.namespace, group.name, null, '/operators/ops');
      expect(await group.figures(second)).toMatchObject({ deadLetters: 0, oldestDeadAt: null });
    });

    test('an event whose last deadline passed is a dead letter from then on', async () => {
      await group.withEvents(1, { maxDeliveries: 1, ackDeadlineMs: SHORT_DEADLINE_MS });
      await group.claim(first);
      const claimed = await time.nowMs();
      await time.pass(SHORT_DEADLINE_MS);
      const { deadLetters, oldestDeadAt } = await group.figures(second);
      expect(deadLetters).toBe(1);
      expect(oldestDeadAt).toBeGreaterThan(claimed);
      expect(oldestDeadAt).toBeLessThanOrEqual(await time.nowMs());
    });

    test('acknowledgements count for about a minute', async () => {
      await group.withEvents(60);
      const { deliveries } = await group.claim(first);
      await group.ack(first, deliveries.slice(0, 30));
      await group.nack(first, deliveries.slice(30, 40));
      await group.ack(second, deliveries.slice(40));
      const { ratePerSecond } = await group.figures(first);
      expect(ratePerSecond).toBeGreaterThan(0.5);
      expect(ratePerSecond).toBeLessThanOrEqual(50 / 60);
    });
  });

  test('a group has a secret of its own for as long as it exists', async () => {
    const { state } = await group.openGroup();
    const { secret } = state;
    expect(secret?.length).toBeGreaterThan(40);
    expect(state.unsignedUntil).toBeNull();
    expect((await group.openGroup()).state.secret).toBe(secret);
    expect(await second.groups.find(group.namespace, group.name)).toMatchObject({ secret, unsignedUntil: null });
    const other = await second.groups.open(group.namespace, 'other', { topics: ['>'] }, 'latest');
    expect(other.state.secret).not.toBe(secret);
    await second.groups.delete(group.namespace, group.name);
    expect((await group.openGroup()).state.secret).not.toBe(secret);
  });
}
