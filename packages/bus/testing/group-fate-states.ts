// The part of the GroupStore contract that brings an event into every state on purpose, and keeps the journal within its bounds.
import { describe, expect, test } from 'vitest';
import type { GroupFate } from '@hypercode/contracts';
import { at, newEvents, openForTest, ROOMY } from './bus-store.ts';
import { type GroupSuite, type GroupUnderTest, HOUR_MS, SETTINGS } from './group-under-test.ts';
import type { BusStore } from '../src/store/bus-store.ts';
import { JOURNAL_BLOCK, MAX_JOURNAL_NAME, MAX_PASSES } from '../src/store/group-fates.ts';
import type { LogPosition } from '../src/store/position.ts';
import { readFates } from '../src/tracing/group-fate.ts';

const TOPIC = 'jobs.done';
const OPERATOR = '/operators/ops';

/** What became of an event in the group of the test. */
async function fateOf(store: BusStore, group: GroupUnderTest, position: LogPosition): Promise<GroupFate> {
  const fates = await readFates(store.groups, group.namespace, { position, topic: TOPIC });
  return at(
    fates.filter(({ group: name }) => name === group.name),
    0,
  );
}

/** Lets the group's cursor pass what is unread without taking any of it, as a caller does that finds nothing that matches. */
async function passAll(store: BusStore, group: GroupUnderTest): Promise<void> {
  const { after, upTo, version } = await group.offer(store);
  await group.claim(store, { offer: { version, after, entries: [], upTo } });
}

interface Bringing {
  readonly group: GroupUnderTest;
  readonly store: BusStore;
  /** Of the event, and of another one after it. */
  readonly positions: readonly LogPosition[];
}

