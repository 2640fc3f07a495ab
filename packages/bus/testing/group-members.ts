// The contract of the GroupStore port: signs of life of members, and who receives what one of them let pass.
import { beforeEach, describe, expect, test } from 'vitest';
import { at, type Replicas } from './bus-store.ts';
import { type GroupSuite, type GroupUnderTest, SHORT_DEADLINE_MS } from './group-under-test.ts';
import type { BusStore } from '../src/store/bus-store.ts';
import type { ClaimOutcome } from '../src/store/group-store.ts';

const PATIENCE_MS = 300;

/** Part of `groupStoreConformance`. */
export function groupMembers(suite: GroupSuite): void {
  let stores: Replicas;
  let first: BusStore;
  let second: BusStore;
  let group: GroupUnderTest;

  beforeEach(() => {
    ({ stores, first, second, group } = suite.current());
  });

  /** What a core asks for, on behalf of a stream that is open. */
  const claimForStream = (store: BusStore, consumer: string, max = 1_000): Promise<ClaimOutcome> =>
    group.claim(store, { consumer, max, isSign: false, patienceMs: PATIENCE_MS });

  describe('members', () => {
    test('are listed with their last signs of life, until they leave', async () => {
      await group.withEvents(3);
      await group.claim(first, { consumer: 'bob', max: 2 });
      await group.claim(second, { consumer: 'ann', max: 1 });
      const members = await first.groups.members(group.namespace, group.name);
      expect(members).toEqual([
        { consumer: 'ann', inFlight: 1, lastSignAt: expect.any(Number), isSilent: false },
        { consumer: 'bob', inFlight: 2, lastSignAt: expect.any(Number), isSilent: false },
      ]);
      await second.groups.leave(group.namespace, group.name, 'bob');
      expect(await first.groups.members(group.namespace, group.name)).toMatchObject([{ consumer: 'ann' }]);
    });

    test('a claim that only moves the cursor makes no member', async () => {
      await group.withEvents(1);
      await group.claim(first, { consumer: '', max: 0, maxInFlight: 0 });
      expect(await first.groups.members(group.namespace, group.name)).toEqual([]);
    });

    test('one that let all of its deliveries pass receives nothing, until it shows a sign of life', async () => {
      await group.withEvents(3, { ackDeadlineMs: SHORT_DEADLINE_MS });
      await group.claim(first, { consumer: 'ann', max: 2 });
      await stores.time.pass(SHORT_DEADLINE_MS);
      expect(await claimForStream(first, 'ann')).toMatchObject({ deliveries: [], isSilent: true });
      expect(await second.groups.members(group.namespace, group.name)).toMatchObject([{ isSilent: true }]);
      const again = await group.claim(second, { consumer: 'ann' });
      expect(again).toMatchObject({ isSilent: false });
      expect(again.deliveries).toHaveLength(3);
    });

    test.each(['ack', 'nack', 'extend'] as const)('an answer is a sign of life: %s', async (answer) => {
      await group.withEvents(3, { ackDeadlineMs: SHORT_DEADLINE_MS });
      const passed = (await group.claim(first, { consumer: 'ann', max: 1 })).deliveries;
      await stores.time.pass(SHORT_DEADLINE_MS);
      // A late ack settles, and is a sign; the others are answers to what is in flight.
      const { deliveries } =
        answer === 'ack' ? { deliveries: passed } : await group.claim(first, { consumer: 'ann', max: 1 });
      if (answer === 'ack') await group.ack(second, deliveries);
      if (answer === 'nack') await group.nack(second, deliveries);
      if (answer === 'extend') await group.extend(second, deliveries, 1);
      expect(await claimForStream(first, 'ann')).toMatchObject({ isSilent: false });
    });

    test('one that has deliveries in flight is not silent', async () => {
      await group.withEvents(2, { ackDeadlineMs: SHORT_DEADLINE_MS });
      const { deliveries } = await group.claim(first, { consumer: 'ann', max: 2 });
      await group.extend(first, deliveries.slice(0, 1), 3_600_000);
      await stores.time.pass(SHORT_DEADLINE_MS);
      const again = await claimForStream(first, 'ann');
      expect(again).toMatchObject({ deliveries: [{ attempt: 2 }], isSilent: false });
    });
  });

  describe('an event whose deadline passed', () => {
    test('goes to another member if there is one, and to the same one after its patience', async () => {
      await group.withEvents(2, { ackDeadlineMs: SHORT_DEADLINE_MS });
      const [passed, held] = (await group.claim(first, { consumer: 'ann', max: 2 })).deliveries;
      await group.claim(first, { consumer: 'bob', offer: null });
      await group.extend(first, held === undefined ? [] : [held], 3_600_000);
      await stores.time.pass(SHORT_DEADLINE_MS);
      const left = await claimForStream(first, 'ann');
      expect(left).toMatchObject({ deliveries: [], isSilent: false });
      expect(left.nextDueMs).toBeGreaterThan(0);
      expect(left.nextDueMs).toBeLessThanOrEqual(PATIENCE_MS);
      await stores.time.pass(PATIENCE_MS);
      expect((await claimForStream(first, 'ann')).deliveries).toMatchObject([
        { position: passed?.position, attempt: 2 },
      ]);
    });

    test('is taken by the other member at once, although older ones are left to it', async () => {
      await group.withEvents(3, { ackDeadlineMs: SHORT_DEADLINE_MS });
      await group.claim(first, { consumer: 'ann', max: 2 });
      const { deliveries } = await group.claim(first, { consumer: 'bob', max: 1 });
      await group.nack(first, deliveries);
      await stores.time.pass(SHORT_DEADLINE_MS);
      const asked = { consumer: 'ann', max: 1, patienceMs: 3_600_000 };
      expect((await group.claim(second, asked)).deliveries).toMatchObject([{ position: at(deliveries, 0).position }]);
      expect((await claimForStream(second, 'bob')).deliveries).toHaveLength(2);
    });

    test('is not left to members that have left, or let deliveries pass themselves', async () => {
      await group.withEvents(2, { ackDeadlineMs: SHORT_DEADLINE_MS });
      for (const consumer of ['ann', 'bob']) await group.claim(first, { consumer, max: 1 });
      await group.claim(first, { consumer: 'cem', offer: null });
      await first.groups.leave(group.namespace, group.name, 'cem');
      await stores.time.pass(SHORT_DEADLINE_MS);
      const asked = { consumer: 'ann', patienceMs: 3_600_000 };
      expect((await group.claim(second, asked)).deliveries).toHaveLength(2);
    });

    test('is not left to others when it was refused or taken back', async () => {
      await group.withEvents(2);
      await group.claim(first, { consumer: 'bob', offer: null });
      const { deliveries } = await group.claim(first, { consumer: 'ann' });
      await group.nack(first, deliveries.slice(0, 1));
      await group.giveBack(first, deliveries.slice(1));
      expect((await claimForStream(second, 'ann')).deliveries).toHaveLength(2);
    });
  });
}
