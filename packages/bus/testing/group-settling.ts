// The contract of the GroupStore port: acks, nacks, deadlines, and what comes again.
import { beforeEach, describe, expect, test } from 'vitest';
import { at, type Replicas, newEventOf, newEvents, rangeOf } from './bus-store.ts';
import { type GroupSuite, type GroupUnderTest, HOUR_MS, MIB, SHORT_DEADLINE_MS } from './group-under-test.ts';
import type { BusStore } from '../src/store/bus-store.ts';
import type { ClaimOutcome, GroupDelivery } from '../src/store/group-store.ts';
import type { LogPosition } from '../src/store/position.ts';

/** Part of `groupStoreConformance`. */
export function groupSettling(suite: GroupSuite): void {
  const { describeWhole } = suite;
  let stores: Replicas;
  let first: BusStore;
  let second: BusStore;
  let group: GroupUnderTest;

  beforeEach(() => {
    ({ stores, first, second, group } = suite.current());
  });

  describe('acknowledging', () => {
    test('an acknowledgement settles an event in flight once, from either replica', async () => {
      await group.withEvents(3);
      const { deliveries } = await group.claim(first);
      const [a, b, c] = deliveries;
      expect(await group.ack(second, [at(deliveries, 0), at(deliveries, 1)])).toBe(2);
      expect(
        await group.ack(
          first,
          [a, b, c].filter((each) => each !== undefined),
        ),
      ).toBe(1);
      expect(await group.ack(first, deliveries)).toBe(0);
      expect(await group.claim(first)).toMatchObject({ deliveries: [], room: 1_000, nextDueMs: null });
      expect(await group.figures(second)).toMatchObject({ inFlight: 0, waiting: 0, deadLetters: 0, lag: 0 });
    });

    test('a delivery named twice in one acknowledgement counts once', async () => {
      await group.withEvents(1);
      const { deliveries } = await group.claim(first);
      const delivery = at(deliveries, 0);
      expect(await group.ack(first, [delivery, delivery, { ...delivery, attempt: 2 }])).toBe(1);
    });

    test('acknowledging a delivery that was never made settles nothing', async () => {
      const { positions } = await group.withEvents(2);
      const { deliveries } = await group.claim(first, { max: 1 });
      const delivery = at(deliveries, 0);
      const strangers: LogPosition[] = [
        at(positions, 1),
        { ...delivery.position, nonce: delivery.position.nonce + 1 },
        { ...delivery.position, epoch: 'another' },
        { ...delivery.position, seq: 2 ** 52 },
      ];
      const refs = strangers.map((position) => ({ ...delivery, position }));
      expect(await group.ack(first, refs)).toBe(0);
      expect(await group.nack(first, refs)).toBe(0);
      expect(await group.ack(first, [delivery])).toBe(1);
    });

    test('a late acknowledgement of any attempt settles an event that waits for redelivery', async () => {
      await group.withEvents(2);
      const { deliveries } = await group.claim(first);
      expect(await group.nack(first, deliveries, { delayMs: HOUR_MS, reason: null })).toBe(2);
      expect(await group.ack(second, [{ ...at(deliveries, 0), attempt: 17 }])).toBe(1);
      expect(await group.figures(first)).toMatchObject({ inFlight: 0, waiting: 1 });
    });

    test('a late acknowledgement settles an event that another consumer has in flight', async () => {
      await group.withEvents(1);
      const { deliveries } = await group.claim(first);
      await group.nack(first, deliveries);
      const again = await group.claim(second, { consumer: 'bob' });
      expect(again.deliveries).toMatchObject([{ attempt: 2 }]);
      expect(await group.ack(first, deliveries)).toBe(1);
      expect(await group.ack(second, again.deliveries)).toBe(0);
      expect(await group.nack(second, again.deliveries)).toBe(0);
    });

    test('a late acknowledgement settles a dead letter', async () => {
      const { deliveries } = await group.withDeadLetters(2);
      expect(await group.ack(second, deliveries.slice(0, 1))).toBe(1);
      expect((await group.deadLetters(first)).map(({ position }) => position)).toEqual([at(deliveries, 1).position]);
    });

    test('a thousand deliveries are acknowledged in one call', async () => {
      await group.withEvents(1_000);
      const { deliveries, room } = await group.claim(first);
      expect(deliveries).toHaveLength(1_000);
      expect(room).toBe(0);
      expect(await group.ack(second, deliveries)).toBe(1_000);
    });
  });

  describeWhole('refusing', () => {
    test('a nack makes the event due at once, for the next attempt', async () => {
      const { events, positions } = await group.withEvents(1);
      const { deliveries } = await group.claim(first);
      expect(await group.nack(second, deliveries)).toBe(1);
      expect(await group.figures(first)).toMatchObject({ inFlight: 0, waiting: 1 });
      const again = await group.claim(first, { consumer: 'bob' });
      expect(again.deliveries).toEqual([
        { position: positions[0], life: 0, attempt: 2, uncounted: 0, dueAt: expect.any(Number), text: events[0]?.text },
      ]);
      expect(again.cursor).toEqual(positions[0]);
    });

    test('a nack with a delay makes the event due after the delay', async () => {
      await group.withEvents(2);
      const { deliveries } = await group.claim(first);
      await group.ack(first, deliveries.slice(1));
      const delayMs = 250;
      await group.nack(first, deliveries.slice(0, 1), { delayMs, reason: 'later' });
      const outcome = await group.claim(second, { offer: null });
      expect(outcome.deliveries).toEqual([]);
      expect(outcome.nextDueMs).toBeGreaterThan(0);
      expect(outcome.nextDueMs).toBeLessThanOrEqual(delayMs);
      await stores.time.pass(delayMs);
      expect(await group.due(second)).toMatchObject({ attempt: 2 });
    });

    test('a nack counts only for the attempt that is in flight', async () => {
      await group.withEvents(1);
      const { deliveries } = await group.claim(first);
      const delivery = at(deliveries, 0);
      expect(await group.nack(first, [{ ...delivery, attempt: 2 }])).toBe(0);
      expect(await group.nack(first, [delivery, delivery])).toBe(1);
      expect(await group.nack(first, [delivery])).toBe(0);
      const again = await group.claim(second);
      expect(again.deliveries).toMatchObject([{ attempt: 2 }]);
      expect(await group.nack(first, [delivery])).toBe(0);
      expect(await group.nack(first, [{ ...delivery, attempt: 2 }])).toBe(1);
    });

    test('a nack of the last attempt makes a dead letter with its history', async () => {
      const { events, positions } = await group.withEvents(1, { maxDeliveries: 3 });
      const begunAtMs = await stores.time.nowMs();
      for (const [attempt, consumer] of ['ann', 'bob', `c'"\\🐝`].entries()) {
        const { deliveries } = await group.claim(first, { consumer });
        expect(deliveries).toMatchObject([{ attempt: attempt + 1 }]);
        const reason = attempt === 1 ? null : `because ${attempt} '"\\🐝`;
        expect(await group.nack(second, deliveries, { delayMs: 0, reason })).toBe(1);
      }
      expect(await group.claim(first)).toMatchObject({ deliveries: [], room: 1_000, nextDueMs: null });
      const [dead, ...others] = await group.deadLetters(second);
      expect(others).toEqual([]);
      expect(dead).toEqual({
        position: positions[0],
        life: 0,
        attempt: 3,
        uncounted: 0,
        text: events[0]?.text,
        deadAt: expect.any(Number),
        ordinal: expect.any(Number),
        history: [
          { attempt: 1, consumer: 'ann', reason: `because 0 '"\\🐝` },
          { attempt: 2, consumer: 'bob', reason: null },
          { attempt: 3, consumer: `c'"\\🐝`, reason: `because 2 '"\\🐝` },
        ].map((attempt) => ({ ...attempt, deliveredAt: expect.any(Number), failedAt: expect.any(Number) })),
      });
      const times = dead?.history.flatMap(({ deliveredAt, failedAt }) => [deliveredAt, failedAt]) ?? [];
      expect([...times, dead?.deadAt ?? 0]).toEqual([...times, dead?.deadAt ?? 0].toSorted((a, b) => a - b));
      expect(times[0]).toBeGreaterThanOrEqual(begunAtMs);
      expect(dead?.deadAt).toBeLessThanOrEqual(await stores.time.nowMs());
      for (const time of times) expect(Number.isInteger(time)).toBe(true);
      expect(await group.figures(first)).toMatchObject({ inFlight: 0, waiting: 0, deadLetters: 1 });
    });
  });

  describeWhole('what each consumer may have open', () => {
    test('maxInFlight of a consumer is one limit over all replicas', async () => {
      await group.withEvents(10);
      const begun = await group.claim(first, { maxInFlight: 4, max: 3 });
      expect(begun.deliveries).toHaveLength(3);
      expect(begun.room).toBe(1);
      expect((await group.claim(second, { maxInFlight: 4 })).deliveries).toHaveLength(1);
      expect((await group.claim(first, { maxInFlight: 4 })).deliveries).toHaveLength(0);
      expect((await group.claim(first, { consumer: 'bob', maxInFlight: 2 })).deliveries).toHaveLength(2);
      await group.ack(second, begun.deliveries.slice(0, 1));
      await group.nack(second, begun.deliveries.slice(1, 2), { delayMs: HOUR_MS, reason: null });
      const after = await group.claim(first, { maxInFlight: 4 });
      expect(after.deliveries).toHaveLength(2);
      expect(after.room).toBe(0);
    });

    test('maxInFlight may become less than the consumer has in flight', async () => {
      await group.withEvents(4);
      await group.claim(first, { max: 3 });
      expect(await group.claim(second, { maxInFlight: 1 })).toMatchObject({ deliveries: [], room: 0 });
    });

    test('holds for due events too', async () => {
      const { positions } = await group.withEvents(6);
      const { deliveries } = await group.claim(first, { max: 3 });
      await group.nack(first, deliveries);
      const one = await group.claim(second, { max: 1 });
      expect(one.deliveries).toMatchObject([{ attempt: 2 }]);
      expect(one.cursor).toEqual(positions[2]);
      expect(one.nextDueMs).toBe(0);
      const mixed = await group.claim(first, { maxInFlight: 5, consumer: 'bob' });
      expect(mixed.deliveries.map(({ attempt }) => attempt)).toEqual([2, 2, 1, 1, 1]);
      expect(mixed.deliveries.slice(2).map(({ position }) => position)).toEqual(positions.slice(3));
      expect(mixed.cursor).toEqual(positions[5]);
      expect(mixed.room).toBe(0);
    });
  });

  describeWhole('due and unread events share an answer', () => {
    /** A group with `due` events that are due at once, and `unread` ones after them. */
    async function withDueAndUnread(due: number, unread: number) {
      const { positions } = await group.withEvents(due + unread, { maxDeliveries: 1_000 });
      const { deliveries } = await group.claim(first, { max: due });
      await group.nack(first, deliveries);
      return positions;
    }
    const attempts = ({ deliveries }: ClaimOutcome): number[] => deliveries.map(({ attempt }) => attempt);
    const oddFor = async (oddPlace: 'due' | 'unread') => ({ ...(await group.offer(second)), oddPlace });

    test('each has half of the places, and the cursor stands after the last one taken', async () => {
      const positions = await withDueAndUnread(8, 8);
      const outcome = await group.claim(second, { max: 6 });
      expect(attempts(outcome)).toEqual([2, 2, 2, 1, 1, 1]);
      expect(outcome).toMatchObject({ cursor: positions[10], room: 994, nextDueMs: 0 });
      expect(attempts(await group.claim(first, { consumer: 'bob', maxInFlight: 4 }))).toEqual([2, 2, 1, 1]);
    });

    test.each([
      ['due', 1, [2]],
      ['unread', 1, [1]],
      ['due', 3, [2, 2, 1]],
      ['unread', 3, [2, 1, 1]],
    ] as const)('the odd place is for what is %s, of %i', async (oddPlace, max, expected) => {
      await withDueAndUnread(4, 4);
      expect(attempts(await group.claim(first, { max, offer: await oddFor(oddPlace) }))).toEqual(expected);
    });

    test('either takes the places that the other leaves', async () => {
      await withDueAndUnread(6, 1);
      expect(attempts(await group.claim(first, { max: 4 }))).toEqual([2, 2, 2, 1]);
      await first.log.append(group.namespace, newEvents(6));
      expect(attempts(await group.claim(second, { max: 8, offer: await oddFor('unread') }))).toEqual([
        2, 2, 2, 1, 1, 1, 1, 1,
      ]);
      expect(attempts(await group.claim(second, { max: 8 }))).toEqual([1]);
    });

    test.each(['due', 'unread'] as const)('an offer that is not taken leaves no place empty (%s)', async (oddPlace) => {
      await withDueAndUnread(4, 3);
      const old = { ...(await oddFor(oddPlace)), after: (await rangeOf(first.log, group.namespace)).head };
      expect(attempts(await group.claim(second, { max: 3, offer: old }))).toEqual([2, 2, 2]);
      const nothing = { ...(await oddFor(oddPlace)), entries: [] };
      expect(attempts(await group.claim(second, { max: 1, offer: nothing }))).toEqual([2]);
    });

    test('large due events leave half of the bytes', async () => {
      await group.openGroup({ maxDeliveries: 1_000 });
      for (let call = 0; call < 5; call++) {
        await first.log.append(
          group.namespace,
          Array.from({ length: 4 }, () => newEventOf(256 * 1024)),
        );
      }
      const large: GroupDelivery[] = [];
      while (large.length < 20) large.push(...(await group.claim(first)).deliveries);
      await group.nack(first, large);
      await first.log.append(group.namespace, newEvents(2));
      const outcome = await group.claim(second);
      expect(attempts(outcome).slice(-2)).toEqual([1, 1]);
      const due = outcome.deliveries.slice(0, -2);
      expect(due.length).toBeGreaterThan(1);
      expect(due.reduce((sum, { text }) => sum + text.length, 0)).toBeLessThanOrEqual(2 * MIB);
      expect(attempts(await group.claim(second)).every((attempt) => attempt === 2)).toBe(true);
    });
  });

  describeWhole('deadlines', () => {
    test('a deadline that passed makes the event due for another consumer', async () => {
      const { positions } = await group.withEvents(1, { ackDeadlineMs: SHORT_DEADLINE_MS });
      const { deliveries, nextDueMs } = await group.claim(first);
      expect(nextDueMs).toBeGreaterThan(0);
      expect(nextDueMs).toBeLessThanOrEqual(SHORT_DEADLINE_MS);
      await stores.time.pass(SHORT_DEADLINE_MS);
      expect(await group.due(second, 'bob')).toMatchObject({ position: positions[0], attempt: 2 });
      expect(await group.nack(first, deliveries)).toBe(0);
      expect(await group.ack(first, deliveries)).toBe(1);
    });

    test('a deadline that passed is shown and refuses a nack before the next claim', async () => {
      await group.withEvents(2, { ackDeadlineMs: SHORT_DEADLINE_MS });
      const { deliveries } = await group.claim(first);
      await stores.time.pass(SHORT_DEADLINE_MS);
      expect(await group.figures(first)).toMatchObject({ inFlight: 0, waiting: 2, deadLetters: 0 });
      expect(await group.nack(second, deliveries)).toBe(0);
      expect(await group.ack(second, deliveries.slice(1))).toBe(1);
      expect((await group.claim(first, { maxInFlight: 1 })).deliveries).toMatchObject([{ attempt: 2 }]);
    });

    test('a deadline that passed in the last attempt makes a dead letter', async () => {
      const { positions } = await group.withEvents(2, { ackDeadlineMs: SHORT_DEADLINE_MS, maxDeliveries: 2 });
      const { deliveries } = await group.claim(first);
      await group.nack(first, deliveries, { delayMs: 0, reason: 'first' });
      await group.claim(second, { consumer: 'bob' });
      await stores.time.pass(SHORT_DEADLINE_MS);
      expect(await group.figures(first)).toMatchObject({ inFlight: 0, waiting: 0, deadLetters: 2 });
      const letters = await group.deadLetters(second);
      expect(letters.map(({ position }) => position.seq).toSorted((a, b) => a - b)).toEqual(
        positions.map(({ seq }) => seq),
      );
      for (const { attempt, deadAt, history } of letters) {
        expect(attempt).toBe(2);
        expect(history).toMatchObject([
          { attempt: 1, consumer: 'ann', reason: 'first' },
          { attempt: 2, consumer: 'bob', reason: null },
        ]);
        const last = at(history, -1);
        expect(last.failedAt - last.deliveredAt).toBe(SHORT_DEADLINE_MS);
        expect(deadAt).toBeGreaterThanOrEqual(last.failedAt);
      }
      expect(await group.claim(first)).toMatchObject({ deliveries: [], nextDueMs: null, room: 1_000 });
    });

    test('a deadline that passed gives the consumer its room back', async () => {
      await group.withEvents(3, { ackDeadlineMs: SHORT_DEADLINE_MS });
      await group.claim(first, { maxInFlight: 2 });
      await stores.time.pass(SHORT_DEADLINE_MS);
      const { deliveries } = await group.claim(second, { maxInFlight: 2, offer: null });
      expect(deliveries.map(({ attempt }) => attempt)).toEqual([2, 2]);
    });

    test('each attempt has a deadline of its own', async () => {
      await group.withEvents(1, { ackDeadlineMs: SHORT_DEADLINE_MS, maxDeliveries: 3 });
      await group.claim(first);
      for (const [store, attempt] of [
        [second, 2],
        [first, 3],
      ] as const) {
        await stores.time.pass(SHORT_DEADLINE_MS);
        expect(await group.due(store)).toMatchObject({ attempt });
      }
      await stores.time.pass(SHORT_DEADLINE_MS);
      const { history } = at(await group.deadLetters(second), 0);
      for (const { deliveredAt, failedAt } of history) expect(failedAt - deliveredAt).toBe(SHORT_DEADLINE_MS);
      for (const [index, { deliveredAt }] of history.entries()) {
        expect(deliveredAt).toBeGreaterThanOrEqual(history[index - 1]?.failedAt ?? 0);
      }
    });
  });
}
