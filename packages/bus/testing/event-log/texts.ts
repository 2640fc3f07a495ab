// What events say is kept as it came. Part of the contract of the EventLog port.
import { beforeAll, expect, test } from 'vitest';
import { allEntries, entriesOf, newEvent, newEventOf, newNamespace, rangeOf } from '../bus-store.ts';
import type { EventLog } from '../../src/store/event-log.ts';
import type { LogSuite } from './log-suite.ts';

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

export function textsSuite({ replicas, describeWhole }: LogSuite): void {
  let first: EventLog;
  let second: EventLog;
  beforeAll(() => {
    first = replicas().first.log;
    second = replicas().second.log;
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
}
