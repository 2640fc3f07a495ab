// An event that is published again is one event. Part of the contract of the EventLog port.
import { randomUUID } from 'node:crypto';
import { beforeAll, describe, expect, test } from 'vitest';
import { waitFor } from '@hypercode/testkit';
import {
  allEntries,
  at,
  closeStores,
  newEvent,
  newEvents,
  newNamespace,
  openForTest,
  rangeOf,
  ROOMY,
} from '../bus-store.ts';
import type { Appended, EventLog } from '../../src/store/event-log.ts';
import type { LogSuite } from './log-suite.ts';

export function deduplicationSuite({ replicas, open, describeWhole }: LogSuite): void {
  let first: EventLog;
  let second: EventLog;
  beforeAll(() => {
    first = replicas().first.log;
    second = replicas().second.log;
  });

  describe('deduplication', () => {
    test('an id is a duplicate on either replica, also with another text and topic', async () => {
      const namespace = newNamespace();
      const event = newEvent();
      const [original] = await first.append(namespace, [event]);
      const answers = [
        ...(await first.append(namespace, [event])),
        ...(await second.append(namespace, [{ ...event, topic: 'other', text: '{"other":true}' }])),
      ];
      expect(answers).toEqual([1, 2].map(() => ({ position: original?.position, duplicate: true })));
      const { horizon, head } = await rangeOf(first, namespace);
      expect(head).toEqual(original?.position);
      expect(await allEntries(first, namespace, horizon)).toMatchObject([{ topic: event.topic, text: event.text }]);
    });

    test('an id is a duplicate within one call, among new events', async () => {
      const namespace = newNamespace();
      const [old, a, b, c] = [newEvent(), newEvent(), newEvent(), newEvent()];
      await first.append(namespace, [old]);
      const answers = await second.append(namespace, [a, b, a, old, c, b, a]);
      expect(answers.map(({ position, duplicate }) => [position.seq, duplicate])).toEqual([
        [2, false],
        [3, false],
        [2, true],
        [1, true],
        [4, false],
        [3, true],
        [2, true],
      ]);
      const { horizon } = await rangeOf(first, namespace);
      expect((await allEntries(first, namespace, horizon)).map(({ text }) => text)).toEqual(
        [old, a, b, c].map(({ text }) => text),
      );
      expect(answers[2]?.position).toEqual(answers[0]?.position);
    });

    test('equal ids of different sources are different events', async () => {
      const namespace = newNamespace();
      const id = randomUUID();
      const sources = ['/agents/a/b', '/agents/a/b ', '/agents/A/b', `/agents/a/'"\\{},🐝`, id, '/core'];
      const events = sources.map((source) => newEvent({ id, source }));
      expect((await first.append(namespace, events)).map(({ duplicate }) => duplicate)).toEqual(
        sources.map(() => false),
      );
      expect(
        (await second.append(namespace, events)).map(({ position, duplicate }) => [position.seq, duplicate]),
      ).toEqual(sources.map((_, index) => [index + 1, true]));
    });

    test('of concurrent appends of one event, one is the first', async () => {
      const namespace = newNamespace();
      const event = newEvent();
      const answers = await Promise.all(
        Array.from({ length: 20 }, async (_, index) =>
          at((await [first, second][index % 2]?.append(namespace, [newEvent(), event])) ?? [], 1),
        ),
      );
      expect(answers.filter(({ duplicate }) => !duplicate)).toHaveLength(1);
      expect(new Set(answers.map(({ position }) => position.seq)).size).toBe(1);
    });

    test('deduplication ends with its window, which duplicates do not prolong', async () => {
      const windowMs = 400;
      const pair = await openForTest(open, { ...ROOMY, dedupWindowMs: windowMs });
      const namespace = newNamespace();
      const event = newEvent();
      const { time } = pair;
      const begunAtMs = await time.nowMs();
      const [original] = await pair.first.log.append(namespace, [event]);
      const doneAtMs = await time.nowMs();
      const duplicates: { sentAtMs: number; answer: unknown }[] = [];
      let again: Appended | null = null;
      while (again === null) {
        const store = duplicates.length % 2 === 0 ? pair.second : pair.first;
        const sentAtMs = await time.nowMs();
        const answer = at(await store.log.append(namespace, [event]), 0);
        if (answer.duplicate) {
          duplicates.push({ sentAtMs, answer });
          await store.applyRetention();
          await time.pass(windowMs / 8);
        } else {
          again = answer;
        }
      }
      // It has a window of its own.
      const { position } = again;
      expect(await pair.first.log.append(namespace, [event])).toEqual([{ position, duplicate: true }]);
      expect(position.seq).toBe(2);
      expect((await time.nowMs()) - begunAtMs).toBeGreaterThanOrEqual(windowMs);
      expect(duplicates.length).toBeGreaterThan(0);
      for (const { sentAtMs, answer } of duplicates) {
        expect(answer).toEqual({ position: original?.position, duplicate: true });
        expect(sentAtMs).toBeLessThanOrEqual(doneAtMs + windowMs);
      }
    });
  });

  describeWhole('settings that change', () => {
    test('a shortened window of deduplication keeps what is within it', async () => {
      const dedupWindowMs = 1_000;
      const long = await openForTest(open, ROOMY);
      const short = await openForTest(open, { ...ROOMY, dedupWindowMs });
      const namespace = newNamespace();
      await long.first.log.append(namespace, [newEvent()]);
      // A driver may drop its records in groups by age: the first group is now older than the short window by a quarter.
      await short.time.pass(dedupWindowMs * 1.25);
      const event = newEvent();
      const appendedAtMs = await short.time.nowMs();
      const [appended] = await long.first.log.append(namespace, [event]);
      await short.second.applyRetention();
      const [again] = await short.second.log.append(namespace, [event]);
      const isWithin = (await short.time.nowMs()) - appendedAtMs < dedupWindowMs;
      if (isWithin) expect(again).toEqual({ position: appended?.position, duplicate: true });
    });

    test('retention reaches the logs that no replica has used since it started', async () => {
      const writer = await open(ROOMY);
      const namespace = newNamespace();
      await writer.first.log.append(namespace, newEvents(5));
      await writer.first.applyRetention();
      await closeStores(writer);
      const later = await openForTest(open, { ...ROOMY, retention: { ...ROOMY.retention, maxEvents: 2 } });
      await waitFor(
        async () => {
          await later.first.applyRetention();
          return (await second.size(namespace)).kept <= 2;
        },
        { what: 'the log to be cut', intervalMs: 5 },
      );
    });
  });
}