/** How an event comes into each state: the first of two in a group that has taken none. */
const WAYS: readonly [what: string, bring: (on: Bringing) => Promise<unknown>, fate: Partial<GroupFate>][] = [
  ['nothing happened', async () => undefined, { state: 'unread' }],
  ['it was claimed', ({ group, store }) => group.claim(store), { state: 'in_flight', attempt: 1, consumer: 'ann' }],
  [
    'it was refused',
    async ({ group, store }) =>
      group.nack(store, (await group.claim(store)).deliveries, { delayMs: HOUR_MS, reason: 'later' }),
    { state: 'waiting', attempt: 1, consumer: 'ann', reason: 'later' },
  ],
  [
    'it was refused for the last time',
    async ({ group, store }) => {
      await store.groups.update(group.namespace, group.name, { maxDeliveries: 1 });
      await group.nack(store, (await group.claim(store)).deliveries);
    },
    { state: 'dead', attempt: 1, consumer: 'ann', settledAt: null },
  ],
  [
    'it was acknowledged',
    async ({ group, store }) => group.ack(store, (await group.claim(store)).deliveries),
    { state: 'acked', attempt: 1, consumer: 'ann', settledBy: 'ann' },
  ],
  [
    'it was acknowledged and a seek reads it again',
    async ({ group, store }) => {
      await group.ack(store, (await group.claim(store)).deliveries);
      await store.groups.seek(group.namespace, group.name, 'earliest', { dropOpen: false });
    },
    { state: 'acked', settledBy: 'ann' },
  ],
  [
    'it was acknowledged and is in flight again',
    async ({ group, store }) => {
      await group.ack(store, (await group.claim(store)).deliveries);
      await store.groups.seek(group.namespace, group.name, 'earliest', { dropOpen: false });
      await group.claim(store, { consumer: 'bob' });
    },
    { state: 'in_flight', attempt: 1, consumer: 'bob', settledBy: null },
  ],
  [
    'it was discarded',
    async ({ group, store, positions }) => {
      await store.groups.update(group.namespace, group.name, { maxDeliveries: 1 });
      await group.nack(store, (await group.claim(store)).deliveries);
      await store.groups.discard(group.namespace, group.name, positions, OPERATOR);
    },
    { state: 'discarded', attempt: 1, consumer: null, settledBy: OPERATOR },
  ],
  [
    'it was redriven',
    async ({ group, store }) => {
      await store.groups.update(group.namespace, group.name, { maxDeliveries: 1 });
      await group.nack(store, (await group.claim(store)).deliveries);
      await store.groups.redrive(group.namespace, group.name, null);
    },
    { state: 'waiting', attempt: 0, consumer: null, deliveredAt: null, history: [] },
  ],
  [
    'a seek went past it',
    ({ group, store }) => store.groups.seek(group.namespace, group.name, 'latest', { dropOpen: false }),
    { state: 'skipped', reason: 'seek', settledAt: null },
  ],
  [
    'a seek went past it, and another one back',
    async ({ group, store }) => {
      await store.groups.seek(group.namespace, group.name, 'latest', { dropOpen: false });
      await store.groups.seek(group.namespace, group.name, 'earliest', { dropOpen: false });
    },
    { state: 'unread', reason: null },
  ],
  [
    'a seek released it',
    async ({ group, store }) => {
      await group.claim(store);
      await store.groups.seek(group.namespace, group.name, 'latest', { dropOpen: true });
    },
    { state: 'skipped', reason: 'seek', attempt: 1, consumer: 'ann' },
  ],
  [
    'a seek back released it',
    async ({ group, store }) => {
      await group.claim(store);
      await store.groups.seek(group.namespace, group.name, 'earliest', { dropOpen: true });
    },
    { state: 'unread', attempt: null },
  ],
  [
    'the topics of the group leave it out',
    ({ group, store }) => store.groups.update(group.namespace, group.name, { topics: ['other'] }),
    { state: 'not_matching' },
  ],
  [
    'it was passed under topics that left it out, and which are others now',
    async ({ group, store }) => {
      await store.groups.update(group.namespace, group.name, { topics: ['other'] });
      await passAll(store, group);
      await store.groups.update(group.namespace, group.name, { topics: ['>'] });
    },
    { state: 'not_matching' },
  ],
  [
    'it was passed under topics that had it, which leave it out now, and nothing is known of it',
    async ({ group, store }) => {
      await passAll(store, group);
      await store.groups.update(group.namespace, group.name, { topics: ['other'] });
    },
    { state: 'unknown' },
  ],
  [
    'a group of the same name began after it',
    async ({ group, store }) => {
      await group.ack(store, (await group.claim(store)).deliveries);
      await store.groups.delete(group.namespace, group.name);
      await store.groups.open(group.namespace, group.name, SETTINGS, 'latest');
    },
    { state: 'before_group', settledBy: null },
  ],
  [
    'a group of the same name has yet to read it',
    async ({ group, store }) => {
      await group.ack(store, (await group.claim(store)).deliveries);
      await store.groups.delete(group.namespace, group.name);
      await store.groups.open(group.namespace, group.name, SETTINGS, 'earliest');
    },
    { state: 'unread', settledBy: null },
  ],
];

