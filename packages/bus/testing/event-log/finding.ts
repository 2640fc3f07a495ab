// Reading back from the newest event, times of appending, and the index of ids. Part of the contract of the EventLog port.
import { randomUUID } from 'node:crypto';
import { beforeAll, expect, test } from 'vitest';
import { waitFor } from '@hypercode/testkit';
import {
  allEntries,
  at,
  entriesOf,
  newEvent,
  newEventOf,
  newEvents,
  newNamespace,
  openForTest,
  rangeOf,
  type Replicas,
  ROOMY,
} from '../bus-store.ts';
import { type EventLog, type LogEntry, oldestOf } from '../../src/store/event-log.ts';
import type { LogPosition } from '../../src/store/position.ts';
import type { LogSuite } from './log-suite.ts';

const MIB = 1024 * 1024;

/** What the index has of an id, newest first, in pages of `limit`; and where what it does not have begins. */
async function hitsOf(log: EventLog, namespace: string, id: string, limit = 100) {
  const entries: LogEntry[] = [];
  let before: number | null = null;
  for (;;) {
    const hits = await log.find(namespace, id, { before, limit });
    expect(hits.entries.length).toBeLessThanOrEqual(limit);
    entries.push(...hits.entries);
    if (hits.next === null) return { entries, unindexed: hits.unindexed };
    before = hits.next;
  }
}

/** The log back from a position, in pages of `limit`. */
async function backFrom(log: EventLog, namespace: string, upTo: LogPosition | null, limit = 100): Promise<LogEntry[]> {
  const entries: LogEntry[] = [];
  for (let from = upTo; ;) {
    const read = await log.readBack(namespace, from, limit);
    if ('gap' in read) throw new Error(`readBack() met a gap: ${read.gap}`);
    const isRepeated = entries.length > 0 && entries.at(-1)?.position.seq === read.entries[0]?.position.seq;
    entries.push(...read.entries.slice(isRepeated ? 1 : 0));
    if (read.end) return entries;
    from = read.entries.at(-1)?.position ?? from;
  }
}

const small = (maxEvents: number) => ({ ...ROOMY, retention: { ...ROOMY.retention, maxEvents } });

const eventOf = (source: string, id: string = randomUUID()) =>
  newEvent({ id, source, text: JSON.stringify({ id, namespace: 'default', source, topic: 'a', data: null }) });

