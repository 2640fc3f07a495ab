// That no source pushes the events of others out of a log: a part of the contract of the EventLog and GroupStore ports.
import { randomUUID } from 'node:crypto';
import { expect, test } from 'vitest';
import type { EventLog, LogEntry, NewEvent } from '../src/store/event-log.ts';
import { oldestOf, resumeOf } from '../src/store/event-log.ts';
import type { LogPosition } from '../src/store/position.ts';
import { at, newNamespace, openForTest, type OpenStores, rangeOf, ROOMY } from './bus-store.ts';

const MAX_EVENTS = 200;
const LIMITED = { ...ROOMY, retention: { ...ROOMY.retention, maxEvents: MAX_EVENTS } };
const OPERATOR = '/operators/admin';
const WORKER = '/agents/default/worker';

function eventOf(source: string, topic = 'a'): NewEvent {
  const id = randomUUID();
  const text = JSON.stringify({ id, namespace: 'default', source, topic, data: null });
  return { id, source, topic, text };
}

const eventsOf = (source: string, count: number, topic?: string): NewEvent[] =>
  Array.from({ length: count }, () => eventOf(source, topic));

const sourceOf = ({ text }: LogEntry): string => (JSON.parse(text) as { source: string }).source;

/** Everything that is kept, and how many events were missing between, read as a subscription reads. */
async function readThrough(log: EventLog, namespace: string, from?: LogPosition) {
  const entries: LogEntry[] = [];
  const range = await rangeOf(log, namespace);
  let position = from ?? oldestOf(range);
  let missing = position.seq;
  for (;;) {
    const read = await log.read(namespace, position, 1_000);
    if (Array.isArray(read)) {
      if (read.length === 0) return { entries, missing };
      for (const entry of read) expect(entry.position.seq).toBe((position = entry.position).seq);
      entries.push(...read);
    } else {
      expect(read.gap).toBe('retention');
      expect(resumeOf(read).seq).toBeGreaterThan(position.seq);
      missing += resumeOf(read).seq - position.seq;
      position = resumeOf(read);
    }
  }
}

async function append(log: EventLog, namespace: string, events: readonly NewEvent[], atOnce = 10) {
  const positions: LogPosition[] = [];
  for (let from = 0; from < events.length; from += atOnce) {
    const appended = await log.append(namespace, events.slice(from, from + atOnce));
    positions.push(...appended.map(({ position }) => position));
  }
  return positions;
}

/** Appends 300 events of 60 sources, which are returned, and then 400 of one. */
async function appendThenFlood(log: EventLog, namespace: string): Promise<NewEvent[]> {
  const others = Array.from({ length: 60 }, (_, index) => eventsOf(`/agents/default/light-${index}`, 5)).flat();
  await append(log, namespace, others);
  await append(log, namespace, eventsOf(WORKER, 400));
  return others;
}

