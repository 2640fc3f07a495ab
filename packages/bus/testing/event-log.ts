// The contract of the EventLog port, which every driver passes.
import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { describeIn, type SuiteScope, waitFor } from '@hypercode/testkit';
import {
  allEntries,
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
import { fairRetentionConformance } from './fair-retention.ts';
import type { BusStore } from '../src/store/bus-store.ts';
import type { Appended, EventLog } from '../src/store/event-log.ts';
import { hasAll, UNBEGUN } from '../src/store/position.ts';

const MAX_NONCE = 2 ** 31 - 1;
/** Clocks of the suite and of the store may be rounded. */
const MIB = 1024 * 1024;

/** JSON that a driver may be tempted to read, to quote or to write anew. */
const WEIRD_TEXTS = [
  String.raw`{"data":"it's \"quoted\" \\ and \/ back\\\\slashed"}`,
  String.raw`{"lone":"\ud800","also":"\udfff\ud800"}`,
  String.raw`{"nul":"\u0000","control":"\u0001\u001f\b\f\n\r\t"}`,
  '{"emoji":"🐝👩‍👩‍👧‍👦","text":"snow ☃ ünïcödé \u2028 \u2029 \u007f \ufeff \uffff"}',
  '{"a":1,"a":2,"b":1.00,"c":1e5,"d":12345678901234567890,"e":-0}',
  ' {\n\t"spaced" : [ 1 ,\r\n 2 ] }\n',
  `"'; drop table bus_events; --"`,
  '"{a,NULL,\\"b\\"}"',
  '"$1 %s ${x} :name ?"',
  '"NULL"',
  'null',
  '""',
  '0',
  '[]',
];

/** Runs the contract on the stores that `open` gives. */
/** `scope` is what runs of it, on a driver that repeats another one. */
export function eventLogConformance(name: string, open: OpenStores, scope: SuiteScope = 'whole'): void {
  const describeWhole = describeIn(scope);
  describe(`${name} as an EventLog`, () => {
    let stores: Replicas;
    let first: EventLog;
    let second: EventLog;

    beforeAll(async () => {
      stores = await open(ROOMY);
      first = stores.first.log;
      second = stores.second.log;
    }, 60_000);
    afterAll(() => closeStores(stores));

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
        expect(await first.read(namespace, head, 10)).toMatchObject([
          { position: appended?.position, text: event.text },
        ]);
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
        const { position } = at(appended, index);
        expect(await second.event(namespace, position)).toEqual({ position, topic, text });
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
          events.map(({ topic, text }, index) => ({ position: appended[index]?.position, topic, text })),
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
          for (const { position, duplicate, before } of await at([first, second], index % 2).append(
            namespace,
            events,
          )) {
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
        expect((await first.topics(other, { after: null, limit: 10 })).map(({ topic }) => topic)).toEqual([
          event.topic,
        ]);
        expect(await first.read(one, head, 10)).toMatchObject({ gap: 'log_lost' });
      });
    });

    describeWhole('texts', () => {
      test('events are read as they were appended', async () => {
        const namespace = newNamespace();
        const { head } = await rangeOf(first, namespace);
        const events = WEIRD_TEXTS.map((text) => newEvent({ text }));
        await first.append(namespace, events);
        for (const event of events.map(({ text }) => newEvent({ text }))) await second.append(namespace, [event]);
        const texts = (await allEntries(second, namespace, head)).map(({ text }) => text);
        expect(texts).toEqual([...WEIRD_TEXTS, ...WEIRD_TEXTS]);
      });

      test('events of 256 KiB are read in pages of about 1 MiB', async () => {
        const namespace = newNamespace();
        const { head } = await rangeOf(first, namespace);
        const texts: string[] = [];
        for (let call = 0; call < 4; call++) {
          const events = Array.from({ length: 8 }, () => newEventOf(256 * 1024));
          await first.append(namespace, events);
          texts.push(...events.map(({ text }) => text));
        }
        const page = await entriesOf(second, namespace, head);
        expect(page.length).toBeLessThan(texts.length);
        const bytes = page.reduce((sum, { text }) => sum + text.length, 0);
        expect(bytes).toBeGreaterThan(0.7 * MIB);
        expect(bytes).toBeLessThan(1.5 * MIB);
        expect((await allEntries(second, namespace, head)).map(({ text }) => text)).toEqual(texts);
      });

      test('a thousand events are appended in one call', async () => {
        const namespace = newNamespace();
        const { head } = await rangeOf(first, namespace);
        const events = Array.from({ length: 1_000 }, (_, index) =>
          newEvent({ topic: `many.t${index % 10}`, text: JSON.stringify({ index, pad: 'y'.repeat(index) }) }),
        );
        const appended = await first.append(namespace, events);
        expect(appended.map(({ position }) => position.seq)).toEqual(events.map((_, index) => index + 1));
        const entries = await allEntries(second, namespace, head);
        expect(entries.map(({ topic, text }) => ({ topic, text }))).toEqual(
          events.map(({ topic, text }) => ({ topic, text })),
        );
        expect((await second.append(namespace, events)).every(({ duplicate }) => duplicate)).toBe(true);
      });
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
        expect((await first.topics(namespace, { after: 'a.b', limit: 1 })).map(({ topic }) => topic)).toEqual([
          'a.b.c',
        ]);
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

    test('the store reports that it answers', async () => {
      await expect(stores.first.check()).resolves.toSatisfy(
        (warning: string | null) => warning === null || warning.length > 0,
      );
    });
  });
}
