import { expect, test } from 'vitest';
import type { IdHits, LogEntry, LogPageBack } from '../store/event-log.ts';
import { EventSearch } from './event-search.ts';

const ID = 'c56a4180-65aa-42ec-a945-5fd21dec0538';
const OTHER = 'c56a4180-65aa-42ec-a945-5fd21dec0539';
const positionAt = (seq: number) => ({ epoch: 'e', seq, nonce: 1 });

function entryAt(seq: number, { id = ID, source = '/core', topic = 'a' } = {}): LogEntry {
  const text = JSON.stringify({ id, namespace: 'n', source, topic, data: OTHER });
  return { position: positionAt(seq), appendedAtMs: seq, topic, text };
}

/** A log of `length` events, of which those in `found` have the id; the index has what stands after `unindexedTo`. */
function logOf({ length, found, unindexedTo = 0 }: { length: number; found: LogEntry[]; unindexedTo?: number }) {
  const log = {
    pages: 0,
    async find(_: string, id: string, { before, limit }: { before: number | null; limit: number }): Promise<IdHits> {
      expect(id).toBe(ID);
      const entries = found.filter(({ position: { seq } }) => seq > unindexedTo && seq < (before ?? Infinity));
      const page = entries.toSorted((a, b) => b.position.seq - a.position.seq).slice(0, limit);
      const next = page.length === limit ? (page.at(-1)?.position.seq ?? null) : null;
      return { entries: page, next, unindexed: unindexedTo === 0 ? null : positionAt(unindexedTo) };
    },
    async readBack(_: string, upTo: { seq: number } | null, limit: number): Promise<LogPageBack> {
      log.pages += 1;
      const from = upTo?.seq ?? length;
      const seqs = Array.from({ length: Math.min(limit, from) }, (_unused, index) => from - index);
      const entries = seqs.map(
        (seq) => found.find(({ position }) => position.seq === seq) ?? entryAt(seq, { id: OTHER }),
      );
      return { entries, end: from <= limit };
    },
  };
  return log;
}

const EVERY_TOPIC = () => true;
const input = { namespace: 'n', id: ID.toUpperCase() };

test('what the index has is found without a search of the log', async () => {
  const log = logOf({ length: 100, found: [entryAt(7), entryAt(9)] });
  const { events, complete } = await new EventSearch(log).find(input, EVERY_TOPIC);
  expect(events.map(({ appendedAt }) => Date.parse(appendedAt ?? ''))).toEqual([9, 7]);
  expect([complete, log.pages]).toEqual([true, 0]);
});

test('what the index does not have is searched from the newest on, after what it has', async () => {
  const log = logOf({ length: 3_000, found: [entryAt(7), entryAt(1_990), entryAt(2_500)], unindexedTo: 2_000 });
  const { events, complete } = await new EventSearch(log).find(input, EVERY_TOPIC);
  expect(events.map(({ appendedAt }) => Date.parse(appendedAt ?? ''))).toEqual([2_500, 1_990, 7]);
  expect(complete).toBe(true);
});

test('a search of the log is bounded, and its answer reports that it was not complete', async () => {
  const log = logOf({ length: 30_000, found: [entryAt(7), entryAt(29_990)], unindexedTo: 30_000 });
  const search = new EventSearch(log);
  expect(await search.find(input, EVERY_TOPIC)).toMatchObject({ events: [{ event: { id: ID } }], complete: false });
  expect(log.pages).toBe(40);
  const elsewhere = search.find({ ...input, source: '/operators/a' }, EVERY_TOPIC);
  await expect(elsewhere).rejects.toMatchObject({ code: 'NOT_FOUND', details: { complete: false } });
});

test('an event of another source or of a hidden topic is not found', async () => {
  const log = logOf({ length: 10, found: [entryAt(1, { source: '/operators/a' }), entryAt(2, { topic: 'b' })] });
  const search = new EventSearch(log);
  const isShown = (topic: string) => topic !== 'b';
  const ofOne = await search.find({ ...input, source: '/operators/a' }, isShown);
  expect(ofOne.events.map(({ event }) => event.source)).toEqual(['/operators/a']);
  const hidden = search.find({ ...input, source: '/core' }, isShown);
  await expect(hidden).rejects.toMatchObject({ code: 'NOT_FOUND', details: { complete: true } });
});

test('an answer has at most 100 events, and events that do not pass take no place in it', async () => {
  const found = Array.from({ length: 150 }, (_, index) => entryAt(index + 1));
  const hidden = Array.from({ length: 250 }, (_, index) => entryAt(index + 151, { topic: 'b' }));
  const search = new EventSearch(logOf({ length: 400, found: [...found, ...hidden] }));
  const { events, complete } = await search.find(input, (topic) => topic !== 'b');
  expect(events).toHaveLength(100);
  expect(complete).toBe(false);
});
