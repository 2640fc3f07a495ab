// The contract of the GroupStore port: dead letters, large numbers, and what retention leaves.
import { beforeEach, expect, test } from 'vitest';
import { waitFor } from '@hypercode/testkit';
import { at, type Replicas, newEventOf, newEvents, openForTest, rangeOf, ROOMY } from './bus-store.ts';
import { type GroupSuite, type GroupUnderTest, HOUR_MS, MIB } from './group-under-test.ts';
import type { BusStore } from '../src/store/bus-store.ts';
import type { StoredDeadLetter } from '../src/store/group-store.ts';

/** Part of `groupStoreConformance`. */
export function groupDeadLetters(suite: GroupSuite): void {
  const { describeWhole } = suite;
  let stores: Replicas;
  let first: BusStore;
  let second: BusStore;
  let group: GroupUnderTest;

  beforeEach(() => {
    ({ stores, first, second, group } = suite.current());
  });

  describeWhole('dead letters', () => {
    test('dead letters are listed in the order of their deaths, in pages', async () => {
      await group.withEvents(5, { maxDeliveries: 1 });
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
      await group.openGroup({ maxDeliveries: 1 });
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
      expect(await first.groups.discard(group.namespace, group.name, null, '/operators/ops')).toBe(40);
    });

    test('a list of dead letters goes on at its cursor although earlier ones were settled', async () => {
      await group.withDeadLetters(5);
      const page = await group.deadLetters(first, { after: null, limit: 2 });
      await group.ack(first, page);
      const next = await group.deadLetters(second, { after: at(page, -1).ordinal, limit: 2 });
      expect(next.map(({ position }) => position.seq)).toEqual([3, 4]);
    });

    test('a redriven dead letter is due at once and starts at attempt 1', async () => {
      const { events, positions } = await group.withDeadLetters(3);
      const chosen = [at(positions, 2), at(positions, 0), at(positions, 0)];
      expect(await group.deadLetters(first)).toHaveLength(3);
      expect(await first.groups.redrive(group.namespace, group.name, chosen)).toBe(2);
      expect(await second.groups.redrive(group.namespace, group.name, chosen)).toBe(0);
      expect(await group.figures(second)).toMatchObject({ waiting: 2, deadLetters: 1 });
      const { deliveries } = await group.claim(second, { consumer: 'bob' });
      const { life } = at(deliveries, 0);
      expect(life).toBeGreaterThan(0);
      expect(deliveries.toSorted((a, b) => a.position.seq - b.position.seq)).toEqual(
        [0, 2].map((index) => ({
          position: positions[index],
          life,
          attempt: 1,
          uncounted: 0,
          dueAt: expect.any(Number),
          text: events[index]?.text,
        })),
      );
      await group.nack(first, deliveries, { delayMs: 0, reason: 'again' });
      const letters = await group.deadLetters(second);
      expect(letters.map(({ position }) => position.seq)[0]).toBe(2);
      expect(letters).toHaveLength(3);
      for (const letter of letters.slice(1)) {
        expect(letter.history).toMatchObject([{ attempt: 1, consumer: 'bob', reason: 'again' }]);
      }
    });

    test('after a redrive, neither a nack nor an acknowledgement of the first life counts for anything', async () => {
      const { deliveries: firstLife } = await group.withDeadLetters(2);
      await first.groups.redrive(group.namespace, group.name, null);
      const { deliveries } = await group.claim(second, { consumer: 'bob' });
      expect(deliveries.map(({ attempt }) => attempt)).toEqual([1, 1]);
      expect(await group.nack(first, firstLife)).toBe(0);
      expect(await group.figures(second)).toMatchObject({ inFlight: 2, deadLetters: 0 });
      expect(await group.ack(first, firstLife)).toBe(0);
      expect(await group.ack(second, deliveries.slice(0, 1))).toBe(1);
      expect(await group.nack(second, deliveries)).toBe(1);
    });

    test('all dead letters are redriven by one call', async () => {
      await group.withDeadLetters(4);
      expect(await first.groups.redrive(group.namespace, group.name, null)).toBe(4);
      expect(await first.groups.redrive(group.namespace, group.name, null)).toBe(0);
      expect(await group.deadLetters(second)).toEqual([]);
      expect((await group.claim(second)).deliveries.map(({ attempt }) => attempt)).toEqual([1, 1, 1, 1]);
    });

    test('dead letters are discarded by position, or all of them', async () => {
      const { positions, deliveries } = await group.withDeadLetters(4);
      const strangers = [
        { ...at(positions, 0), epoch: 'another' },
        { ...at(positions, 0), seq: 99 },
      ];
      expect(await first.groups.discard(group.namespace, group.name, strangers, '/operators/ops')).toBe(0);
      expect(await first.groups.redrive(group.namespace, group.name, strangers)).toBe(0);
      expect(await first.groups.discard(group.namespace, group.name, positions.slice(1, 2), '/operators/ops')).toBe(1);
      expect(await group.ack(first, deliveries.slice(1, 2))).toBe(0);
      expect((await group.deadLetters(second)).map(({ position }) => position.seq)).toEqual([1, 3, 4]);
      expect(await second.groups.discard(group.namespace, group.name, null, '/operators/ops')).toBe(3);
      expect(await group.deadLetters(first)).toEqual([]);
      expect(await group.claim(first)).toMatchObject({ deliveries: [], nextDueMs: null });
    });

    test('an event that is no dead letter is neither redriven nor discarded', async () => {
      const { positions } = await group.withEvents(3);
      const { deliveries } = await group.claim(first, { max: 2 });
      await group.nack(first, deliveries.slice(0, 1), { delayMs: HOUR_MS, reason: null });
      for (const chosen of [positions, null]) {
        expect(await first.groups.redrive(group.namespace, group.name, chosen)).toBe(0);
        expect(await first.groups.discard(group.namespace, group.name, chosen, '/operators/ops')).toBe(0);
      }
      expect(await group.figures(second)).toMatchObject({ inFlight: 1, waiting: 1, deadLetters: 0, lag: 1 });
    });
  });

  describeWhole('in large numbers', () => {
    test('a thousand deliveries are claimed, refused, claimed again and settled', async () => {
      const { events } = await group.withEvents(1_000);
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
      await group.openGroup({ maxDeliveries: 1 });
      for (let taken = 0; taken < total; taken += 250) {
        await first.log.append(group.namespace, newEvents(250, { text: JSON.stringify('x'.repeat(4_000)) }));
        const { deliveries } = await group.claim(first);
        expect(await group.nack(first, deliveries)).toBe(250);
      }
      expect(await second.groups.redrive(group.namespace, group.name, null)).toBe(total);
      expect(await group.figures(first)).toMatchObject({ waiting: total, deadLetters: 0 });
      expect(await first.groups.discard(group.namespace, group.name, null, '/operators/ops')).toBe(0);
    });
  });

  describeWhole('against retention', () => {
    const shortened = (maxEvents: number) =>
      openForTest(suite.open, { ...ROOMY, retention: { ...ROOMY.retention, maxEvents } });

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
      const { events } = await group.withEvents(3, { maxDeliveries: 2 });
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
      const current = [
        ...deliveries.filter(({ position }) => position.seq !== letters[0]?.position.seq),
        ...due.deliveries,
      ];
      expect(await group.ack(first, current)).toBe(3);
    });

    test('a group that retention overtook is notified once, with the number lost', async () => {
      const { positions } = await group.withEvents(5);
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
      const { positions } = await group.withEvents(5);
      await group.claim(first, { max: 3 });
      const small = await shortened(2);
      const { horizon } = await removed(small.first, 2);
      expect(horizon).toEqual(positions[2]);
      const { gap, deliveries } = await group.claim(second);
      expect(gap).toBeNull();
      expect(deliveries).toHaveLength(2);
    });

    test('a group whose log was lost begins with the new log, and keeps what it held', async () => {
      const { events } = await group.withEvents(4);
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
      await group.withEvents(2);
      await group.claim(first);
      await stores.loseLog(group.namespace);
      const answer = await group.claim(second, { offer: null });
      expect(answer.gap).toEqual({ lost: null, reason: 'log_lost' });
      expect(answer.cursor).toEqual((await rangeOf(first.log, group.namespace)).head);
    });
  });
}
