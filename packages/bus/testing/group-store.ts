// The contract of the GroupStore port, which every driver passes.
import fc from 'fast-check';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { describeIn, type SuiteScope, waitFor } from '@hypercode/testkit';
import {
  at,
  closeStores,
  type Replicas,
  entriesOf,
  newEvent,
  newEventOf,
  newEvents,
  newNamespace,
  openForTest,
  type OpenStores,
  rangeOf,
  ROOMY,
} from './bus-store.ts';
import { GroupModel } from './group-model.ts';
import type { BusStore } from '../src/store/bus-store.ts';
import type { GroupSettings } from '../src/store/group-settings.ts';
import type {
  ClaimOutcome,
  ClaimRequest,
  GroupDelivery,
  StoredDeadLetter,
  StoredGroup,
} from '../src/store/group-store.ts';
import type { LogPosition } from '../src/store/position.ts';

const MIB = 1024 * 1024;
const HOUR_MS = 3_600_000;
const SETTINGS: GroupSettings = { topics: ['>'], ackDeadlineMs: HOUR_MS, maxDeliveries: 3 };
/** Long enough for the calls that a test makes before it, short enough to wait for. */
const SHORT_DEADLINE_MS = 300;
const AT_ONCE = { delayMs: 0, reason: null };

/** One group, as a test uses it from either replica. */
class GroupUnderTest {
  readonly namespace = newNamespace();
  readonly name = 'workers';

  async figures(store: BusStore): Promise<StoredGroup> {
    const groups = await store.groups.list(this.namespace);
    return at(
      groups.filter(({ group }) => group === this.name),
      0,
    );
  }

  /** What is unread, as a caller would offer it. */
  async offer(store: BusStore, limit = 1_000): Promise<NonNullable<ClaimRequest['offer']>> {
    const { cursor } = await this.figures(store);
    const entries = await entriesOf(store.log, this.namespace, cursor, limit);
    return { after: cursor, entries, upTo: entries.at(-1)?.position ?? cursor };
  }

  /** Claims due and unread events. */
  async claim(
    store: BusStore,
    request: {
      consumer?: string;
      maxInFlight?: number;
      max?: number;
      offer?: NonNullable<ClaimRequest['offer']> | null;
    } = {},
  ): Promise<ClaimOutcome> {
    const { consumer = 'ann', maxInFlight = 1_000, max = 1_000 } = request;
    const offer = request.offer === undefined ? await this.offer(store) : request.offer;
    return store.groups.claim(this.namespace, this.name, { consumer, maxInFlight, max, offer });
  }

  /** Claims due events until there is one. */
  async due(store: BusStore, consumer = 'ann'): Promise<GroupDelivery> {
    return waitFor(async () => (await this.claim(store, { consumer, max: 1, offer: null })).deliveries[0], {
      what: 'an event to be due',
      intervalMs: 5,
    });
  }

  ack(store: BusStore, deliveries: readonly GroupDelivery[]): Promise<number> {
    return store.groups.ack(this.namespace, this.name, deliveries);
  }

  nack(
    store: BusStore,
    deliveries: readonly GroupDelivery[],
    how: { delayMs: number; reason: string | null } = AT_ONCE,
  ): Promise<number> {
    return store.groups.nack(this.namespace, this.name, deliveries, how);
  }

  async deadLetters(
    store: BusStore,
    page: { after: number | null; limit: number } = { after: null, limit: 1_000 },
  ): Promise<readonly StoredDeadLetter[]> {
    return (await store.groups.deadLetters(this.namespace, this.name, page)).letters;
  }
}

