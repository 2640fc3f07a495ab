// Pages, single events, ranges and times. Part of the contract of the EventLog port.
import { beforeAll, expect, test } from 'vitest';
import {
  at,
  entriesOf,
  newEvent,
  newEvents,
  newNamespace,
  openForTest,
  rangeOf,
  type Replicas,
  ROOMY,
} from '../bus-store.ts';
import type { EventLog } from '../../src/store/event-log.ts';
import type { LogSuite } from './log-suite.ts';

const MAX_NONCE = 2 ** 31 - 1;

export function readingSuite({ replicas, open, describeWhole }: LogSuite): void {
  let first: EventLog;
  let second: EventLog;
  let stores: Replicas;
  beforeAll(() => {
    stores = replicas();
    first = replicas().first.log;
    second = replicas().second.log;
  });

  test('several ranges are read in one call, empty and repeated ones included', async () => {
    expect((await first.ranges([])).size).toBe(0);
    const written = newNamespace();
    const [appended] = await first.append(written, [newEvent()]);
    const namespaces = [written, written, ...Array.from({ length: 100 }, newNamespace)];
    const ranges = await second.ranges(namespaces);
    expect(ranges.size).toBe(101);
    expect(ranges.get(written)?.head).toEqual(appended?.position);
  });

  test('one event is read at its position, and not at that of another event or log', async () => {
    const namespace = newNamespace();
    const { horizon } = await rangeOf(first, namespace);
    const events = newEvents(3);
    const appended = await first.append(namespace, events);
    for (const [index, { topic, text }] of events.entries()) {
      const { position, appendedAtMs } = at(appended, index);
      expect(await second.event(namespace, position)).toEqual({ position, appendedAtMs, topic, text });
    }
    const range = await rangeOf(first, namespace);
    const { epoch, seq, nonce } = range.head;
    const others = [
      { epoch, seq, nonce: (nonce % MAX_NONCE) + 1 },
      { epoch, seq: 1, nonce: (nonce % MAX_NONCE) + 1 },
      { epoch, seq: seq + 1, nonce },
      { epoch: 'elsewhere', seq, nonce },
    ];
    for (const other of others) expect(await second.event(namespace, other)).toEqual({ gap: 'log_lost', range });
    expect(await second.event(namespace, horizon)).toEqual({ gap: 'retention', range });
  });

  describeWhole('reading', () => {
    test('pages of any size contain the same events', async () => {
      const namespace = newNamespace();
      const { head: beginning } = await rangeOf(first, namespace);
      await first.append(namespace, newEvents(23));
      const whole = await entriesOf(first, namespace, beginning);
      expect(whole).toHaveLength(23);
      for (const limit of [1, 5, 22, 23, 24]) {
        const pages = [];
        for (let cursor = beginning; ; cursor = at(pages, -1).position) {
          const page = await entriesOf(second, namespace, cursor, limit);
          if (page.length === 0) break;
          expect(page.length).toBeLessThanOrEqual(limit);
          pages.push(...page);
        }
        expect(pages).toEqual(whole);
      }
      for (const { position } of whole) {
        expect(await entriesOf(first, namespace, position)).toEqual(whole.slice(position.seq));
      }
    });

    test('a position that the log never assigned is reported as lost', async () => {
      const namespace = newNamespace();
      const appended = await first.append(namespace, newEvents(3));
      const range = await rangeOf(first, namespace);
      const gap = { gap: 'log_lost', range };
      const { epoch, seq, nonce } = range.head;
      const otherNonce = (real: number) => (real === MAX_NONCE ? 1 : real + 1);
      expect(await first.read(namespace, { epoch: `${epoch.slice(1)}z`.slice(0, 16), seq, nonce }, 10)).toEqual(gap);
      expect(await first.read(namespace, { epoch, seq: seq + 1, nonce }, 10)).toEqual(gap);
      expect(await first.read(namespace, { epoch, seq: 2 ** 52, nonce }, 10)).toEqual(gap);
      expect(await second.read(namespace, { epoch, seq, nonce: otherNonce(nonce) }, 10)).toEqual(gap);
      const middle = at(appended, 1).position;
      expect(await second.read(namespace, { ...middle, nonce: otherNonce(middle.nonce) }, 10)).toEqual(gap);
      expect(await second.read(namespace, middle, 10)).toHaveLength(1);
    });

    test('a log that was lost begins with a new epoch', async () => {
      const namespace = newNamespace();
      const event = newEvent();
      const [before] = await first.append(namespace, [event, newEvent()]);
      await stores.loseLog(namespace);
      const range = await rangeOf(second, namespace);
      expect(range.head).toMatchObject({ seq: 0, nonce: 0 });
      expect(range.head.epoch).not.toBe(before?.position.epoch);
      expect(await first.read(namespace, at(before === undefined ? [] : [before], 0).position, 10)).toEqual({
        gap: 'log_lost',
        range,
      });
      const [after] = await first.append(namespace, [newEvent()]);
      expect(after?.position).toMatchObject({ seq: 1 });
      expect(after?.position.epoch).not.toBe(before?.position.epoch);
      expect(await entriesOf(second, namespace, range.head)).toHaveLength(1);
    });
  });

  describeWhole('times', () => {
    test('reading begins at a time without skipping an event, on either replica', async () => {
      const namespace = newNamespace();
      const { time } = stores;
      expect((await first.positionBefore(namespace, 0)).seq).toBe(0);
      const begun = await time.nowMs();
      const times: number[] = [];
      for (let call = 0; call < 9; call += 1) {
        times.push(await time.nowMs());
        await first.append(namespace, newEvents(3));
        await time.pass(20);
      }
      const found = async (ms: number) => (await second.positionBefore(namespace, ms)).seq;
      for (const [call, ms] of times.entries()) expect(await found(ms)).toBe(call * 3);
      expect(await found(begun - 1_000)).toBe(0);
      expect(await found((await time.nowMs()) + 1)).toBe(27);
      const position = await first.positionBefore(namespace, times[5] ?? 0);
      expect(await entriesOf(first, namespace, position)).toHaveLength(12);
    });

    test('a time before the horizon begins at the horizon, and nothing is skipped after it', async () => {
      const small = await openForTest(open, { ...ROOMY, retention: { ...ROOMY.retention, maxEvents: 5 } });
      const namespace = newNamespace();
      const begun = await small.time.nowMs();
      for (let call = 0; call < 10; call += 1) await small.first.log.append(namespace, newEvents(1));
      const { horizon } = await rangeOf(small.first.log, namespace);
      expect(await small.second.log.positionBefore(namespace, begun - 1)).toEqual(horizon);
    });
  });
}
