// Which logs a replica follows, what wakes them, and when they are released.
import { HeldClock } from '@hypercode/clock/testing';
import { expect, onTestFinished, test, vi } from 'vitest';
import { Broadcast } from './broadcast.ts';
import type { Feed } from './feed.ts';
import { FollowedLogs, type Logs } from './followed-logs.ts';
import { createLocalSignal } from './local-signal.ts';

interface Fact {
  readonly position: number;
}

/** Logs in memory, by how many facts each has. `gates` holds back what is read of a namespace. */
function followedLogs() {
  const lengths = new Map<string, number>();
  const gates = new Map<string, Promise<void>>();
  const heads = vi.fn(async (namespaces: string[]) => {
    const found = new Map(namespaces.map((namespace) => [namespace, lengths.get(namespace) ?? 0]));
    for (const namespace of namespaces) await gates.get(namespace);
    return found;
  });
  const read = vi.fn<Logs<number, Fact, number, null>['read']>(async (namespace, after, limit) => {
    const length = (lengths.get(namespace) ?? 0) - after;
    await gates.get(namespace);
    return Array.from({ length: Math.min(length, limit) }, (_, index) => ({ position: after + index + 1 }));
  });
  const clock = new HeldClock();
  const signal = createLocalSignal();
  const subscribed = vi.spyOn(signal, 'subscribe');
  const errors: unknown[] = [];
  const logs = new FollowedLogs({
    logs: {
      channelOf: (namespace) => `facts:${namespace}`,
      read,
      heads,
      beginAt: (head: number) => head,
      isAt: (head, end) => head === end,
      isBlank: (end) => end === 0,
      keyOf: String,
      compare: (a, b) => a - b,
      sizeOf: () => 1,
    },
    broadcasts: (feed: Feed<number, Fact>) => ({ all: new Broadcast<number, Fact, Fact>(feed) }),
    signal,
    clock,
    limits: { maxEntries: 100, maxBytes: 100 },
    readLimit: 10,
    onError: (error) => errors.push(error),
  });
  onTestFinished(async () => {
    await logs.close();
    await signal.close();
    expect(clock.armed).toBe(0);
  });
  return { logs, lengths, gates, heads, read, clock, signal, subscribed, errors };
}

const isNext = (end: number, { position }: Fact) => position === end + 1;

test('a log that was not used for a minute is released, and logs in use are kept', async () => {
  const { logs, heads, clock, signal, lengths } = followedLogs();
  lengths.set('idle', 1);
  const idle = await logs.follow('idle');
  idle.use()();
  const release = (await logs.follow('used')).use();
  await clock.advanceThrough(50_000);
  expect(await logs.follow('idle')).toBe(idle);
  await clock.advanceThrough(50_000);
  idle.touch();
  await clock.advanceThrough(60_000);
  expect([...logs.running.keys()]).toEqual(['idle', 'used']);
  await clock.advanceThrough(1000);
  expect([...logs.running.keys()]).toEqual(['used']);
  expect(idle.feed.closed).toBe(true);
  heads.mockClear();
  await clock.advanceThrough(1000);
  expect(heads.mock.calls).toEqual([[['used']]]);
  // Nothing of it listens to the signal any more.
  heads.mockClear();
  lengths.set('idle', 2);
  signal.notify('facts:idle');
  await Promise.resolve();
  expect(idle.feed.end).toBe(1);
  const again = await logs.follow('idle');
  expect([again.feed.closed, again.feed.end]).toEqual([false, 2]);
  release();
  release();
  await clock.advanceThrough(61_000);
  expect(logs.running.size).toBe(0);
});

test('a log without an entry is released with its last user, and one that has got an entry meanwhile is kept', async () => {
  const { logs, lengths, signal } = followedLogs();
  const [first, second] = await Promise.all([logs.use('blank'), logs.use('blank')]);
  expect(second.followed).toBe(first.followed);
  first.release();
  first.release();
  expect([...logs.running.keys()]).toEqual(['blank']);
  second.release();
  expect(logs.running.size).toBe(0);
  expect(first.followed.feed.closed).toBe(true);

  const written = await logs.use('written');
  lengths.set('written', 1);
  signal.notify('facts:written');
  await vi.waitFor(() => expect(written.followed.feed.end).toBe(1));
  written.release();
  expect([...logs.running.keys()]).toEqual(['written']);
});