export function groupFateStates({ open, current, describeWhole }: GroupSuite): void {
  describe('every state of an event', () => {
    test.each(WAYS)('%s', async (_what, bring, fate) => {
      const { first, second, group } = current();
      const { positions } = await group.withEvents(2, { maxDeliveries: 3 });
      await bring({ group, store: first, positions });
      expect(await fateOf(second, group, at(positions, 0))).toMatchObject(fate);
    });

    test('what retention removed before the group read it was skipped', async () => {
      const stores = await openForTest(open, { ...ROOMY, retention: { ...ROOMY.retention, maxEvents: 2 } });
      const { group } = current();
      const store = stores.first;
      await store.groups.open(group.namespace, group.name, SETTINGS, 'earliest');
      const appended = await store.log.append(group.namespace, newEvents(6));
      await store.applyRetention();
      const removed = at(appended, 0).position;
      const skipped = { state: 'skipped', reason: 'retention' };
      expect(await fateOf(store, group, removed)).toMatchObject(skipped);
      await group.claim(store, { offer: null });
      expect(await fateOf(store, group, removed)).toMatchObject(skipped);
      expect(await fateOf(store, group, at(appended, -1).position)).toMatchObject({ state: 'unread' });
    });

    test('what was lost with the log was skipped', async () => {
      const { stores, first, group } = current();
      const { positions } = await group.withEvents(2);
      const { deliveries } = await group.claim(first, { max: 1 });
      await group.ack(first, deliveries);
      await stores.loseLog(group.namespace);
      const [read, lost] = [at(positions, 0), at(positions, 1)];
      const skipped = { state: 'skipped', reason: 'log_lost' };
      expect(await fateOf(first, group, lost)).toMatchObject(skipped);
      const anew = await first.log.append(group.namespace, newEvents(1));
      await group.claim(first, { offer: null });
      expect(await fateOf(first, group, lost)).toMatchObject(skipped);
      expect(await fateOf(first, group, read)).toMatchObject({ state: 'acked' });
      expect(await fateOf(first, group, at(anew, 0).position)).toMatchObject({ state: 'unread' });
    });

    test('a name that is too long for the journal is cut where a character begins', async () => {
      const { first, group } = current();
      const { positions } = await group.withEvents(1);
      const consumer = `a${'é'.repeat(60)}`;
      await group.ack(first, (await group.claim(first, { consumer })).deliveries);
      const settledBy = `a${'é'.repeat((MAX_JOURNAL_NAME - 2) / 2)}`;
      expect(await fateOf(first, group, at(positions, 0))).toMatchObject({ state: 'acked', settledBy });
    });
  });

  describeWhole('the journal', () => {
    test('goes with the events of the log, in whole blocks', async () => {
      const maxEvents = JOURNAL_BLOCK;
      const stores = await openForTest(open, { ...ROOMY, retention: { ...ROOMY.retention, maxEvents } });
      const { group } = current();
      const store = stores.first;
      await store.groups.open(group.namespace, group.name, SETTINGS, 'earliest');
      const settle = async (count: number): Promise<LogPosition[]> => {
        const appended = await store.log.append(group.namespace, newEvents(count));
        const { deliveries } = await group.claim(store, { max: count, maxInFlight: count });
        expect(await group.ack(store, deliveries)).toBe(count);
        return appended.map(({ position }) => position);
      };
      const early = await settle(1_000);
      const late = await settle(1_000);
      await settle(1_000);
      await store.applyRetention();
      // Nobody else noted that the group read it.
      expect(await fateOf(store, group, at(early, 0))).toMatchObject({ state: 'unknown' });
      expect(await fateOf(store, group, at(late, -1))).toMatchObject({ state: 'acked' });
    });

    test.each([
      ['the oldest blocks beyond its bound go', 160 * 1_000, ['unknown', 'acked']],
      ['none is kept where it is switched off', 0, ['unknown', 'unknown']],
    ])('%s', async (_what, journalMaxBytes, states) => {
      const stores = await openForTest(open, { ...ROOMY, journalMaxBytes });
      const { group } = current();
      const store = stores.first;
      await store.groups.open(group.namespace, group.name, SETTINGS, 'earliest');
      const appended = await store.log.append(group.namespace, newEvents(1_000));
      const later = await store.log.append(group.namespace, newEvents(900));
      for (let left = 1_900; left > 0; left -= 950) {
        const { deliveries } = await group.claim(store, { max: 950, maxInFlight: 950 });
        await group.ack(store, deliveries);
      }
      await store.applyRetention();
      const ends = [at(appended, 0).position, at(later, -1).position];
      const fates = await Promise.all(ends.map((position) => fateOf(store, group, position)));
      expect(fates.map(({ state }) => state)).toEqual(states);
    });

    test('of a group whose topics changed often, the first stretches are forgotten', async () => {
      const { first, group } = current();
      const { cursor, state } = await group.openGroup({ topics: ['t0'] });
      const appended = await first.log.append(group.namespace, newEvents(MAX_PASSES + 10));
      let [after, version] = [cursor, state.version];
      for (const { position: upTo } of appended) {
        await group.claim(first, { offer: { version, after, entries: [], upTo } });
        ({ version } = (await first.groups.update(group.namespace, group.name, { topics: [`t${upTo.seq}`] })).state);
        after = upTo;
      }
      expect(await fateOf(first, group, at(appended, 0).position)).toMatchObject({ state: 'unknown' });
      expect(await fateOf(first, group, at(appended, -1).position)).toMatchObject({ state: 'not_matching' });
    });
  });
}