export function fairRetentionConformance(open: OpenStores): void {
  test('a source that floods the log pushes out its own events, and those of others stay', async () => {
    const { first, second } = await openForTest(open, LIMITED);
    const namespace = newNamespace();
    const goals = eventsOf(OPERATOR, 5, 'goal.submitted');
    const positions = await append(first.log, namespace, goals);
    await append(second.log, namespace, eventsOf(WORKER, 700));
    await second.applyRetention();

    const { entries, missing } = await readThrough(first.log, namespace);
    expect(entries.slice(0, 5).map(({ text }) => text)).toEqual(goals.map(({ text }) => text));
    expect(entries.slice(0, 5).map(({ position }) => position)).toEqual(positions);
    expect(entries.length).toBeLessThanOrEqual(MAX_EVENTS);
    expect(entries.length).toBeGreaterThanOrEqual(MAX_EVENTS * 0.9);
    expect(entries.length + missing).toBe(705);
    const { kept, removed } = await first.log.size(namespace);
    expect([kept, removed]).toEqual([entries.length, missing]);

    // Each is found by its position, also by one that a subscriber was given before.
    expect(await first.log.event(namespace, at(positions, 2))).toMatchObject({ text: at(goals, 2).text });
    expect(await first.log.read(namespace, at(positions, 2), 1_000)).toMatchObject([
      { position: positions[3] },
      { position: positions[4] },
    ]);
    const wrong = { ...at(positions, 2), nonce: at(positions, 2).nonce === 1 ? 2 : 1 };
    expect(await first.log.read(namespace, wrong, 1_000)).toMatchObject({ gap: 'retention' });
    expect(await first.log.event(namespace, wrong)).toMatchObject({ gap: 'retention' });
  });

  test('a group is handed what was spared, and receives the number that it lost', async () => {
    const { first, second } = await openForTest(open, LIMITED);
    const namespace = newNamespace();
    const settings = { topics: ['goal.>'], ackDeadlineMs: 60_000, maxDeliveries: 5 };
    await first.groups.open(namespace, 'architect', settings, 'latest');
    const spread = Array.from({ length: 5 }, () => [
      eventOf(OPERATOR, 'goal.submitted'),
      ...eventsOf(WORKER, 150),
    ]).flat();
    await append(second.log, namespace, spread);
    const { cursor: earliest } = await second.groups.open(namespace, 'late', settings, 'earliest');
    expect(earliest).toEqual(oldestOf(await rangeOf(first.log, namespace)));

    const taken: string[] = [];
    let lost = 0;
    let cursor: LogPosition = { ...earliest, seq: 0, nonce: 0 };
    for (let claims = 0; claims < 50; claims += 1) {
      const read = await first.log.read(namespace, cursor, 1_000);
      const page = Array.isArray(read) ? read : [];
      const entries = page.filter(({ topic }) => topic.startsWith('goal.'));
      const offer = Array.isArray(read)
        ? { version: 1, after: cursor, entries, upTo: page.at(-1)?.position ?? cursor }
        : null;
      const request = { consumer: 'one', maxInFlight: 100, max: 100, offer };
      const outcome = await first.groups.claim(namespace, 'architect', request);
      if (outcome === null) throw new Error('the group is not there');
      taken.push(...outcome.deliveries.map(({ text }) => text));
      lost += outcome.gap?.lost ?? 0;
      cursor = outcome.cursor;
      if (Array.isArray(read) && page.length === 0) break;
    }
    expect(taken).toEqual(spread.filter(({ topic }) => topic === 'goal.submitted').map(({ text }) => text));
    expect(lost).toBe((await readThrough(first.log, namespace)).missing);
    expect(cursor).toEqual((await rangeOf(first.log, namespace)).head);
  });

  test('a source that is alone replaces its oldest events, however many it publishes', async () => {
    const { first } = await openForTest(open, LIMITED);
    const namespace = newNamespace();
    const positions = await append(first.log, namespace, eventsOf(OPERATOR, 700));
    const range = await rangeOf(first.log, namespace);
    expect(range.oldest).toBeUndefined();
    expect(range.head).toEqual(positions.at(-1));
    expect(range.head.seq - range.horizon.seq).toBeLessThanOrEqual(MAX_EVENTS);
  });

  test('what is spared leaves the source that floods its quarter, and the oldest goes first', async () => {
    const { first } = await openForTest(open, LIMITED);
    const namespace = newNamespace();
    const others = await appendThenFlood(first.log, namespace);
    await first.applyRetention();
    const { entries } = await readThrough(first.log, namespace);
    const spared = entries.filter((entry) => sourceOf(entry) !== WORKER);
    expect(spared.length).toBeLessThanOrEqual(MAX_EVENTS * 0.75);
    expect(spared.length).toBeGreaterThan(MAX_EVENTS * 0.6);
    expect(spared.map(({ text }) => text)).toEqual(others.slice(-spared.length).map(({ text }) => text));
    expect(entries.length - spared.length).toBeGreaterThanOrEqual(MAX_EVENTS * 0.2);
  });

  test('limits that were lowered hold for what was spared as well', async () => {
    const { first } = await openForTest(open, LIMITED);
    const namespace = newNamespace();
    await appendThenFlood(first.log, namespace);
    const maxEvents = 20;
    const lowered = await openForTest(open, { ...ROOMY, retention: { ...ROOMY.retention, maxEvents } });
    await lowered.first.applyRetention();
    const { entries, missing } = await readThrough(lowered.second.log, namespace);
    expect(entries.length).toBeLessThanOrEqual(maxEvents);
    expect(entries.length + missing).toBe(700);
    expect(await lowered.second.log.size(namespace)).toMatchObject({ kept: entries.length, removed: missing });
  });

  test('what was spared goes when it is too old, and when nobody floods the log any more', async () => {
    const maxAgeMs = 400;
    const retention = { ...LIMITED.retention, maxAgeMs };
    const { first, time } = await openForTest(open, { ...LIMITED, retention });
    const namespace = newNamespace();
    await append(first.log, namespace, eventsOf(OPERATOR, 5));
    await append(first.log, namespace, eventsOf(WORKER, 400), 100);
    await time.pass(maxAgeMs + 10);
    await first.applyRetention();
    await first.applyRetention();
    expect((await readThrough(first.log, namespace)).entries).toEqual([]);
    expect(await first.log.size(namespace)).toMatchObject({ kept: 0, keptBytes: 0, removed: 405 });

    const calm = await openForTest(open, LIMITED);
    const other = newNamespace();
    await append(calm.first.log, other, eventsOf(OPERATOR, 5));
    await append(calm.first.log, other, eventsOf(WORKER, 400));
    for (let round = 0; round < 60; round += 1) {
      await append(
        calm.first.log,
        other,
        Array.from({ length: 10 }, (_, index) => eventOf(`/agents/default/a-${index}`)),
      );
    }
    const range = await rangeOf(calm.first.log, other);
    expect(range.oldest).toBeUndefined();
    expect(range.head.seq - range.horizon.seq).toBeLessThanOrEqual(MAX_EVENTS);
  });
}
