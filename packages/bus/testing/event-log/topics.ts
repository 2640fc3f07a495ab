// The topics of a log. Part of the contract of the EventLog port.
import { beforeAll, expect, test } from 'vitest';
import { waitFor } from '@hypercode/testkit';
import { newEvent, newEvents, newNamespace, openForTest, ROOMY } from '../bus-store.ts';
import type { EventLog } from '../../src/store/event-log.ts';
import type { LogSuite } from './log-suite.ts';

export function topicsSuite({ replicas, open, describeWhole }: LogSuite): void {
  let first: EventLog;
  let second: EventLog;
  beforeAll(() => {
    first = replicas().first.log;
    second = replicas().second.log;
  });

  describeWhole('topics', () => {
    test('topics are counted and listed in pages by name', async () => {
      const namespace = newNamespace();
      const counts = { 'B.x': 1, 'a.b': 3, 'a.b.c': 2, 'a-b': 1, a_b: 1, b: 60 };
      const last = new Map<string, unknown>();
      for (const [topic, count] of Object.entries(counts)) {
        const appended = await first.append(namespace, newEvents(count, { topic }));
        last.set(topic, appended.at(-1)?.position);
      }
      const inOrder = Object.keys(counts).toSorted((a, b) => (a < b ? -1 : 1));
      const all = await second.topics(namespace, { after: null, limit: 100 });
      expect(all.map(({ topic, count }) => ({ topic, count }))).toEqual(
        Object.entries(counts)
          .map(([topic, count]) => ({ topic, count }))
          .toSorted((a, b) => (a.topic < b.topic ? -1 : 1)),
      );
      for (const { topic, perSecond, last: position } of all) {
        expect(position).toEqual(last.get(topic));
        expect(perSecond).toBeGreaterThan(0);
      }
      const busiest = all.find(({ topic }) => topic === 'b')?.perSecond;
      expect(busiest).toBeGreaterThan(0.5);
      expect(busiest).toBeLessThan(1.1);

      const paged: string[] = [];
      for (;;) {
        const page = await first.topics(namespace, { after: paged.at(-1) ?? null, limit: 4 });
        if (page.length === 0) break;
        expect(page.length).toBeLessThanOrEqual(4);
        paged.push(...page.map(({ topic }) => topic));
      }
      expect(paged).toEqual(inOrder);
      expect((await first.topics(namespace, { after: 'a.b', limit: 1 })).map(({ topic }) => topic)).toEqual(['a.b.c']);
    });

    test('duplicates are not counted in topics', async () => {
      const namespace = newNamespace();
      const event = newEvent();
      const [appended] = await first.append(namespace, [event, event]);
      await second.append(namespace, [event, { ...event, topic: 'never.used' }]);
      expect(await first.topics(namespace, { after: null, limit: 10 })).toMatchObject([
        { topic: event.topic, count: 1, last: appended?.position },
      ]);
    });

    test('a topic is removed with its last event, and counted from 0 when it is used again', async () => {
      const pair = await openForTest(open, { ...ROOMY, retention: { ...ROOMY.retention, maxEvents: 5 } });
      const namespace = newNamespace();
      await pair.first.log.append(namespace, newEvents(3, { topic: 'old' }));
      for (let call = 0; call < 20; call++) await pair.second.log.append(namespace, [newEvent({ topic: 'new' })]);
      await waitFor(
        async () => {
          await pair.second.applyRetention();
          const topics = await pair.first.log.topics(namespace, { after: null, limit: 10 });
          expect(topics.find(({ topic }) => topic === 'new')?.count).toBe(20);
          return topics.length === 1;
        },
        { what: 'the old topic to be forgotten' },
      );
      await pair.first.log.append(namespace, [newEvent({ topic: 'old' })]);
      const topics = await pair.second.log.topics(namespace, { after: 'new', limit: 10 });
      expect(topics).toMatchObject([{ topic: 'old', count: 1 }]);
    });
  });
}
