// What a replica knows of a group between its claims: what became due meanwhile, which members have joined, what it handed out.
import { HeldClock } from '@hypercode/clock/testing';
import { Broadcast, Feed, type Log } from '@hypercode/feed';
import { describe, expect, onTestFinished, test, vi } from 'vitest';
import type { LogEntry, Retention } from '../store/event-log.ts';
import type { ClaimOutcome, GroupStore } from '../store/group-store.ts';
import type { LogPosition } from '../store/position.ts';
import { groupState } from '../../test/group-state.ts';
import { GroupReader } from './group-reader.ts';

const at = (seq: number): LogPosition => ({ epoch: 'e', seq, nonce: seq === 0 ? 0 : 1 });
const NOTHING: ClaimOutcome = {
  deliveries: [],
  cursor: at(0),
  room: 1,
  nextDueMs: null,
  isSilent: false,
  paused: false,
  changed: null,
  gap: null,
};
const ONE = { consumer: 'c', maxInFlight: 1, max: 1 };
const member = (hasRoom = true) => ({ onChange: vi.fn(), onRoom: vi.fn(), hasRoom });

/** A reader of a log that holds `entries`; the store's side of a claim is `claim`. */
async function open(
  claim: GroupStore['claim'],
  entries: LogEntry[] = [],
  { topics = ['>'], ...retention }: Partial<Retention> & { topics?: string[] } = {},
) {
  const log: Log<LogPosition, LogEntry> = {
    read: async ({ seq }) => entries.slice(seq),
    begin: async () => at(0),
    compare: (a, b) => a.seq - b.seq,
    sizeOf: ({ text }) => text.length,
  };
  const limits = { maxEntries: 100, maxBytes: Infinity };
  const feed = await Feed.follow(log, { limits, readLimit: 100, onError: () => undefined });
  const followed = {
    feed,
    broadcasts: {
      groups: new Broadcast<LogPosition, LogEntry, LogEntry>(feed),
      subscribers: new Broadcast<LogPosition, LogEntry, never>(feed),
    },
    wake: () => undefined,
    touch: () => undefined,
    use: () => () => undefined,
  };
  const clock = new HeldClock();
  const reader = new GroupReader({
    clock,
    namespace: 'n',
    group: 'g',
    state: groupState({ topics, ackDeadlineMs: 86_400_000 }),
    store: { claim } satisfies Pick<GroupStore, 'claim'>,
    feeds: { read: async () => [] },
    followed,
    retention: { maxEvents: 1_000_000, maxBytes: 2 ** 30, maxAgeMs: 86_400_000, ...retention },
    cursor: at(0),
  });
  onTestFinished(async () => {
    await reader.close();
    await feed.close();
    expect(clock.armed).toBe(0);
  });
  return Object.assign(reader, { clock });
}

