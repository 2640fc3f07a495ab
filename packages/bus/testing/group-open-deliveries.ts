// The contract of the GroupStore port: what can be done with a delivery while it is in flight, other than settling it.
import { beforeEach, describe, expect, test } from 'vitest';
import { at, type Replicas } from './bus-store.ts';
import { type GroupSuite, type GroupUnderTest, HOUR_MS, SHORT_DEADLINE_MS } from './group-under-test.ts';
import type { BusStore } from '../src/store/bus-store.ts';
import type { OpenPlace, StoredOpenDelivery } from '../src/store/group-store.ts';

/** Part of `groupStoreConformance`. */
export function groupOpenDeliveries(suite: GroupSuite): void {
  let stores: Replicas;
  let first: BusStore;
  let second: BusStore;
  let group: GroupUnderTest;

  beforeEach(() => {
    ({ stores, first, second, group } = suite.current());
  });

  describe('taking back', () => {
    test('what is taken back is due at once, and its attempt does not count', async () => {
      const { positions } = await group.withEvents(1, { maxDeliveries: 1 });
      const [position] = positions;
      for (let uncounted = 0; uncounted < 3; uncounted += 1) {
        const { deliveries } = await group.claim(first);
        expect(deliveries).toMatchObject([{ position, life: 0, attempt: 1, uncounted }]);
        expect(await group.giveBack(second, deliveries)).toBe(1);
        expect(await group.figures(first)).toMatchObject({ inFlight: 0, waiting: 1, deadLetters: 0 });
      }
    });

    test('an earlier delivery of the same attempt is neither refused, nor extended, nor taken back, but acknowledged', async () => {
      await group.withEvents(1);
      const { deliveries: earlier } = await group.claim(first);
      await group.giveBack(first, earlier);
      const { deliveries } = await group.claim(second);
      expect(await group.nack(first, earlier)).toBe(0);
      expect(await group.giveBack(first, earlier)).toBe(0);
      expect(await group.extend(first, earlier, HOUR_MS)).toEqual({ extended: 0, dueAt: null });
      expect(await group.figures(first)).toMatchObject({ inFlight: 1 });
      expect(await group.ack(first, earlier)).toBe(1);
      expect(await group.ack(first, deliveries)).toBe(0);
    });

    test('what is taken back keeps its failed attempts, and a redrive begins to count anew', async () => {
      await group.withEvents(1, { maxDeliveries: 2 });
      await group.nack(first, (await group.claim(first)).deliveries, { delayMs: 0, reason: 'one' });
      await group.giveBack(first, (await group.claim(first)).deliveries);
      await group.nack(first, (await group.claim(first)).deliveries, { delayMs: 0, reason: 'two' });
      const history = [{ reason: 'one' }, { reason: 'two' }];
      expect(await group.deadLetters(second)).toMatchObject([{ attempt: 2, uncounted: 1, history }]);
      await first.groups.redrive(group.namespace, group.name, null);
      const [anew] = (await group.claim(second)).deliveries;
      expect(anew).toMatchObject({ attempt: 1, uncounted: 0 });
      expect(anew?.life).toBeGreaterThan(0);
    });

    test('nothing is taken back after the deadline: the attempt has failed', async () => {
      await group.withEvents(1, { ackDeadlineMs: SHORT_DEADLINE_MS });
      const { deliveries } = await group.claim(first);
      await stores.time.pass(SHORT_DEADLINE_MS);
      expect(await group.giveBack(first, deliveries)).toBe(0);
      expect((await group.claim(second)).deliveries).toMatchObject([{ attempt: 2, uncounted: 0 }]);
    });
  });

  describe('extending', () => {
    test('a delivery is due when it says, and not before the time to which it was extended', async () => {
      await group.withEvents(2, { ackDeadlineMs: SHORT_DEADLINE_MS });
      const { deliveries } = await group.claim(first, { consumer: 'ann' });
      const [slow, quick] = [at(deliveries, 0), at(deliveries, 1)];
      const { extended, dueAt } = await group.extend(second, [slow], HOUR_MS);
      expect(extended).toBe(1);
      expect(dueAt).toBeGreaterThanOrEqual(slow.dueAt + SHORT_DEADLINE_MS);
      await stores.time.pass(SHORT_DEADLINE_MS);
      const again = await group.claim(second, { consumer: 'bob' });
      expect(again.deliveries).toMatchObject([{ position: quick.position, attempt: 2 }]);
      // The deadline to which it was extended holds for refusals, too.
      expect(await group.nack(first, [slow], { delayMs: 0, reason: 'no' })).toBe(1);
      expect(await group.figures(first)).toMatchObject({ inFlight: 1, waiting: 1 });
    });

    test('an extended delivery fails when the extension ends, and its history says so', async () => {
      await group.withEvents(1, { ackDeadlineMs: SHORT_DEADLINE_MS, maxDeliveries: 1 });
      const { deliveries } = await group.claim(first);
      const { dueAt } = await group.extend(first, deliveries, 2 * SHORT_DEADLINE_MS);
      await stores.time.pass(2 * SHORT_DEADLINE_MS);
      expect(await group.deadLetters(second)).toMatchObject([{ history: [{ failedAt: dueAt, reason: null }] }]);
    });

    test('a deadline never moves to earlier', async () => {
      await group.withEvents(1, { ackDeadlineMs: HOUR_MS });
      const { deliveries } = await group.claim(first);
      expect(await group.extend(second, deliveries, 1)).toEqual({ extended: 1, dueAt: at(deliveries, 0).dueAt });
      await stores.time.pass(SHORT_DEADLINE_MS);
      expect(await group.figures(first)).toMatchObject({ inFlight: 1 });
    });

    test('what is settled, refused or dead is not extended', async () => {
      await group.withEvents(3, { maxDeliveries: 2 });
      const { deliveries } = await group.claim(first);
      await group.ack(first, deliveries.slice(0, 1));
      await group.nack(first, deliveries.slice(1, 2), { delayMs: HOUR_MS, reason: null });
      expect(await group.extend(first, deliveries.slice(0, 2), HOUR_MS)).toEqual({ extended: 0, dueAt: null });
      expect(await group.extend(first, deliveries, HOUR_MS)).toMatchObject({ extended: 1 });
    });
  });

  describe('listing what is open', () => {
    test('gives what is in flight by its deadline, then what waits by when it is due, page by page', async () => {
      const { positions } = await group.withEvents(5, { maxDeliveries: 1 });
      const { deliveries } = await group.claim(first, { consumer: 'ann', max: 3 });
      await group.extend(first, deliveries.slice(0, 1), 2 * HOUR_MS);
      await group.nack(first, deliveries.slice(1, 2));
      const [dead] = await group.deadLetters(first);
      await first.groups.redrive(group.namespace, group.name, null);
      const open = await second.groups.openDeliveries(group.namespace, group.name, { after: null, limit: 10 });
      const [deadline, extended] = [at(deliveries, 2).dueAt, at(deliveries, 0).dueAt];
      expect(open).toEqual([
        {
          position: positions[2],
          topic: expect.any(String),
          state: 'in_flight',
          life: 0,
          attempt: 1,
          uncounted: 0,
          consumer: 'ann',
          deliveredAt: expect.any(Number),
          dueAt: deadline,
        },
        expect.objectContaining({ position: positions[0], state: 'in_flight', dueAt: expect.any(Number) }),
        {
          position: dead?.position,
          topic: expect.any(String),
          state: 'waiting',
          life: expect.any(Number),
          attempt: 0,
          uncounted: 0,
          consumer: null,
          deliveredAt: null,
          dueAt: expect.any(Number),
        },
      ]);
      expect(at(open, 1).dueAt).toBeGreaterThan(extended);
      const paged: StoredOpenDelivery[] = [];
      for (let after: OpenPlace | null = null; ;) {
        const [next] = await first.groups.openDeliveries(group.namespace, group.name, { after, limit: 1 });
        if (next === undefined) break;
        paged.push(next);
        after = { state: next.state, dueAt: next.dueAt, seq: next.position.seq };
      }
      expect(paged).toEqual(open);
    });

    test('pages do not lose deliveries of the same moment', async () => {
      const { positions } = await group.withEvents(7);
      await group.claim(first);
      const seqs: number[] = [];
      for (let after: OpenPlace | null = null; ;) {
        const page = await second.groups.openDeliveries(group.namespace, group.name, { after, limit: 3 });
        if (page.length === 0) break;
        seqs.push(...page.map(({ position }) => position.seq));
        const last = at(page, -1);
        after = { state: last.state, dueAt: last.dueAt, seq: last.position.seq };
      }
      expect(seqs).toEqual(positions.map(({ seq }) => seq));
    });

    test('a group by its name has the figures that it has in the list', async () => {
      await group.withEvents(3);
      await group.claim(first, { max: 1 });
      expect(await second.groups.get(group.namespace, group.name)).toEqual(await group.figures(first));
      expect(await second.groups.get(group.namespace, 'absent')).toBe(null);
    });
  });
}
