// The part of the GroupStore contract that says what became of one event in every group.
import { expect, test } from 'vitest';
import { at, newEvents } from './bus-store.ts';
import { AT_ONCE, HOUR_MS, type GroupSuite, SETTINGS, SHORT_DEADLINE_MS } from './group-under-test.ts';
import { readFates } from '../src/tracing/group-fate.ts';

export function groupFates({ current, describeWhole }: GroupSuite): void {
  describeWhole('the fate of an event', () => {
    test('is what the group holds of it, as it is now that its deadline may have passed', async () => {
      const { first, second, group } = current();
      const { positions } = await group.withEvents(2, { maxDeliveries: 3 });
      const position = at(positions, 0);
      const fate = async () => at(await readFates(second.groups, group.namespace, { position, topic: 'jobs.done' }), 0);
      expect(await fate()).toMatchObject({ group: 'workers', state: 'unread', attempt: null, history: [] });
      const { deliveries } = await group.claim(first, { max: 1 });
      expect(await fate()).toMatchObject({
        state: 'in_flight',
        attempt: 1,
        consumer: 'ann',
        dueAt: new Date(at(deliveries, 0).dueAt).toISOString(),
      });
      await group.nack(first, deliveries, { delayMs: HOUR_MS, reason: 'later' });
      const failed = { attempt: 1, consumer: 'ann', reason: 'later' };
      expect(await fate()).toMatchObject({
        state: 'waiting',
        attempt: 1,
        consumer: 'ann',
        reason: 'later',
        history: [failed],
      });
    });

    test('of an event whose deadline passed is waiting, and dead after the last attempt; reading it moves nothing', async () => {
      const { stores, first, second, group } = current();
      const { positions } = await group.withEvents(1, { maxDeliveries: 2, ackDeadlineMs: SHORT_DEADLINE_MS });
      const event = { position: at(positions, 0), topic: 'jobs.done' };
      const fate = async () => at(await readFates(second.groups, group.namespace, event), 0);
      await group.claim(first);
      await stores.time.pass(SHORT_DEADLINE_MS + 1);
      const late = { attempt: 1, consumer: 'ann', reason: null };
      expect(await fate()).toMatchObject({ state: 'waiting', attempt: 1, history: [late] });
      expect(await group.claim(first, { consumer: 'bob', offer: null })).toMatchObject({
        deliveries: [{ attempt: 2 }],
      });
      await stores.time.pass(SHORT_DEADLINE_MS + 1);
      const dead = await fate();
      const history = [late, { attempt: 2, consumer: 'bob', reason: null }];
      expect(dead).toMatchObject({ state: 'dead', attempt: 2, consumer: 'bob', dueAt: null, history });
      expect(await group.deadLetters(first)).toMatchObject([{ history }]);
    });

    test('is told for every group, by name', async () => {
      const { first, second, group } = current();
      const { positions } = await group.withEvents(1);
      await first.groups.open(group.namespace, 'audit', { ...SETTINGS, topics: ['other'] }, 'earliest');
      const event = { position: at(positions, 0), topic: 'jobs.done' };
      expect(await readFates(second.groups, group.namespace, event)).toMatchObject([
        { group: 'audit', state: 'not_matching' },
        { group: 'workers', state: 'unread' },
      ]);
    });

    test('events that a group holds are found by position, and by id', async () => {
      const { first, second, group } = current();
      const { events, positions } = await group.withEvents(3);
      const { namespace } = group;
      const [id, position] = [at(events, 1).id, at(positions, 1)];
      expect(await second.groups.holding(namespace, position)).toEqual({ events: [], complete: true });
      const { deliveries } = await group.claim(first);
      await group.nack(first, deliveries.slice(0, 2), AT_ONCE);
      const held = { events: [{ position, text: at(events, 1).text }], complete: true };
      expect(await second.groups.holding(namespace, position)).toEqual(held);
      expect(await second.groups.holding(namespace, { id })).toEqual(held);
      expect(await second.groups.holding(namespace, { id, source: '/agents/nobody' })).toEqual({
        events: [],
        complete: true,
      });
      expect(await second.groups.holding(namespace, { id: at(newEvents(1), 0).id })).toEqual({
        events: [],
        complete: true,
      });
    });
  });
}