export function findingSuite({ replicas, open, describeWhole }: LogSuite): void {
  let stores: Replicas;
  let first: EventLog;
  let second: EventLog;
  beforeAll(() => {
    stores = replicas();
    first = stores.first.log;
    second = stores.second.log;
  });

  test('the log is read back from its head and from any event, in pages of any size', async () => {
    const namespace = newNamespace();
    expect(await first.readBack(namespace, null, 10)).toEqual({ entries: [], end: true });
    const { head: unbegun } = await rangeOf(first, namespace);
    for (let call = 0; call < 12; call += 1) await first.append(namespace, newEvents(10));
    const forward = await allEntries(second, namespace, oldestOf(await rangeOf(second, namespace)));
    for (const limit of [2, 7, 50, 119, 120, 121]) {
      expect(await backFrom(second, namespace, null, limit)).toEqual(forward.toReversed());
    }
    expect(await backFrom(second, namespace, at(forward, 70).position)).toEqual(forward.slice(0, 71).toReversed());
    expect(await first.readBack(namespace, unbegun, 10)).toEqual({ entries: [], end: true });
  });

  test('an event is found by its id on either replica, and one that repeats it is not another one', async () => {
    const namespace = newNamespace();
    const events = newEvents(20);
    const appended = await first.append(namespace, [...events, at(events, 3)]);
    await second.append(namespace, [at(events, 5), ...newEvents(5)]);
    for (const [index, { id, topic, text }] of events.entries()) {
      const { position, appendedAtMs } = at(appended, index);
      const entries = [{ position, appendedAtMs, topic, text }];
      expect(await hitsOf(second, namespace, id)).toEqual({ entries, unindexed: null });
    }
    expect(await hitsOf(first, namespace, randomUUID())).toEqual({ entries: [], unindexed: null });
    expect(await hitsOf(first, newNamespace(), at(events, 0).id)).toEqual({ entries: [], unindexed: null });
  });

  describeWhole('reading back', () => {
    test('events of 256 KiB are read back in pages of about 1 MiB', async () => {
      const namespace = newNamespace();
      for (let call = 0; call < 3; call += 1) {
        await first.append(
          namespace,
          Array.from({ length: 4 }, () => newEventOf(MIB / 4)),
        );
      }
      const read = await second.readBack(namespace, null, 100);
      expect(read).toMatchObject({ end: false });
      expect('entries' in read ? read.entries.length : 0).toBeLessThanOrEqual(5);
      const forward = await allEntries(second, namespace, oldestOf(await rangeOf(second, namespace)));
      expect(await backFrom(second, namespace, null)).toEqual(forward.toReversed());
    });

    test('a position that the log never assigned is reported as lost', async () => {
      const namespace = newNamespace();
      const position = at(await first.append(namespace, newEvents(3)), 1).position;
      const wrong = [
        { ...position, epoch: 'elsewhere' },
        { ...position, seq: 4 },
        { ...position, nonce: position.nonce === 1 ? 2 : 1 },
      ];
      for (const upTo of wrong) expect(await second.readBack(namespace, upTo, 5)).toMatchObject({ gap: 'log_lost' });
      await stores.loseLog(namespace);
      expect(await second.readBack(namespace, position, 5)).toMatchObject({ gap: 'log_lost' });
    });

    test('what retention removed is left out, from a removed position, too', async () => {
      const pair = await openForTest(open, small(10));
      const namespace = newNamespace();
      const removed = at(await pair.first.log.append(namespace, newEvents(5)), 2).position;
      for (let call = 0; call < 30; call += 1) await pair.first.log.append(namespace, newEvents(1));
      await pair.second.applyRetention();
      const { horizon } = await rangeOf(pair.second.log, namespace);
      const kept = await entriesOf(pair.first.log, namespace, horizon);
      expect(await backFrom(pair.first.log, namespace, null)).toEqual(kept.toReversed());
      for (const upTo of [removed, horizon]) {
        expect(await pair.second.log.readBack(namespace, upTo, 5)).toEqual({ entries: [], end: true });
      }
    });
  });

  describeWhole('times of appending', () => {
    test('each event has the time of its append, which never goes back', async () => {
      const namespace = newNamespace();
      const begunMs = await stores.time.nowMs();
      const appended = [];
      for (let call = 0; call < 4; call += 1) {
        appended.push(...(await (call % 2 === 0 ? first : second).append(namespace, newEvents(3))));
        await stores.time.pass(5);
      }
      const times = appended.map(({ appendedAtMs }) => appendedAtMs ?? 0);
      expect(times[0]).toBeGreaterThanOrEqual(begunMs - 1);
      expect(times.at(-1)).toBeLessThanOrEqual(await stores.time.nowMs());
      expect(times).toEqual(times.toSorted((a, b) => a - b));
      expect(new Set(times).size).toBe(4);
      const entries = await entriesOf(second, namespace, oldestOf(await rangeOf(first, namespace)));
      expect(entries.map(({ appendedAtMs }) => appendedAtMs)).toEqual(times);
      const { position } = at(appended, 7);
      expect(await first.event(namespace, position)).toMatchObject({ appendedAtMs: times[7] });
      for (const ms of times) {
        expect(await first.positionBefore(namespace, ms, 'before')).toEqual(await first.positionBefore(namespace, ms));
      }
    });
  });

  describeWhole('the index of ids', () => {
    test('events of several sources with one id are found newest first, in pages', async () => {
      const namespace = newNamespace();
      const id = randomUUID();
      const same = Array.from({ length: 7 }, (_, source) => eventOf(`/agents/default/worker-${source}`, id));
      for (const event of same) await first.append(namespace, [event, ...newEvents(2)]);
      for (const limit of [1, 3, 7, 100]) {
        const { entries } = await hitsOf(second, namespace, id, limit);
        expect(entries.map(({ text }) => text)).toEqual(same.map(({ text }) => text).toReversed());
      }
    });

    test('events that come to more than 1 MiB are found in pages', async () => {
      const namespace = newNamespace();
      const id = randomUUID();
      const text = JSON.stringify({ id, data: 'x'.repeat(MIB / 4) });
      for (let source = 0; source < 9; source += 1) {
        await first.append(namespace, [newEvent({ id, source: `/agents/default/w-${source}`, text })]);
      }
      const { entries, next } = await second.find(namespace, id, { before: null, limit: 100 });
      expect(entries.length).toBeLessThan(7);
      expect(next).not.toBeNull();
      expect((await hitsOf(second, namespace, id)).entries).toHaveLength(9);
    });

    test('among thousands of events, each is found', { timeout: 60_000 }, async () => {
      const namespace = newNamespace();
      const ids = new Map<string, number>();
      for (const count of [1_000, 999, 1_000, 97, 1_000, 1, 1_000, 1_000, 1_000, 1_000, 1_000]) {
        const events = newEvents(count);
        const appended = await first.append(namespace, events);
        for (const index of [0, Math.floor(count / 2), count - 1]) {
          ids.set(at(events, index).id, at(appended, index).position.seq);
        }
      }
      for (const [id, seq] of ids) {
        const { entries, unindexed } = await hitsOf(second, namespace, id);
        expect(entries.map(({ position }) => position.seq)).toEqual([seq]);
        expect(unindexed).toBeNull();
      }
    });

    test('an event that retention removed is not found, and those that it keeps are', async () => {
      const pair = await openForTest(open, small(100));
      const namespace = newNamespace();
      const events = newEvents(9_000);
      for (let from = 0; from < events.length; from += 500) {
        await pair.first.log.append(namespace, events.slice(from, from + 500));
      }
      const kept = await waitFor(
        async () => {
          await pair.second.applyRetention();
          const { horizon, head } = await rangeOf(pair.first.log, namespace);
          return head.seq - horizon.seq <= 100 ? head.seq - horizon.seq : null;
        },
        { what: 'retention to be applied', intervalMs: 5 },
      );
      for (const index of [0, 4_095, 4_096, 8_191, 9_000 - kept - 1]) {
        expect(await hitsOf(pair.second.log, namespace, at(events, index).id)).toEqual({
          entries: [],
          unindexed: null,
        });
      }
      for (const index of [9_000 - kept, 8_999]) {
        const { entries } = await hitsOf(pair.second.log, namespace, at(events, index).id);
        expect(entries).toMatchObject([{ position: { seq: index + 1 } }]);
      }
    });

    test('an event that retention spared is found, back from any event, too, until it is removed', async () => {
      const pair = await openForTest(open, small(200));
      const { log } = pair.first;
      const namespace = newNamespace();
      const id = randomUUID();
      const goals = [eventOf('/operators/a', id), eventOf('/operators/b', id), eventOf('/operators/a')];
      await log.append(namespace, goals);
      const flood = async (source: string, count: number) => {
        for (let from = 0; from < count; from += 10) {
          await log.append(
            namespace,
            Array.from({ length: 10 }, () => eventOf(source)),
          );
        }
        await pair.second.applyRetention();
      };
      await flood('/agents/default/worker', 9_000);
      expect((await rangeOf(log, namespace)).oldest).toBeDefined();
      const found = await hitsOf(pair.second.log, namespace, id);
      expect(found.entries.map(({ text }) => text)).toEqual([at(goals, 1).text, at(goals, 0).text]);
      expect(found.unindexed).toBeNull();
      const [newest] = (await hitsOf(log, namespace, id, 1)).entries;
      expect(newest?.text).toBe(at(goals, 1).text);
      const back = await backFrom(log, namespace, null, 37);
      expect(back.slice(-3).map(({ text }) => text)).toEqual(goals.map(({ text }) => text).toReversed());
      expect(back.length).toBeLessThanOrEqual(200);

      // Of many sources none is heavy, so the oldest events go first.
      for (let source = 0; source < 30; source += 1) await flood(`/agents/default/other-${source}`, 40);
      await waitFor(
        async () => {
          await pair.second.applyRetention();
          return (await hitsOf(log, namespace, id)).entries.length === 0;
        },
        { what: 'the spared events to be removed', intervalMs: 5 },
      );
    });

    test('a log that was lost has an index of its new events alone', async () => {
      const namespace = newNamespace();
      const events = newEvents(3);
      await first.append(namespace, events);
      await stores.loseLog(namespace);
      expect((await hitsOf(second, namespace, at(events, 1).id)).entries).toEqual([]);
      const later = newEvents(2);
      await second.append(namespace, later);
      expect((await hitsOf(first, namespace, at(events, 1).id)).entries).toEqual([]);
      expect(await hitsOf(first, namespace, at(later, 1).id)).toMatchObject({
        entries: [{ position: { seq: 2 } }],
        unindexed: null,
      });
    });

    test('events that were appended without it are left to a search of the log', async () => {
      const without = await openForTest(open, { ...ROOMY, eventIndex: false });
      const namespace = newNamespace();
      const [old, middle, young] = [newEvents(5), newEvents(5), newEvents(5)];
      const oldHead = at(await without.first.log.append(namespace, old), -1).position;
      expect(await hitsOf(second, namespace, at(old, 0).id)).toEqual({ entries: [], unindexed: oldHead });

      await first.append(namespace, middle);
      expect(await hitsOf(second, namespace, at(old, 0).id)).toEqual({ entries: [], unindexed: oldHead });
      expect(await hitsOf(without.second.log, namespace, at(middle, 0).id)).toMatchObject({
        entries: [{ position: { seq: 6 } }],
        unindexed: oldHead,
      });

      const head = at(await without.second.log.append(namespace, young), -1).position;
      expect(await hitsOf(second, namespace, at(middle, 0).id)).toEqual({ entries: [], unindexed: head });
      await second.append(namespace, newEvents(1));
      expect(await hitsOf(first, namespace, at(middle, 0).id)).toEqual({ entries: [], unindexed: head });
    });
  });
}