describe('a group reader', () => {
  test('a tick while the store is asked is not lost', async () => {
    let answer: (outcome: ClaimOutcome) => void = () => undefined;
    const claim = vi.fn(() => new Promise<ClaimOutcome>((resolve) => (answer = resolve)));
    const reader = await open(claim);
    reader.join(member());
    const claimed = reader.claim(ONE);
    await vi.waitFor(() => expect(claim).toHaveBeenCalled());
    reader.tick();
    answer(NOTHING);
    await claimed;
    expect(reader.promising).toBe(true);
  });

  test('a member that joins after a claim without members asks the store again', async () => {
    const reader = await open(async () => NOTHING);
    const leave = reader.join(member());
    await reader.claim(ONE);
    expect(reader.promising).toBe(false);
    const moving = reader.claim({ consumer: '', maxInFlight: 0, max: 0 });
    leave();
    await moving;
    reader.join(member());
    expect(reader.promising).toBe(true);
  });

  test('the newest 100,000 deliveries are remembered, and no more', async () => {
    let seq = 0;
    const reader = await open(async () => {
      seq += 1000;
      const deliveries = Array.from({ length: 1000 }, (_, i) => ({
        position: at(seq - i),
        life: 0,
        attempt: 1,
        uncounted: 0,
        dueAt: 0,
        text: '{}',
      }));
      return { ...NOTHING, deliveries };
    });
    await reader.claim(ONE);
    expect(reader.settled([at(1)])).toBe(true);
    for (let i = 0; i < 150; i += 1) await reader.claim(ONE);
    expect(reader.settled([at(seq)])).toBe(true);
    expect(reader.settled([at(2)])).toBe(false);
  });

  test('an offer has at most about 4 MiB of events', async () => {
    const text = 'x'.repeat(256 * 1024);
    const claim = vi.fn<GroupStore['claim']>(async () => NOTHING);
    const entries = Array.from({ length: 50 }, (_, i) => ({ position: at(i + 1), appendedAtMs: 0, topic: 'a', text }));
    const reader = await open(claim, entries);
    await reader.claim({ consumer: 'c', maxInFlight: 1000, max: 1000 });
    const offer = claim.mock.calls[0]?.[2].offer;
    expect(offer?.entries).toHaveLength(16);
    expect(offer?.upTo).toEqual(at(16));
  });

  test('members with room are left their share of what is unread, and who has just received is the last to be notified', async () => {
    const entries = Array.from({ length: 7 }, (_, i) => ({
      position: at(i + 1),
      appendedAtMs: 0,
      topic: 'a',
      text: '{}',
    }));
    let cursor = 0;
    const reader = await open(async (_namespace, _group, { max, offer }) => {
      const taken = offer?.entries.slice(0, max) ?? [];
      cursor += taken.length;
      const counts = { life: 0, attempt: 1, uncounted: 0, dueAt: 0 };
      const deliveries = taken.map(({ position, text }) => ({ position, ...counts, text }));
      return { ...NOTHING, deliveries, cursor: at(cursor), room: 16 };
    }, entries);
    const [first, second] = [member(), member()];
    for (const one of [first, second, member(false)]) reader.join(one);
    const taken = async (by: Parameters<typeof reader.join>[0]) =>
      (await reader.claim({ consumer: 'c', maxInFlight: 16, max: 16, by })).deliveries.length;
    expect([await taken(first), await taken(second), await taken(first), await taken(second)]).toEqual([4, 2, 1, 0]);
    reader.tick();
    expect(second.onRoom.mock.invocationCallOrder[0]).toBeLessThan(first.onRoom.mock.invocationCallOrder[0] ?? 0);
  });

  test('the odd place of an answer goes to what is unread after an answer without it, and else to what is due', async () => {
    const entries = Array.from({ length: 9 }, (_, i) => ({
      position: at(i + 1),
      appendedAtMs: 0,
      topic: 'a',
      text: '{}',
    }));
    const due = { position: at(2), life: 0, attempt: 2, uncounted: 0, dueAt: 0, text: '{}' };
    // The store hands out what the offer favours, or nothing.
    let cursor = 3;
    let isEmpty = true;
    const favoured: unknown[] = [];
    const reader = await open(async (_namespace, _group, { offer }) => {
      favoured.push(offer?.oddPlace);
      if (isEmpty) return { ...NOTHING, cursor: at(cursor) };
      const isUnread = offer?.oddPlace === 'unread';
      if (isUnread) cursor += 1;
      const delivery = isUnread ? { ...due, position: at(cursor), attempt: 1 } : due;
      return { ...NOTHING, cursor: at(cursor), deliveries: [delivery] };
    }, entries);
    const favouredIn = async (claims: number) => {
      for (let count = 0; count < claims; count += 1) await reader.claim(ONE);
      return favoured.splice(0);
    };
    await reader.claim({ ...ONE, max: 0 });
    favoured.length = 0;
    isEmpty = false;
    expect(await favouredIn(4)).toEqual(['due', 'unread', 'due', 'unread']);
    expect(await favouredIn(1)).toEqual(['due']);
    isEmpty = true;
    // An answer without deliveries takes the turn from neither.
    expect(await favouredIn(1)).toEqual(['unread']);
    isEmpty = false;
    expect(await favouredIn(2)).toEqual(['unread', 'due']);
  });

  test('members are notified of due deliveries that a claim without room has found', async () => {
    const reader = await open(async () => ({ ...NOTHING, nextDueMs: 0 }));
    const waiting = member();
    reader.join(waiting);
    await reader.claim({ consumer: '', maxInFlight: 0, max: 0 });
    expect(waiting.onRoom).not.toHaveBeenCalled();
    reader.clock.advance(1);
    expect(waiting.onRoom).toHaveBeenCalledTimes(1);
    expect(reader.promising).toBe(true);
  });

  test('a cursor passes events that do not match every tenth call, and at once when retention may overtake it', async () => {
    const entries = Array.from({ length: 40 }, (_, i) => ({
      position: at(i + 1),
      appendedAtMs: 0,
      topic: 'a',
      text: '{}',
    }));
    const callsUntilMoved = async (cursor: number, retention: Partial<Retention> = {}) => {
      const claim = vi.fn<GroupStore['claim']>(async () => ({ ...NOTHING, cursor: at(cursor) }));
      const reader = await open(claim, entries, { topics: ['never'], ...retention });
      reader.join(member());
      await reader.claim(ONE);
      claim.mockClear();
      for (let calls = 1; ; calls += 1) {
        await reader.advance();
        if (claim.mock.calls.length > 0) return calls;
      }
    };
    expect(await callsUntilMoved(30)).toBe(10);
    expect(await callsUntilMoved(10)).toBe(1);
    expect(await callsUntilMoved(30, { maxEvents: 50 })).toBe(1);
    expect(await callsUntilMoved(30, { maxBytes: 100 })).toBe(1);
    expect(await callsUntilMoved(30, { maxAgeMs: 10_000 })).toBe(1);
  });

  test('members are notified when the reader is closed', async () => {
    const reader = await open(async () => NOTHING);
    const waiting = member();
    reader.join(waiting);
    await reader.close();
    expect(waiting.onChange).toHaveBeenCalled();
  });
});
