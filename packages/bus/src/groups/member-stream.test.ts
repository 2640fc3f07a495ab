// One member's stream: what it is sent first, its sign while nothing comes, and what becomes of deliveries that were not sent.
import { HeldClock } from '@hypercode/clock/testing';
import { SwarmError } from '@hypercode/contracts';
import { Bookmarks, type StreamBatch } from '@hypercode/feed';
import { expect, onTestFinished, test, vi } from 'vitest';
import { formatPosition, type LogPosition } from '../store/position.ts';
import { groupBookmarkItem, type GroupItem, type IdentifiedDelivery, type IdentifiedOutcome } from './delivery.ts';
import type { Member } from './group-reader.ts';
import { groupState } from '../../test/group-state.ts';
import { MemberStream } from './member-stream.ts';

const at = (seq: number): LogPosition => ({ epoch: 'e', seq, nonce: seq === 0 ? 0 : 1 });
const state = groupState({ topics: ['work.>'] });
const delivery = (seq: number, bytes = 2): IdentifiedDelivery => ({
  id: `e-${seq}-1.0.1.0`,
  position: at(seq),
  life: 0,
  attempt: 1,
  uncounted: 0,
  dueAt: 0,
  text: `"${'x'.repeat(bytes - 2)}"`,
});
const outcome = (deliveries: IdentifiedDelivery[], more: Partial<IdentifiedOutcome> = {}): IdentifiedOutcome => ({
  deliveries,
  cursor: at(deliveries.at(-1)?.position.seq ?? 0),
  room: 16 - deliveries.length,
  nextDueMs: null,
  isSilent: false,
  paused: false,
  changed: null,
  gap: null,
  ...more,
});

/** A stream whose claims end with `outcomes`, each the next; after them there is nothing to claim. */
function open(outcomes: (IdentifiedOutcome | Promise<IdentifiedOutcome>)[]) {
  const clock = new HeldClock();
  const members = new Set<Member>();
  const reader = {
    cursor: at(7),
    state,
    paused: false,
    get promising() {
      return outcomes.length > 0;
    },
    join: (member: Member) => {
      members.add(member);
      return () => members.delete(member);
    },
  };
  const bookmarks = new Bookmarks<LogPosition, GroupItem>({
    clock,
    intervalMs: 15_000,
    idOf: formatPosition,
    make: groupBookmarkItem,
    onTick: () => {
      for (const member of members) member.onChange();
    },
  });
  const claim = vi.fn(async () => {
    const next = outcomes.shift();
    if (next === undefined) throw new Error('nothing was promised');
    return next;
  });
  const given: number[] = [];
  const stream = new MemberStream({
    reader,
    clock,
    bookmarks,
    consumer: 'ada',
    maxInFlight: 16,
    claim,
    giveBack: async (deliveries) => void given.push(...deliveries.map(({ position }) => position.seq)),
    isClosing: () => false,
  });
  const over = new AbortController();
  const batches = stream.run(over.signal);
  const next = async (): Promise<StreamBatch<GroupItem>> => {
    const { value } = await batches.next();
    if (value === undefined) throw new Error('the stream has ended');
    return value;
  };
  /** What a transport does with a batch. */
  const send = (batch: StreamBatch<GroupItem>): void => {
    for (const item of batch) item.sent?.();
  };
  onTestFinished(async () => {
    over.abort();
    await batches.return();
    bookmarks.close();
    expect([members.size, clock.armed]).toEqual([0, 0]);
  });
  return { stream, batches, next, send, over, given, clock, claim, reader, members };
}

const eventsOf = (batch: StreamBatch<GroupItem>) => batch.map(({ event }) => event);

test('a member is sent its name and the settings of the group first', async () => {
  const { next } = open([]);
  const [joined] = await next();
  expect(joined?.event).toEqual({
    type: 'joined',
    groupId: 'g-1',
    consumer: 'ada',
    settings: { version: 1, topics: ['work.>'], ackDeadlineMs: 30_000, maxDeliveries: 3 },
    paused: false,
  });
  expect(joined?.id).toBe(formatPosition(at(7)));
  expect(JSON.parse(joined?.json ?? '')).toEqual(joined?.event);
});