/** Runs the contract on the stores that `open` gives. */
/** `scope` is what runs of it, on a driver that repeats another one. */
export function groupStoreConformance(name: string, open: OpenStores, scope: SuiteScope = 'whole'): void {
  const describeWhole = describeIn(scope);
  describe(`${name} as a GroupStore`, () => {
    let stores: Replicas;
    let first: BusStore;
    let second: BusStore;
    let group: GroupUnderTest;

    beforeAll(async () => {
      stores = await open(ROOMY);
      ({ first, second } = stores);
    }, 60_000);
    afterAll(() => closeStores(stores));
    beforeEach(() => {
      group = new GroupUnderTest();
    });

    const openGroup = (settings: Partial<GroupSettings> = {}) =>
      first.groups.open(group.namespace, group.name, { ...SETTINGS, ...settings }, 'earliest');

    /** A group with `count` unread events. */
    async function withEvents(count: number, settings: Partial<GroupSettings> = {}) {
      await openGroup(settings);
      const events = newEvents(count);
      const appended = await first.log.append(group.namespace, events);
      return { events, positions: appended.map(({ position }) => position) };
    }

    /** A group whose events have all died, in their order. */
    async function withDeadLetters(count: number) {
      const made = await withEvents(count, { maxDeliveries: 1 });
      const { deliveries } = await group.claim(first);
      for (const delivery of deliveries) {
        await group.nack(first, [delivery], { delayMs: 0, reason: `no ${delivery.position.seq}` });
      }
      return { ...made, deliveries };
    }

    describeWhole('opening', () => {
      test('a group begins at the head, at the beginning or at the horizon of its log', async () => {
        const [a, b] = await first.log.append(group.namespace, newEvents(2));
        const { horizon } = await rangeOf(first.log, group.namespace);
        const opened = {
          latest: await first.groups.open(group.namespace, 'late', SETTINGS, 'latest'),
          earliest: await second.groups.open(group.namespace, 'early', SETTINGS, 'earliest'),
        };
        expect(opened.latest).toEqual({ cursor: b?.position, created: true });
        expect(opened.earliest).toEqual({ cursor: horizon, created: true });

        const small = await openForTest(open, { ...ROOMY, retention: { ...ROOMY.retention, maxEvents: 1 } });
        await waitFor(
          async () => {
            await small.first.applyRetention();
            return (await rangeOf(first.log, group.namespace)).horizon.seq === 1;
          },
          { what: 'the first event to be removed' },
        );
        expect(await first.groups.open(group.namespace, 'later', SETTINGS, 'earliest')).toEqual({
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
        const { cursor } = await openGroup();
        await first.log.append(group.namespace, [newEvent()]);
        const again = await second.groups.open(group.namespace, group.name, SETTINGS, 'latest');
        expect(again).toEqual({ cursor, created: false });
        const moved = await group.claim(first);
        expect(await second.groups.open(group.namespace, group.name, SETTINGS, 'earliest')).toEqual({
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
        await openGroup();
        const refused = first.groups.open(group.namespace, group.name, { ...SETTINGS, ...other }, 'latest');
        await expect(refused).rejects.toMatchObject({ code: 'CONFLICT', details: { existing: SETTINGS } });
        expect(await second.groups.find(group.namespace, group.name)).toEqual(SETTINGS);
      });

      test('a group keeps the settings that it was made with', async () => {
        const settings = { topics: ['a.*.b-c', 'a.>', 'z_9'], ackDeadlineMs: 86_400_000, maxDeliveries: 1_000 };
        expect(await first.groups.find(group.namespace, group.name)).toBeNull();
        await openGroup(settings);
        expect(await second.groups.find(group.namespace, group.name)).toEqual(settings);
        expect(await second.groups.find(newNamespace(), group.name)).toBeNull();
      });
    });

    test('a group that does not exist is not found', async () => {
      const position = (await rangeOf(first.log, group.namespace)).head;
      const refs = [{ position, life: 0, attempt: 1 }];
      const { namespace, name: missing } = group;
      const request = { consumer: 'ann', maxInFlight: 1, max: 1, offer: null };
      const calls = [
        first.groups.claim(namespace, missing, request),
        first.groups.ack(namespace, missing, refs),
        first.groups.nack(namespace, missing, refs, AT_ONCE),
        first.groups.deadLetters(namespace, missing, { after: null, limit: 10 }),
        first.groups.redrive(namespace, missing, null),
        first.groups.discard(namespace, missing, null),
      ];
      const refusals = await Promise.allSettled(calls);
      expect(refusals).toMatchObject(calls.map(() => ({ status: 'rejected', reason: { code: 'NOT_FOUND' } })));
      expect(await first.groups.list(namespace)).toEqual([]);
    });

    describe('claiming what is unread', () => {
      test('a claim delivers unread events, oldest first, and moves the cursor', async () => {
        const { events, positions } = await withEvents(5);
        const outcome = await group.claim(first);
        expect(outcome).toEqual({
          deliveries: events.map(({ text }, index) => ({ position: positions[index], life: 0, attempt: 1, text })),
          cursor: positions.at(-1),
          room: 995,
          nextDueMs: expect.any(Number),
          gap: null,
        });
        expect(outcome.nextDueMs).toBeGreaterThan(HOUR_MS - 60_000);
        expect(outcome.nextDueMs).toBeLessThanOrEqual(HOUR_MS);
        expect(await group.claim(second)).toMatchObject({ deliveries: [], cursor: positions.at(-1) });
      });

      test('a claim takes no more than the consumer has room for, and the cursor stops after the last one taken', async () => {
        const { positions } = await withEvents(5);
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
        const { positions } = await withEvents(6);
        const { after, entries } = await group.offer(first);
        const upTo = at(positions, 5);
        const matching = [at(entries, 1), at(entries, 3)];
        const begun = await group.claim(first, { max: 1, offer: { after, entries: matching, upTo } });
        expect(begun.deliveries).toMatchObject([{ position: positions[1] }]);
        expect(begun.cursor).toEqual(positions[1]);
        const rest = await group.claim(second, {
          offer: { after: begun.cursor, entries: matching.slice(1), upTo },
        });
        expect(rest.deliveries).toMatchObject([{ position: positions[3] }]);
        expect(rest.cursor).toEqual(upTo);
        await first.log.append(group.namespace, newEvents(2));
        const { head } = await rangeOf(first.log, group.namespace);
        const past = await group.claim(first, { maxInFlight: 1, offer: { after: upTo, entries: [], upTo: head } });
        expect(past).toMatchObject({ deliveries: [], cursor: head, gap: null });
      });

      test('a claim takes nothing from an offer that does not begin at the cursor', async () => {
        const { positions } = await withEvents(4);
        const old = await group.offer(first);
        await group.claim(first, { max: 2 });
        const late = await group.claim(second, { offer: old });
        expect(late).toMatchObject({ deliveries: [], cursor: positions[1], gap: null });
        const ahead = { after: at(positions, 2), entries: old.entries.slice(3), upTo: at(positions, 3) };
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
        await withEvents(3);
        const { after, entries, upTo } = await group.offer(first);
        expect(await group.claim(first, { offer: { after, entries: [], upTo } })).toMatchObject({ cursor: upTo });
        // What the replica saw of the end that is lost.
        const lost = [1, 2].map((ahead) => ({ ...upTo, seq: upTo.seq + ahead, nonce: (upTo.nonce % 1_000_000) + 1 }));
        const lostEntries = lost.map((position, index) => ({ ...at(entries, index), position }));
        const notNoticed = { after: upTo, entries: [], upTo: at(lost, 1) };
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
        const { positions } = await withEvents(30);
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
        await withEvents(2);
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
        await openGroup();
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
        await openGroup();
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
        await withEvents(3);
        for (const consumer of [`'"\\{},`, '🐝'.repeat(32), ' ']) {
          const { deliveries } = await group.claim(first, { consumer, max: 1, maxInFlight: 1 });
          expect(deliveries).toHaveLength(1);
          expect((await group.claim(second, { consumer, maxInFlight: 1 })).room).toBe(0);
        }
      });
    });

    describe('acknowledging', () => {
      test('an acknowledgement settles an event in flight once, from either replica', async () => {
        await withEvents(3);
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
        await withEvents(1);
        const { deliveries } = await group.claim(first);
        const delivery = at(deliveries, 0);
        expect(await group.ack(first, [delivery, delivery, { ...delivery, attempt: 2 }])).toBe(1);
      });

      test('acknowledging a delivery that was never made settles nothing', async () => {
        const { positions } = await withEvents(2);
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
        await withEvents(2);
        const { deliveries } = await group.claim(first);
        expect(await group.nack(first, deliveries, { delayMs: HOUR_MS, reason: null })).toBe(2);
        expect(await group.ack(second, [{ ...at(deliveries, 0), attempt: 17 }])).toBe(1);
        expect(await group.figures(first)).toMatchObject({ inFlight: 0, waiting: 1 });
      });

      test('a late acknowledgement settles an event that another consumer has in flight', async () => {
        await withEvents(1);
        const { deliveries } = await group.claim(first);
        await group.nack(first, deliveries);
        const again = await group.claim(second, { consumer: 'bob' });
        expect(again.deliveries).toMatchObject([{ attempt: 2 }]);
        expect(await group.ack(first, deliveries)).toBe(1);
        expect(await group.ack(second, again.deliveries)).toBe(0);
        expect(await group.nack(second, again.deliveries)).toBe(0);
      });

      test('a late acknowledgement settles a dead letter', async () => {
        const { deliveries } = await withDeadLetters(2);
        expect(await group.ack(second, deliveries.slice(0, 1))).toBe(1);
        expect((await group.deadLetters(first)).map(({ position }) => position)).toEqual([at(deliveries, 1).position]);
      });

      test('a thousand deliveries are acknowledged in one call', async () => {
        await withEvents(1_000);
        const { deliveries, room } = await group.claim(first);
        expect(deliveries).toHaveLength(1_000);
        expect(room).toBe(0);
        expect(await group.ack(second, deliveries)).toBe(1_000);
      });
    });

    describeWhole('refusing', () => {
      test('a nack makes the event due at once, for the next attempt', async () => {
        const { events, positions } = await withEvents(1);
        const { deliveries } = await group.claim(first);
        expect(await group.nack(second, deliveries)).toBe(1);
        expect(await group.figures(first)).toMatchObject({ inFlight: 0, waiting: 1 });
        const again = await group.claim(first, { consumer: 'bob' });
        expect(again.deliveries).toEqual([{ position: positions[0], life: 0, attempt: 2, text: events[0]?.text }]);
        expect(again.cursor).toEqual(positions[0]);
      });

      test('a nack with a delay makes the event due after the delay', async () => {
        await withEvents(2);
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
        await withEvents(1);
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
        const { events, positions } = await withEvents(1, { maxDeliveries: 3 });
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
        await withEvents(10);
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
        await withEvents(4);
        await group.claim(first, { max: 3 });
        expect(await group.claim(second, { maxInFlight: 1 })).toMatchObject({ deliveries: [], room: 0 });
      });

      test('maxInFlight limits due events too, which are delivered first', async () => {
        const { positions } = await withEvents(6);
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

    describeWhole('deadlines', () => {
      test('a deadline that passed makes the event due for another consumer', async () => {
        const { positions } = await withEvents(1, { ackDeadlineMs: SHORT_DEADLINE_MS });
        const { deliveries, nextDueMs } = await group.claim(first);
        expect(nextDueMs).toBeGreaterThan(0);
        expect(nextDueMs).toBeLessThanOrEqual(SHORT_DEADLINE_MS);
        await stores.time.pass(SHORT_DEADLINE_MS);
        expect(await group.due(second, 'bob')).toMatchObject({ position: positions[0], attempt: 2 });
        expect(await group.nack(first, deliveries)).toBe(0);
        expect(await group.ack(first, deliveries)).toBe(1);
      });

      test('a deadline that passed is shown and refuses a nack before the next claim', async () => {
        await withEvents(2, { ackDeadlineMs: SHORT_DEADLINE_MS });
        const { deliveries } = await group.claim(first);
        await stores.time.pass(SHORT_DEADLINE_MS);
        expect(await group.figures(first)).toMatchObject({ inFlight: 0, waiting: 2, deadLetters: 0 });
        expect(await group.nack(second, deliveries)).toBe(0);
        expect(await group.ack(second, deliveries.slice(1))).toBe(1);
        expect((await group.claim(first, { maxInFlight: 1 })).deliveries).toMatchObject([{ attempt: 2 }]);
      });

      test('a deadline that passed in the last attempt makes a dead letter', async () => {
        const { positions } = await withEvents(2, { ackDeadlineMs: SHORT_DEADLINE_MS, maxDeliveries: 2 });
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
        await withEvents(3, { ackDeadlineMs: SHORT_DEADLINE_MS });
        await group.claim(first, { maxInFlight: 2 });
        await stores.time.pass(SHORT_DEADLINE_MS);
        const { deliveries } = await group.claim(second, { maxInFlight: 2 });
        expect(deliveries.map(({ attempt }) => attempt)).toEqual([2, 2]);
      });

      test('each attempt has a deadline of its own', async () => {
        await withEvents(1, { ackDeadlineMs: SHORT_DEADLINE_MS, maxDeliveries: 3 });
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

    describeWhole('dead letters', () => {
      test('dead letters are listed in the order of their deaths, in pages', async () => {
        await withEvents(5, { maxDeliveries: 1 });
        const { deliveries } = await group.claim(first);
        const order = [3, 0, 4, 1, 2].map((index) => at(deliveries, index));
        for (const delivery of order) await group.nack(second, [delivery]);
        const all = await group.deadLetters(first);
        expect(all.map(({ position }) => position)).toEqual(order.map(({ position }) => position));
        const sizes: number[] = [];
        const paged: StoredDeadLetter[] = [];
        for (let after: number | null = null, isMore = true; isMore;) {
          const page = await second.groups.deadLetters(group.namespace, group.name, { after, limit: 2 });
          sizes.push(page.letters.length);
          paged.push(...page.letters);
          after = page.next;
          isMore = after !== null;
        }
        expect(paged).toEqual(all);
        expect(sizes).toEqual([2, 2, 1]);
        const whole = await second.groups.deadLetters(group.namespace, group.name, { after: null, limit: 5 });
        expect(whole).toEqual({ letters: all, next: null });
        const beyond = { after: at(all, -1).ordinal, limit: 5 };
        expect(await second.groups.deadLetters(group.namespace, group.name, beyond)).toEqual({
          letters: [],
          next: null,
        });
        const ordinals = all.map(({ ordinal }) => ordinal);
        expect(ordinals).toEqual([...new Set(ordinals)].toSorted((a, b) => a - b));
      });

      test('dead letters of large events are listed in pages of about 4 MiB', async () => {
        await openGroup({ maxDeliveries: 1 });
        for (let call = 0; call < 10; call++) {
          await first.log.append(
            group.namespace,
            Array.from({ length: 4 }, () => newEventOf(256 * 1024)),
          );
          await group.nack(first, (await group.claim(second)).deliveries);
        }
        const seqs: number[] = [];
        for (let after: number | null = null, isMore = true; isMore;) {
          const { letters, next } = await first.groups.deadLetters(group.namespace, group.name, {
            after,
            limit: 1_000,
          });
          expect(letters.reduce((sum, { text }) => sum + text.length, 0)).toBeLessThan(4.5 * MIB);
          seqs.push(...letters.map(({ position }) => position.seq));
          after = next;
          isMore = after !== null;
        }
        expect(seqs.toSorted((a, b) => a - b)).toEqual(Array.from({ length: 40 }, (_, index) => index + 1));
        expect(await first.groups.discard(group.namespace, group.name, null)).toBe(40);
      });

      test('a list of dead letters goes on at its cursor although earlier ones were settled', async () => {
        await withDeadLetters(5);
        const page = await group.deadLetters(first, { after: null, limit: 2 });
        await group.ack(first, page);
        const next = await group.deadLetters(second, { after: at(page, -1).ordinal, limit: 2 });
        expect(next.map(({ position }) => position.seq)).toEqual([3, 4]);
      });

      test('a redriven dead letter is due at once and starts at attempt 1', async () => {
        const { events, positions } = await withDeadLetters(3);
        const chosen = [at(positions, 2), at(positions, 0), at(positions, 0)];
        expect(await group.deadLetters(first)).toHaveLength(3);
        expect(await first.groups.redrive(group.namespace, group.name, chosen)).toBe(2);
        expect(await second.groups.redrive(group.namespace, group.name, chosen)).toBe(0);
        expect(await group.figures(second)).toMatchObject({ waiting: 2, deadLetters: 1 });
        const { deliveries } = await group.claim(second, { consumer: 'bob' });
        expect(deliveries.toSorted((a, b) => a.position.seq - b.position.seq)).toEqual(
          [0, 2].map((index) => ({ position: positions[index], life: 1, attempt: 1, text: events[index]?.text })),
        );
        await group.nack(first, deliveries, { delayMs: 0, reason: 'again' });
        const letters = await group.deadLetters(second);
        expect(letters.map(({ position }) => position.seq)[0]).toBe(2);
        expect(letters).toHaveLength(3);
        for (const letter of letters.slice(1)) {
          expect(letter.history).toMatchObject([{ attempt: 1, consumer: 'bob', reason: 'again' }]);
        }
      });

      test('after a redrive, a nack of the first life counts for nothing and a late acknowledgement settles the event', async () => {
        const { deliveries: firstLife } = await withDeadLetters(2);
        await first.groups.redrive(group.namespace, group.name, null);
        const { deliveries } = await group.claim(second, { consumer: 'bob' });
        expect(deliveries.map(({ attempt }) => attempt)).toEqual([1, 1]);
        expect(await group.nack(first, firstLife)).toBe(0);
        expect(await group.figures(second)).toMatchObject({ inFlight: 2, deadLetters: 0 });
        expect(await group.ack(first, firstLife.slice(0, 1))).toBe(1);
        expect(await group.nack(second, deliveries)).toBe(1);
      });

      test('all dead letters are redriven by one call', async () => {
        await withDeadLetters(4);
        expect(await first.groups.redrive(group.namespace, group.name, null)).toBe(4);
        expect(await first.groups.redrive(group.namespace, group.name, null)).toBe(0);
        expect(await group.deadLetters(second)).toEqual([]);
        expect((await group.claim(second)).deliveries.map(({ attempt }) => attempt)).toEqual([1, 1, 1, 1]);
      });

      test('dead letters are discarded by position, or all of them', async () => {
        const { positions, deliveries } = await withDeadLetters(4);
        const strangers = [
          { ...at(positions, 0), epoch: 'another' },
          { ...at(positions, 0), seq: 99 },
        ];
        expect(await first.groups.discard(group.namespace, group.name, strangers)).toBe(0);
        expect(await first.groups.redrive(group.namespace, group.name, strangers)).toBe(0);
        expect(await first.groups.discard(group.namespace, group.name, positions.slice(1, 2))).toBe(1);
        expect(await group.ack(first, deliveries.slice(1, 2))).toBe(0);
        expect((await group.deadLetters(second)).map(({ position }) => position.seq)).toEqual([1, 3, 4]);
        expect(await second.groups.discard(group.namespace, group.name, null)).toBe(3);
        expect(await group.deadLetters(first)).toEqual([]);
        expect(await group.claim(first)).toMatchObject({ deliveries: [], nextDueMs: null });
      });

      test('an event that is no dead letter is neither redriven nor discarded', async () => {
        const { positions } = await withEvents(3);
        const { deliveries } = await group.claim(first, { max: 2 });
        await group.nack(first, deliveries.slice(0, 1), { delayMs: HOUR_MS, reason: null });
        for (const chosen of [positions, null]) {
          expect(await first.groups.redrive(group.namespace, group.name, chosen)).toBe(0);
          expect(await first.groups.discard(group.namespace, group.name, chosen)).toBe(0);
        }
        expect(await group.figures(second)).toMatchObject({ inFlight: 1, waiting: 1, deadLetters: 0, lag: 1 });
      });
    });

    describeWhole('in large numbers', () => {
      test('a thousand deliveries are claimed, refused, claimed again and settled', async () => {
        const { events } = await withEvents(1_000);
        const begun = await group.claim(first);
        expect(begun.deliveries).toHaveLength(1_000);
        expect(await group.nack(second, begun.deliveries)).toBe(1_000);
        const { deliveries } = await group.claim(second, { offer: null });
        expect(deliveries.map(({ text, attempt }) => [text, attempt])).toEqual(events.map(({ text }) => [text, 2]));
        expect(await group.ack(first, deliveries)).toBe(1_000);
        expect(await group.figures(first)).toMatchObject({ inFlight: 0, waiting: 0, lag: 0 });
      });

      test('2,500 dead letters are redriven by one call', async () => {
        const total = 2_500;
        await openGroup({ maxDeliveries: 1 });
        for (let taken = 0; taken < total; taken += 250) {
          await first.log.append(group.namespace, newEvents(250, { text: JSON.stringify('x'.repeat(4_000)) }));
          const { deliveries } = await group.claim(first);
          expect(await group.nack(first, deliveries)).toBe(250);
        }
        expect(await second.groups.redrive(group.namespace, group.name, null)).toBe(total);
        expect(await group.figures(first)).toMatchObject({ waiting: total, deadLetters: 0 });
        expect(await first.groups.discard(group.namespace, group.name, null)).toBe(0);
      });
    });

    describeWhole('against retention', () => {
      const shortened = (maxEvents: number) =>
        openForTest(open, { ...ROOMY, retention: { ...ROOMY.retention, maxEvents } });

      const removed = (store: BusStore, kept: number) =>
        waitFor(
          async () => {
            await store.applyRetention();
            const range = await rangeOf(store.log, group.namespace);
            return range.head.seq - range.horizon.seq <= kept ? range : null;
          },
          { what: 'retention to be applied' },
        );

      test('retention keeps what a group holds in flight, waiting or dead', async () => {
        const { events } = await withEvents(3, { maxDeliveries: 2 });
        const { deliveries } = await group.claim(first);
        await group.nack(first, deliveries.slice(1));
        await group.nack(first, (await group.claim(first)).deliveries.slice(0, 1), { delayMs: 0, reason: 'dead' });
        const small = await shortened(2);
        await small.first.log.append(group.namespace, newEvents(20));
        const { horizon } = await removed(small.first, 2);
        expect(horizon.seq).toBeGreaterThan(10);
        const letters = await group.deadLetters(second);
        expect(letters).toHaveLength(1);
        expect(events.map(({ text }) => text)).toContain(letters[0]?.text);
        expect(await first.groups.redrive(group.namespace, group.name, null)).toBe(1);
        const due = await group.claim(second, { offer: null });
        expect(due.deliveries).toMatchObject([{ position: letters[0]?.position, text: letters[0]?.text }]);
        expect(await group.ack(first, deliveries)).toBe(3);
      });

      test('a group that retention overtook is notified once, with the number lost', async () => {
        const { positions } = await withEvents(5);
        await group.claim(first, { max: 2 });
        const small = await shortened(3);
        await small.first.log.append(group.namespace, newEvents(10));
        const { horizon } = await removed(small.second, 3);
        const overtaken = await group.claim(second, { offer: null });
        expect(overtaken.gap).toEqual({ lost: horizon.seq - at(positions, 1).seq, reason: 'retention' });
        expect(overtaken).toMatchObject({ deliveries: [], cursor: horizon });
        const { deliveries, gap } = await group.claim(first);
        expect(gap).toBeNull();
        expect(deliveries.map(({ position }) => position.seq)).toEqual([
          horizon.seq + 1,
          horizon.seq + 2,
          horizon.seq + 3,
        ]);
      });

      test('a group whose cursor is at the horizon has lost nothing', async () => {
        const { positions } = await withEvents(5);
        await group.claim(first, { max: 3 });
        const small = await shortened(2);
        const { horizon } = await removed(small.first, 2);
        expect(horizon).toEqual(positions[2]);
        const { gap, deliveries } = await group.claim(second);
        expect(gap).toBeNull();
        expect(deliveries).toHaveLength(2);
      });

      test('a group whose log was lost begins with the new log, and keeps what it held', async () => {
        const { events } = await withEvents(4);
        const { deliveries } = await group.claim(first, { max: 2 });
        await stores.loseLog(group.namespace);
        const fresh = newEvents(2);
        await first.log.append(group.namespace, fresh);
        const { horizon } = await rangeOf(second.log, group.namespace);
        const answer = await group.claim(second, { offer: null });
        expect(answer.gap).toEqual({ lost: null, reason: 'log_lost' });
        expect(answer.cursor).toEqual(horizon);
        await group.nack(first, deliveries.slice(0, 1));
        const next = await group.claim(second);
        expect(next.gap).toBeNull();
        expect(next.deliveries.map(({ text }) => text)).toEqual([events[0], ...fresh].map((event) => event?.text));
        expect(await group.ack(first, [...deliveries, ...next.deliveries])).toBe(4);
      });

      test('a group is notified of a lost log before the first append to the new one', async () => {
        await withEvents(2);
        await group.claim(first);
        await stores.loseLog(group.namespace);
        const answer = await group.claim(second, { offer: null });
        expect(answer.gap).toEqual({ lost: null, reason: 'log_lost' });
        expect(answer.cursor).toEqual((await rangeOf(first.log, group.namespace)).head);
      });
    });

    test('groups are listed by name, with their figures', async () => {
      expect(await first.groups.list(group.namespace)).toEqual([]);
      const { positions } = await withEvents(7, { maxDeliveries: 1 });
      const other = { topics: ['a.*', 'b'], ackDeadlineMs: 1_000, maxDeliveries: 9 };
      const late = await second.groups.open(group.namespace, 'Late', other, 'latest');
      await second.groups.open(group.namespace, 'workers-2', SETTINGS, 'earliest');
      await second.groups.open(newNamespace(), 'elsewhere', SETTINGS, 'earliest');
      const { deliveries } = await group.claim(first, { max: 5 });
      await group.nack(first, deliveries.slice(0, 2));
      await first.groups.redrive(group.namespace, group.name, positions.slice(0, 1));
      const idle = { inFlight: 0, waiting: 0, deadLetters: 0 };
      expect(await second.groups.list(group.namespace)).toEqual([
        { group: 'Late', ...other, cursor: late.cursor, lag: 0, ...idle },
        {
          ...SETTINGS,
          group: 'workers',
          maxDeliveries: 1,
          cursor: positions[4],
          lag: 2,
          inFlight: 3,
          waiting: 1,
          deadLetters: 1,
        },
        {
          ...SETTINGS,
          group: 'workers-2',
          cursor: { epoch: at(positions, 0).epoch, seq: 0, nonce: 0 },
          lag: 7,
          ...idle,
        },
      ]);
    });

    test('any order of calls leaves the state that the model predicts', { timeout: 60_000 }, async () => {
      await fc.assert(
        fc.asyncProperty(GroupModel.steps, (steps) => GroupModel.run([first, second], steps)),
        { numRuns: 25, plugins: [fc.interruptAfterTimeLimit(30_000)], endOnFailure: true },
      );
    });
  });
}
