// The contract of the GroupStore port: opening groups, and claiming what is unread.
import { beforeEach, describe, expect, test } from 'vitest';
import { waitFor } from '@hypercode/testkit';
import {
  at,
  entriesOf,
  newEvent,
  newEventOf,
  newEvents,
  newNamespace,
  openForTest,
  rangeOf,
  ROOMY,
} from './bus-store.ts';
import { type GroupSuite, type GroupUnderTest, HOUR_MS, MIB, SETTINGS } from './group-under-test.ts';
import type { BusStore } from '../src/store/bus-store.ts';
import type { GroupSettings } from '../src/store/group-settings.ts';
import type { GroupDelivery } from '../src/store/group-store.ts';

/** Part of `groupStoreConformance`. */
export function groupClaiming(suite: GroupSuite): void {
  const { describeWhole } = suite;
  let first: BusStore;
  let second: BusStore;
  let group: GroupUnderTest;

  beforeEach(() => {
    ({ first, second, group } = suite.current());
  });

  describeWhole('opening', () => {
    test('a group begins at the head, at the beginning or at the horizon of its log', async () => {
      const [a, b] = await first.log.append(group.namespace, newEvents(2));
      const { horizon } = await rangeOf(first.log, group.namespace);
      const opened = {
        latest: await first.groups.open(group.namespace, 'late', SETTINGS, 'latest'),
        earliest: await second.groups.open(group.namespace, 'early', SETTINGS, 'earliest'),
      };
      expect(opened.latest).toMatchObject({ cursor: b?.position, created: true });
      expect(opened.earliest).toMatchObject({ cursor: horizon, created: true });

      const small = await openForTest(suite.open, { ...ROOMY, retention: { ...ROOMY.retention, maxEvents: 1 } });
      await waitFor(
        async () => {
          await small.first.applyRetention();
          return (await rangeOf(first.log, group.namespace)).horizon.seq === 1;
        },
        { what: 'the first event to be removed' },
      );
      expect(await first.groups.open(group.namespace, 'later', SETTINGS, 'earliest')).toMatchObject({
        cursor: a?.position,
        created: true,
      });
    });

    test('opening a group of an empty log makes the epoch of the log', async () => {
      const { cursor } = await first.groups.open(group.namespace, group.name, SETTINGS, 'latest');
      expect(cursor).toMatchObject({ seq: 0, nonce: 0 });
      expect((await rangeOf(second.log, group.namespace)).head).toEqual(cursor);
    });

    test('opening a group that exists returns it unchanged', async () => {
      const { cursor } = await group.openGroup();
      await first.log.append(group.namespace, [newEvent()]);
      const again = await second.groups.open(group.namespace, group.name, SETTINGS, 'latest');
      expect(again).toMatchObject({ cursor, created: false });
      const moved = await group.claim(first);
      expect(await second.groups.open(group.namespace, group.name, SETTINGS, 'earliest')).toMatchObject({
        cursor: moved.cursor,
        created: false,
      });
    });

    test('concurrent opens of one group make one group', async () => {
      const opened = await Promise.all(
        Array.from({ length: 10 }, (_, index) =>
          (index % 2 ? first : second).groups.open(group.namespace, group.name, SETTINGS, 'latest'),
        ),
      );
      expect(opened.filter(({ created }) => created)).toHaveLength(1);
      expect(new Set(opened.map(({ cursor }) => cursor.epoch)).size).toBe(1);
    });

    test.each<[string, Partial<GroupSettings>]>([
      ['topics', { topics: ['a.*', 'b'] }],
      ['deadline', { ackDeadlineMs: 1_000 }],
      ['deliveries', { maxDeliveries: 4 }],
    ])('with another %s is refused', async (_what, other) => {
      await group.openGroup();
      const refused = first.groups.open(group.namespace, group.name, { ...SETTINGS, ...other }, 'latest');
      await expect(refused).rejects.toMatchObject({
        code: 'CONFLICT',
        details: { existing: SETTINGS, requested: { ...SETTINGS, ...other } },
      });
      expect(await second.groups.find(group.namespace, group.name)).toMatchObject(SETTINGS);
    });

    test('a group keeps the settings that it was made with', async () => {
      const settings = { topics: ['a.*.b-c', 'a.>', 'z_9'], ackDeadlineMs: 86_400_000, maxDeliveries: 1_000 };
      expect(await first.groups.find(group.namespace, group.name)).toBeNull();
      await group.openGroup(settings);
      expect(await second.groups.find(group.namespace, group.name)).toMatchObject(settings);
      expect(await second.groups.find(newNamespace(), group.name)).toBeNull();
    });
  });

  describe('claiming what is unread', () => {
    test('a claim delivers unread events, oldest first, and moves the cursor', async () => {
      const { events, positions } = await group.withEvents(5);
      const outcome = await group.claim(first);
      expect(outcome).toEqual({
        deliveries: events.map(({ text }, index) => ({
          position: positions[index],
          life: 0,
          attempt: 1,
          uncounted: 0,
          dueAt: expect.any(Number),
          text,
        })),
        cursor: positions.at(-1),
        room: 995,
        nextDueMs: expect.any(Number),
        isSilent: false,
        paused: false,
        changed: null,
        gap: null,
      });
      expect(outcome.nextDueMs).toBeGreaterThan(HOUR_MS - 60_000);
      expect(outcome.nextDueMs).toBeLessThanOrEqual(HOUR_MS);
      expect(await group.claim(second)).toMatchObject({ deliveries: [], cursor: positions.at(-1) });
    });

    test('a claim takes no more than the consumer has room for, and the cursor stops after the last one taken', async () => {
      const { positions } = await group.withEvents(5);
      const offer = await group.offer(first);
      const begun = await group.claim(first, { max: 2, offer });
      expect(begun.deliveries.map(({ position }) => position)).toEqual(positions.slice(0, 2));
      expect(begun).toMatchObject({ cursor: positions[1], room: 998 });
      const more = await group.claim(second, { maxInFlight: 3 });
      expect(more.deliveries.map(({ position }) => position)).toEqual([positions[2]]);
      expect(more).toMatchObject({ cursor: positions[2], room: 0 });
      const none = await group.claim(first, { maxInFlight: 3 });
      expect(none).toMatchObject({ deliveries: [], cursor: positions[2], room: 0 });
      const rest = await group.claim(second, { consumer: 'bob', maxInFlight: 3 });
      expect(rest.deliveries.map(({ position }) => position)).toEqual(positions.slice(3));
      expect(rest).toMatchObject({ cursor: positions[4], room: 1 });
    });

    test('the cursor passes events that do not match', async () => {
      const { positions } = await group.withEvents(6);
      const { after, entries } = await group.offer(first);
      const upTo = at(positions, 5);
      const matching = [at(entries, 1), at(entries, 3)];
      const begun = await group.claim(first, { max: 1, offer: { version: 1, after, entries: matching, upTo } });
      expect(begun.deliveries).toMatchObject([{ position: positions[1] }]);
      expect(begun.cursor).toEqual(positions[1]);
      const rest = await group.claim(second, {
        offer: { version: 1, after: begun.cursor, entries: matching.slice(1), upTo },
      });
      expect(rest.deliveries).toMatchObject([{ position: positions[3] }]);
      expect(rest.cursor).toEqual(upTo);
      await first.log.append(group.namespace, newEvents(2));
      const { head } = await rangeOf(first.log, group.namespace);
      const beyond = { version: 1, after: upTo, entries: [], upTo: head };
      const past = await group.claim(first, { maxInFlight: 1, offer: beyond });
      expect(past).toMatchObject({ deliveries: [], cursor: head, gap: null });
    });

    test('a claim takes nothing from an offer that does not begin at the cursor', async () => {
      const { positions } = await group.withEvents(4);
      const old = await group.offer(first);
      await group.claim(first, { max: 2 });
      const late = await group.claim(second, { offer: old });
      expect(late).toMatchObject({ deliveries: [], cursor: positions[1], gap: null });
      const ahead = { ...old, after: at(positions, 2), entries: old.entries.slice(3), upTo: at(positions, 3) };
      expect(await group.claim(second, { offer: ahead })).toMatchObject({ deliveries: [], cursor: positions[1] });
      const otherNonce = { ...old, after: { ...at(positions, 1), nonce: (at(positions, 1).nonce % 1_000_000) + 7 } };
      expect(await group.claim(second, { offer: otherNonce })).toMatchObject({
        deliveries: [],
        cursor: positions[1],
      });
      expect(await group.claim(second)).toMatchObject({
        deliveries: [{ position: positions[2] }, { position: positions[3] }],
      });
    });

    test('an offer read before the log lost its end delivers no missing event and moves the cursor no further', async () => {
      await group.withEvents(3);
      const { entries, upTo, ...whole } = await group.offer(first);
      expect(await group.claim(first, { offer: { ...whole, entries: [], upTo } })).toMatchObject({ cursor: upTo });
      // What the replica saw of the end that is lost.
      const lost = [1, 2].map((ahead) => ({ ...upTo, seq: upTo.seq + ahead, nonce: (upTo.nonce % 1_000_000) + 1 }));
      const lostEntries = lost.map((position, index) => ({ ...at(entries, index), position }));
      const notNoticed = { ...whole, after: upTo, entries: [], upTo: at(lost, 1) };
      const noticed = { ...notNoticed, entries: lostEntries };
      for (const more of [0, 1, 3]) {
        if (more > 0) await first.log.append(group.namespace, newEvents(more));
        for (const offer of [notNoticed, noticed]) {
          const outcome = await group.claim(second, { offer });
          expect(outcome).toMatchObject({ deliveries: [], cursor: upTo, gap: null });
        }
      }
      // What is there of it is taken.
      const [there] = await entriesOf(first.log, group.namespace, upTo);
      const mixed = { ...noticed, entries: [there, at(lostEntries, 1)].filter((entry) => entry !== undefined) };
      expect(await group.claim(second, { offer: mixed })).toMatchObject({
        deliveries: [{ position: there?.position, text: there?.text }],
        cursor: there?.position,
      });
      const rest = await group.claim(first);
      expect(rest.deliveries.map(({ position }) => position.seq)).toEqual([5, 6, 7]);
    });

    test('concurrent claims deliver each event to one consumer', async () => {
      const { positions } = await group.withEvents(30);
      const offer = await group.offer(first);
      const outcomes = await Promise.all(
        Array.from({ length: 12 }, (_, index) =>
          group.claim(index % 2 ? first : second, { consumer: `c${index}`, offer }),
        ),
      );
      expect(outcomes.map(({ deliveries }) => deliveries.length).toSorted((a, b) => b - a)).toEqual([
        30,
        ...Array.from({ length: 11 }, () => 0),
      ]);
      for (const { cursor } of outcomes) expect(cursor).toEqual(positions.at(-1));

      await first.log.append(group.namespace, newEvents(40));
      const taken = await Promise.all(
        Array.from({ length: 8 }, async (_, index) => {
          const store = index % 2 ? first : second;
          const mine: number[] = [];
          for (let round = 0; round < 10; round++) {
            const { deliveries } = await group.claim(store, { consumer: `d${index}`, max: 3 });
            mine.push(...deliveries.map(({ position }) => position.seq));
          }
          return mine;
        }),
      );
      const seqs = taken.flat().toSorted((a, b) => a - b);
      expect(new Set(seqs).size).toBe(seqs.length);
      const rest = await group.claim(first);
      expect(seqs.length + rest.deliveries.length).toBe(40);
    });

    test('each group has its own state', async () => {
      await group.withEvents(2);
      await first.groups.open(group.namespace, 'others', SETTINGS, 'earliest');
      const { deliveries } = await group.claim(first);
      expect(deliveries).toHaveLength(2);
      const request = { consumer: 'ann', maxInFlight: 2, max: 2, offer: null };
      const others = await first.groups.claim(group.namespace, 'others', request);
      expect(others).toMatchObject({ deliveries: [], room: 2, nextDueMs: null, cursor: { seq: 0 } });
      expect(await first.groups.ack(group.namespace, 'others', deliveries)).toBe(0);
      expect(await group.ack(second, deliveries)).toBe(2);
    });

    test('the text of a delivery equals the text in the log, also when it is redelivered', async () => {
      await group.openGroup();
      const texts = [
        String.raw`{"a":"it's \"q\" \\ \ud800 \u0000 \u001f"}`,
        '{"emoji":"🐝👩‍👩‍👧‍👦 \u2028"}',
        ' {\n\t"spaced" : 1.00 }',
        'null',
        JSON.stringify({ long: 'x'.repeat(256 * 1024 - 20) }),
      ];
      await first.log.append(
        group.namespace,
        texts.map((text) => newEvent({ text })),
      );
      const { deliveries } = await group.claim(first);
      expect(deliveries.map(({ text }) => text)).toEqual(texts);
      await group.nack(second, deliveries);
      const again = await group.claim(second, { consumer: 'bob' });
      expect(again.deliveries.map(({ text }) => text).toSorted()).toEqual(texts.toSorted());
    });

    test('many large events are delivered in several answers, each once', async () => {
      await group.openGroup();
      const texts: string[] = [];
      for (let call = 0; call < 5; call++) {
        const events = Array.from({ length: 4 }, () => newEventOf(256 * 1024));
        await first.log.append(group.namespace, events);
        texts.push(...events.map(({ text }) => text));
      }
      const claimAll = async (offered: boolean) => {
        const answers: (readonly GroupDelivery[])[] = [];
        for (;;) {
          const { deliveries } = await group.claim(second, offered ? {} : { offer: null });
          if (deliveries.length === 0) return answers;
          answers.push(deliveries);
        }
      };
      const fresh = (await claimAll(true)).flat();
      expect(fresh.map(({ text }) => text)).toEqual(texts);
      await group.nack(first, fresh);
      const again = await claimAll(false);
      for (const answer of again) {
        const bytes = answer.reduce((sum, { text }) => sum + text.length, 0);
        expect(bytes).toBeLessThan(4.5 * MIB);
      }
      const redelivered = again.flat();
      expect(redelivered.map(({ position, attempt }) => [position.seq, attempt])).toEqual(
        texts.map((_, index) => [index + 1, 2]),
      );
      expect(redelivered.map(({ text }) => text)).toEqual(texts);
      expect(await group.ack(second, redelivered)).toBe(texts.length);
    });

    test('a consumer may have any name', async () => {
      await group.withEvents(3);
      for (const consumer of [`'"\\{},`, '🐝'.repeat(32), ' ']) {
        const { deliveries } = await group.claim(first, { consumer, max: 1, maxInFlight: 1 });
        expect(deliveries).toHaveLength(1);
        expect((await group.claim(second, { consumer, maxInFlight: 1 })).room).toBe(0);
      }
    });
  });
}