test('a log that is released while another caller is given it is followed anew', async () => {
  const { logs } = followedLogs();
  const { release } = await logs.use('blank');
  const next = logs.use('blank');
  release();
  const { followed } = await next;
  expect(followed.feed.closed).toBe(false);
  expect([...logs.running.values()]).toEqual([followed]);
});

test('a follower of a released log ends', async () => {
  const { logs, clock } = followedLogs();
  const { broadcasts } = await logs.follow('n');
  const { signal } = new AbortController();
  const everything = { key: '', project: (fact: Fact) => fact };
  const next = broadcasts.all.follow(everything, 0, { signal, idle: () => null }).next();
  await clock.advanceThrough(61_000);
  expect(await next).toEqual({ value: 0, done: true });
});

test('what is committed while a log starts is read as soon as it runs', async () => {
  const { logs, lengths, read, signal } = followedLogs();
  const firstPage = Promise.withResolvers<Fact[]>();
  read.mockImplementationOnce(() => firstPage.promise);
  const following = logs.follow('n');
  await vi.waitFor(() => expect(read).toHaveBeenCalledTimes(1));
  lengths.set('n', 1);
  signal.notify('facts:n');
  await Promise.resolve();
  firstPage.resolve([]);
  const { feed } = await following;
  await vi.waitFor(() => expect(feed.end).toBe(1));
});

test('a log whose store does not answer while it starts delays the poll of no other', async () => {
  const { logs, lengths, gates, clock } = followedLogs();
  const { feed } = await logs.follow('running');
  const gate = Promise.withResolvers<void>();
  gates.set('starting', gate.promise);
  const starting = logs.follow('starting');
  lengths.set('running', 1);
  await clock.advanceThrough(1000);
  await vi.waitFor(() => expect(feed.end).toBe(1));
  gate.resolve();
  await starting;
});

test('a log that fails to start is started again by the next caller, and leaves no subscription', async () => {
  const { logs, heads, subscribed } = followedLogs();
  heads.mockRejectedValueOnce(new Error('unavailable'));
  await expect(logs.follow('n')).rejects.toThrow('unavailable');
  const { feed } = await logs.follow('n');
  expect(feed.end).toBe(0);
  expect(subscribed).toHaveBeenCalledTimes(2);
});

test('callers at the same time start a log once', async () => {
  const { logs, read } = followedLogs();
  const [first, second] = await Promise.all([logs.follow('n'), logs.follow('n')]);
  expect(first).toBe(second);
  expect(read).toHaveBeenCalledTimes(1);
});

test('a poll finds what no wake-up reported, reports a store that does not answer, and goes on', async () => {
  const { logs, lengths, heads, clock, errors } = followedLogs();
  const { feed } = await logs.follow('n');
  lengths.set('n', 3);
  heads.mockRejectedValueOnce(new Error('unavailable'));
  await clock.advanceThrough(1000);
  expect(errors).toEqual([new Error('unavailable')]);
  await clock.advanceThrough(1000);
  await vi.waitFor(() => expect(feed.end).toBe(3));
});

test('own entries are taken without a read, and the notification is not sent back to the log that has them', async () => {
  const { logs, read, signal } = followedLogs();
  const others = vi.fn();
  signal.subscribe('facts:n', others);
  const { feed } = await logs.follow('n');
  read.mockClear();
  logs.offer('n', [{ position: 1 }], isNext);
  expect(feed.end).toBe(1);
  await vi.waitFor(() => expect(others).toHaveBeenCalledTimes(1));
  expect(read).not.toHaveBeenCalled();
});

test('the head is read once for all callers that ask at the same time, and left out it is UNAVAILABLE', async () => {
  const { logs, heads, lengths } = followedLogs();
  lengths.set('a', 5);
  expect(await Promise.all([logs.head('a'), logs.head('b'), logs.head('a')])).toEqual([5, 0, 5]);
  expect(heads).toHaveBeenCalledTimes(1);
  heads.mockResolvedValueOnce(new Map());
  await expect(logs.head('c')).rejects.toMatchObject({ code: 'UNAVAILABLE' });
});

test('closed logs are not followed', async () => {
  const { logs } = followedLogs();
  const { feed } = await logs.follow('n');
  await logs.close();
  expect(feed.closed).toBe(true);
  await expect(logs.follow('other')).rejects.toMatchObject({ code: 'UNAVAILABLE' });
});
