// A log before its first event. Part of the contract of the EventLog port.
import { beforeAll, expect, test } from 'vitest';
import { at, newEvent, newNamespace, rangeOf } from '../bus-store.ts';
import type { EventLog } from '../../src/store/event-log.ts';
import { UNBEGUN } from '../../src/store/position.ts';
import type { LogSuite } from './log-suite.ts';

export function beginningSuite({ replicas, describeWhole }: LogSuite): void {
  let first: EventLog;
  let second: EventLog;
  beforeAll(() => {
    first = replicas().first.log;
    second = replicas().second.log;
  });

  describeWhole('a log without events', () => {
    test('a log that has not begun is empty, and begins with its first event', async () => {
      const namespace = newNamespace();
      const { horizon, head } = await rangeOf(first, namespace);
      expect([horizon, head]).toEqual([UNBEGUN, UNBEGUN]);
      expect(await rangeOf(second, namespace)).toEqual({ horizon, head });
      expect(await first.read(namespace, head, 10)).toEqual([]);
      expect(await first.size(namespace)).toEqual({ kept: 0, removed: 0, keptBytes: 0, removedBytes: 0 });
      expect(await first.event(namespace, head)).toEqual({ gap: 'retention', range: { horizon, head } });
      const event = newEvent();
      const [appended] = await second.append(namespace, [event]);
      const { epoch = '' } = appended?.position ?? {};
      expect(epoch).toMatch(/^[0-9a-z]{2,16}$/);
      expect((await rangeOf(first, namespace)).horizon).toEqual({ epoch, seq: 0, nonce: 0 });
      // A reader that came before the log began reads it from its first event.
      expect(await first.read(namespace, head, 10)).toMatchObject([{ position: appended?.position, text: event.text }]);
    });

    test('concurrent first appends give a log one epoch', async () => {
      const namespace = newNamespace();
      const epochs = await Promise.all(
        [first, second, first, second].map(
          async (log) => at(await log.append(namespace, [newEvent()]), 0).position.epoch,
        ),
      );
      expect(new Set(epochs).size).toBe(1);
    });

    test('logs of different namespaces have different epochs', async () => {
      const namespaces = [newNamespace(), newNamespace(), newNamespace()];
      for (const namespace of namespaces) await second.append(namespace, [newEvent()]);
      const ranges = await first.ranges(namespaces);
      expect([...ranges.keys()].toSorted()).toEqual(namespaces.toSorted());
      expect(new Set([...ranges.values()].map(({ head }) => head.epoch)).size).toBe(3);
    });

    test('a log refuses a position of another log', async () => {
      const namespace = newNamespace();
      const answer = await first.read(namespace, { epoch: 'elsewhere', seq: 0, nonce: 0 }, 10);
      expect(answer).toEqual({ gap: 'log_lost', range: await rangeOf(second, namespace) });
    });

    test('a new log has no topics', async () => {
      expect(await first.topics(newNamespace(), { after: null, limit: 10 })).toEqual([]);
    });
  });
}