test('a member for which nothing comes is sent the cursor of its group every 15 s', async () => {
  const { next, clock, reader } = open([]);
  await next();
  for (const seq of [7, 9]) {
    reader.cursor = at(seq);
    const bookmark = next();
    clock.advance(15_000);
    const position = formatPosition(at(seq));
    expect(eventsOf(await bookmark)).toEqual([{ type: 'bookmark', position, paused: false }]);
  }
});

test('a member without room is sent bookmarks, too', async () => {
  const { next, send, clock } = open([outcome([delivery(1)], { room: 0 }), outcome([])]);
  await next();
  send(await next());
  const bookmark = next();
  clock.advance(15_000);
  expect(eventsOf(await bookmark)).toMatchObject([{ type: 'bookmark' }]);
});

test('a member is sent bookmarks while the store is asked', async () => {
  const asked = Promise.withResolvers<IdentifiedOutcome>();
  const { next, clock, claim } = open([asked.promise]);
  await next();
  const bookmark = next();
  await vi.waitFor(() => expect(claim).toHaveBeenCalled());
  clock.advance(15_000);
  expect(eventsOf(await bookmark)).toMatchObject([{ type: 'bookmark' }]);
  const delivered = next();
  asked.resolve(outcome([delivery(1)]));
  expect(eventsOf(await delivered)).toMatchObject([{ type: 'delivery' }]);
});

test('a gap comes before the deliveries of its claim', async () => {
  const { next } = open([outcome([delivery(3)], { gap: { lost: 2, reason: 'retention' } })]);
  await next();
  expect(eventsOf(await next())).toEqual([{ type: 'gap', lost: 2, reason: 'retention' }]);
  expect(await next()).toMatchObject([{ type: 'delivery' }]);
});

test('large deliveries come in several batches, each when the transport asks for it', async () => {
  const { next } = open([outcome([1, 2, 3, 4, 5].map((seq) => delivery(seq, 40_000)))]);
  await next();
  expect((await next()).length).toBe(2);
  expect((await next()).length).toBe(2);
  expect((await next()).length).toBe(1);
});

test('what a stuck transport was not handed is given back when the stream ends, and not when the transport goes on', async () => {
  const { next, send, over, given, batches } = open([outcome([1, 2, 3, 4].map((seq) => delivery(seq, 40_000)))]);
  await next();
  send(await next());
  over.abort();
  expect(given).toEqual([3, 4]);
  expect(await batches.next()).toEqual({ done: true, value: undefined });
  expect(given).toEqual([3, 4]);
});

test('a batch that the transport drops is given back', async () => {
  const { next, given, batches } = open([outcome([delivery(1), delivery(2)])]);
  await next();
  const batch = await next();
  batch[0]?.sent?.();
  await batches.return();
  expect(given).toEqual([2]);
});

test('what a claim brings after the end is given back', async () => {
  const asked = Promise.withResolvers<IdentifiedOutcome>();
  const { next, given, batches, over, claim } = open([asked.promise]);
  await next();
  const waiting = batches.next();
  await vi.waitFor(() => expect(claim).toHaveBeenCalled());
  over.abort();
  asked.resolve(outcome([delivery(1)]));
  expect(await waiting).toEqual({ done: true, value: undefined });
  expect(given).toEqual([1]);
});

test('a member whose stream was replaced leaves the group at once, and its stream ends with CONFLICT', async () => {
  const { stream, next, batches, given, members } = open([outcome([delivery(1)])]);
  await next();
  await next();
  stream.replace();
  expect([members.size, given]).toEqual([0, [1]]);
  await expect(batches.next()).rejects.toMatchObject({ code: 'CONFLICT', retryable: false });
});

test('a stream goes on when the store answers again, and ends with what else the store refuses', async () => {
  const unavailable = Promise.reject(new SwarmError('UNAVAILABLE', 'no store'));
  const refused = Promise.reject(new SwarmError('NOT_FOUND', 'no group'));
  for (const promise of [unavailable, refused]) promise.catch(() => {});
  const { next, send, clock, claim } = open([unavailable, outcome([delivery(1)]), refused]);
  await next();
  const delivered = next();
  await vi.waitFor(() => expect(clock.armed).toBe(2));
  expect(claim).toHaveBeenCalledTimes(1);
  clock.advance(500);
  send(await delivered);
  await expect(next()).rejects.toMatchObject({ code: 'NOT_FOUND' });
});
