// What retention removes, and when. Part of the contract of the EventLog port.
import { beforeAll, expect, test } from 'vitest';
import { waitFor } from '@hypercode/testkit';
import {
  allEntries,
  at,
  entriesOf,
  newEvent,
  newEvents,
  newNamespace,
  openForTest,
  rangeOf,
  ROOMY,
} from '../bus-store.ts';
import type { BusStore } from '../../src/store/bus-store.ts';
import type { EventLog } from '../../src/store/event-log.ts';
import { UNBEGUN } from '../../src/store/position.ts';
import { fairRetentionConformance } from '../fair-retention.ts';
import type { LogSuite } from './log-suite.ts';

const MAX_NONCE = 2 ** 31 - 1;

export function retentionSuite({ replicas, open, describeWhole }: LogSuite): void {
  let first: EventLog;
  beforeAll(() => {
    first = replicas().first.log;
  });

  describeWhole('retention', () => {
    /** Applies retention until the log's horizon is where `wanted` demands. */
    const settled = async (store: BusStore, namespace: string, wanted: (kept: number) => boolean) =>
      waitFor(
        async () => {
          await store.applyRetention();
          const { horizon, head } = await rangeOf(store.log, namespace);
          return wanted(head.seq - horizon.seq) ? { horizon, head } : null;
        },
        { what: 'retention to be applied', intervalMs: 5 },
      );

    test('retention by count applies during appends and in one call', async () => {
      const pair = await openForTest(open, { ...ROOMY, retention: { ...ROOMY.retention, maxEvents: 10 } });
      const namespace = newNamespace();
      const events = newEvents(60);
      const positions = [];
      for (const event of events.slice(0, 25)) {
        positions.push(...(await pair.first.log.append(namespace, [event])).map(({ position }) => position));
      }
      for (const batch of [events.slice(25, 50), events.slice(50)]) {
        positions.push(...(await pair.second.log.append(namespace, batch)).map(({ position }) => position));
      }
      const { horizon, head } = await settled(pair.second, namespace, (kept) => kept <= 10);
      expect(head).toEqual(positions.at(-1));
      expect(head.seq - horizon.seq).toBeGreaterThanOrEqual(8);
      expect(horizon).toEqual(positions[horizon.seq - 1]);
      const kept = events.slice(horizon.seq);
      expect((await allEntries(pair.first.log, namespace, horizon)).map(({ text }) => text)).toEqual(
        kept.map(({ text }) => text),
      );

      const range = { horizon, head };
      const beginning = { epoch: head.epoch, seq: 0, nonce: 0 };
      for (const position of [UNBEGUN, beginning, at(positions, 0), at(positions, horizon.seq - 2)]) {
        expect(await pair.first.log.read(namespace, position, 10)).toEqual({ gap: 'retention', range });
      }
      const wrong = { ...horizon, nonce: horizon.nonce === MAX_NONCE ? 1 : horizon.nonce + 1 };
      expect(await pair.first.log.read(namespace, wrong, 10)).toEqual({ gap: 'log_lost', range });

      // What was removed is still known for a duplicate, at its own place.
      const again = await pair.second.log.append(namespace, [at(events, 0), at(events, 30), at(events, -1)]);
      expect(again).toEqual([
        { position: positions[0], duplicate: true },
        { position: positions[30], duplicate: true },
        { position: positions.at(-1), duplicate: true },
      ]);
      expect(await rangeOf(pair.first.log, namespace)).toEqual(range);
    });

    test('retention by count shortens a log that is far too long', async () => {
      const namespace = newNamespace();
      const { head } = await rangeOf(first, namespace);
      for (let call = 0; call < 3; call++) await first.append(namespace, newEvents(1_000));
      expect(await allEntries(first, namespace, head)).toHaveLength(3_000);
      const pair = await openForTest(open, { ...ROOMY, retention: { ...ROOMY.retention, maxEvents: 100 } });
      const range = await settled(pair.first, namespace, (kept) => kept <= 100);
      expect(range.head.seq - range.horizon.seq).toBeGreaterThanOrEqual(80);
      expect(await allEntries(pair.second.log, namespace, range.horizon)).toHaveLength(
        range.head.seq - range.horizon.seq,
      );
    });

    test('retention by bytes counts UTF-8 bytes', async () => {
      const maxBytes = 100_000;
      const pair = await openForTest(open, { ...ROOMY, retention: { ...ROOMY.retention, maxBytes } });
      const namespace = newNamespace();
      // Three bytes a character.
      const text = JSON.stringify({ snow: '☃'.repeat(330) });
      const bytes = Buffer.byteLength(text);
      for (let call = 0; call < 25; call++) await pair.first.log.append(namespace, newEvents(10, { text }));
      const { horizon, head } = await settled(pair.second, namespace, (kept) => kept * bytes <= maxBytes);
      expect((head.seq - horizon.seq) * bytes).toBeGreaterThanOrEqual(maxBytes * 0.9);
      const [kept, removed] = [head.seq - horizon.seq, horizon.seq];
      const sizes = { kept, removed, keptBytes: kept * bytes, removedBytes: removed * bytes };
      expect(await pair.first.log.size(namespace)).toEqual(sizes);
      expect(await allEntries(pair.first.log, namespace, horizon)).toHaveLength(head.seq - horizon.seq);
    });

    test('retention by age leaves an empty log whose positions go on', async () => {
      const maxAgeMs = 300;
      const pair = await openForTest(open, { ...ROOMY, retention: { ...ROOMY.retention, maxAgeMs } });
      const namespace = newNamespace();
      const begunAtMs = await pair.time.nowMs();
      const events = newEvents(3);
      const appended = await pair.first.log.append(namespace, events);
      await pair.second.applyRetention();
      const { kept } = await pair.second.log.size(namespace);
      if ((await pair.time.nowMs()) - begunAtMs < maxAgeMs) expect(kept).toBe(3);
      await pair.time.pass(maxAgeMs + 1);
      const { horizon, head } = await settled(pair.second, namespace, (left) => left === 0);
      expect(head).toEqual(appended.at(-1)?.position);
      expect(horizon).toEqual(head);
      const removedBytes = events.reduce((sum, { text }) => sum + text.length, 0);
      expect(await pair.first.log.size(namespace)).toEqual({ kept: 0, removed: 3, keptBytes: 0, removedBytes });
      expect(await pair.first.log.read(namespace, head, 10)).toEqual([]);
      expect(await pair.first.log.read(namespace, at(appended, 0).position, 10)).toEqual({
        gap: 'retention',
        range: { horizon, head },
      });
      expect(await pair.first.log.append(namespace, [at(events, 1)])).toEqual([
        { position: appended[1]?.position, duplicate: true },
      ]);
      const [next] = await pair.second.log.append(namespace, [newEvent()]);
      expect(next?.position).toMatchObject({ epoch: head.epoch, seq: 4 });
      expect(await entriesOf(pair.first.log, namespace, head)).toMatchObject([{ position: next?.position }]);
    });

    test('retention by age applies during appends', async () => {
      const pair = await openForTest(open, { ...ROOMY, retention: { ...ROOMY.retention, maxAgeMs: 200 } });
      const namespace = newNamespace();
      await pair.first.log.append(namespace, newEvents(3));
      await pair.time.pass(201);
      await waitFor(
        async () => {
          await pair.second.log.append(namespace, [newEvent()]);
          return (await rangeOf(pair.first.log, namespace)).horizon.seq >= 3;
        },
        { what: 'an append to remove the aged', intervalMs: 5 },
      );
    });

    fairRetentionConformance(open);

    test('retention that both replicas apply at once removes nothing twice', async () => {
      const pair = await openForTest(open, { ...ROOMY, retention: { ...ROOMY.retention, maxEvents: 50 } });
      const namespace = newNamespace();
      await Promise.all([
        ...Array.from({ length: 20 }, () => pair.first.log.append(namespace, newEvents(20))),
        ...Array.from({ length: 5 }, () => pair.first.applyRetention()),
        ...Array.from({ length: 5 }, () => pair.second.applyRetention()),
      ]);
      const { horizon, head } = await settled(pair.first, namespace, (kept) => kept <= 50);
      expect(head.seq).toBe(400);
      expect(await allEntries(pair.second.log, namespace, horizon)).toHaveLength(400 - horizon.seq);
    });
  });
}
