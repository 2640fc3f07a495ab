// The order of events, and their positions. Part of the contract of the EventLog port.
import { beforeAll, describe, expect, test } from 'vitest';
import { allEntries, at, entriesOf, newEvent, newEvents, newNamespace, rangeOf } from '../bus-store.ts';
import type { EventLog } from '../../src/store/event-log.ts';
import { hasAll } from '../../src/store/position.ts';
import type { LogSuite } from './log-suite.ts';

const MAX_NONCE = 2 ** 31 - 1;

export function orderSuite({ replicas }: LogSuite): void {
  let first: EventLog;
  let second: EventLog;
  beforeAll(() => {
    first = replicas().first.log;
    second = replicas().second.log;
  });

  describe('order', () => {
    test('positions count from 1 without a hole, within a call and over calls', async () => {
      const namespace = newNamespace();
      const events = newEvents(25);
      const appended = [
        ...(await first.append(namespace, events.slice(0, 1))),
        ...(await second.append(namespace, events.slice(1, 20))),
        ...(await first.append(namespace, events.slice(20))),
      ];
      expect(appended.map(({ position }) => position.seq)).toEqual(events.map((_, index) => index + 1));
      expect(new Set(appended.map(({ position }) => position.epoch)).size).toBe(1);
      for (const { position, duplicate } of appended) {
        expect(duplicate).toBe(false);
        expect(position.nonce).toBeGreaterThanOrEqual(1);
        expect(position.nonce).toBeLessThanOrEqual(MAX_NONCE);
      }
      const { horizon, head } = await rangeOf(second, namespace);
      expect(head).toEqual(appended.at(-1)?.position);
      expect(await second.read(namespace, horizon, 1_000)).toEqual(
        events.map(({ topic, text }, index) => ({
          position: appended[index]?.position,
          topic,
          text,
          appendedAtMs: appended[index]?.appendedAtMs,
        })),
      );
    });

    test('each event that is added says where the log ended before it', async () => {
      const namespace = newNamespace();
      let { head } = await rangeOf(first, namespace);
      const known = newEvents(2);
      for (const [index, events] of [
        [at(known, 0)],
        known,
        [...newEvents(1), at(known, 0), ...newEvents(2)],
      ].entries()) {
        for (const { position, duplicate, before } of await at([first, second], index % 2).append(namespace, events)) {
          if (before === undefined) expect(duplicate).toBe(true);
          else expect([duplicate, hasAll(head, before)]).toEqual([false, true]);
          if (!duplicate) head = position;
        }
      }
      expect(head).toEqual((await rangeOf(first, namespace)).head);
      expect(head.seq).toBe(5);
    });

    test('each append has a nonce of its own', async () => {
      const namespace = newNamespace();
      const nonces = new Set<number>();
      for (let call = 0; call < 5; call++) {
        nonces.add(at(await first.append(namespace, [newEvent()]), 0).position.nonce);
      }
      expect(nonces.size).toBe(5);
    });

    test('concurrent appends of two replicas do not mix, and a reader meets no hole', async () => {
      const namespace = newNamespace();
      const { head: beginning } = await rangeOf(first, namespace);
      const batches = Array.from({ length: 40 }, (_, index) => newEvents((index % 7) + 1));
      const total = batches.flat().length;

      const reader = async () => {
        const seen: string[] = [];
        let cursor = beginning;
        while (seen.length < total) {
          for (const { position, text } of await entriesOf(first, namespace, cursor, 11)) {
            expect(position.seq).toBe(cursor.seq + 1);
            cursor = position;
            seen.push(text);
          }
        }
        return seen;
      };
      const [seen, ...answers] = await Promise.all([
        reader(),
        ...batches.map((batch, index) => [first, second][index % 2]?.append(namespace, batch)),
      ]);

      const bySeq = new Map<number, string>();
      for (const [index, batch] of batches.entries()) {
        const seqs = answers[index]?.map(({ position }) => position.seq) ?? [];
        expect(seqs).toEqual(batch.map((_, offset) => at(seqs, 0) + offset));
        for (const [offset, { text }] of batch.entries()) bySeq.set(at(seqs, offset), text);
      }
      expect(seen).toEqual(Array.from({ length: total }, (_, index) => bySeq.get(index + 1)));
    });

    test('each namespace has a log of its own', async () => {
      const [one, other] = [newNamespace(), newNamespace()];
      const event = newEvent();
      await first.append(one, [event, newEvent({ topic: 'only.here' })]);
      const [answer] = await first.append(other, [event]);
      expect(answer).toMatchObject({ duplicate: false, position: { seq: 1 } });
      const { horizon, head } = await rangeOf(first, other);
      expect(await allEntries(first, other, horizon)).toHaveLength(1);
      expect((await first.topics(other, { after: null, limit: 10 })).map(({ topic }) => topic)).toEqual([event.topic]);
      expect(await first.read(one, head, 10)).toMatchObject({ gap: 'log_lost' });
    });
  });
}
