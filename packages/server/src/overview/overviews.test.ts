// Followers of overviews: one reading for all, at most every two seconds, and none for nobody.
import { HeldClock } from '@hypercode/clock/testing';
import { type Overview, SwarmError } from '@hypercode/contracts';
import { expect, test, vi } from 'vitest';
import type { OverviewState } from './overview-change.ts';
import { Overviews } from './overviews.ts';

const group = (name: string, lag: number) => ({
  group: name,
  topics: ['a'],
  ackDeadlineMs: 1,
  maxDeliveries: 1,
  groupId: null,
  settings: { version: 1, topics: ['a'], ackDeadlineMs: 1, maxDeliveries: 1 },
  paused: null,
  ownedBy: null,
  madeBy: null,
  madeAt: null,
  position: 'e-1-1',
  lag,
  inFlight: 0,
  waiting: 0,
  deadLetters: 0,
  deadByReason: [],
  oldestDeadAt: null,
  oldestUnreadAt: null,
  members: 0,
  ratePerSecond: 0,
});

function stateOf(changes: { lags?: Record<string, number>; rssBytes?: number; open?: number } = {}): OverviewState {
  const { lags = { crew: 0 }, rssBytes = 1, open = 0 } = changes;
  const store = { kind: 'pglite', version: '17', ok: true, latencyMs: rssBytes } as const;
  const streams = { watch: 0, subscribe: 0, consume: 0 };
  const times = { startedAt: '2026-01-01T00:00:00.000Z', seenAt: '2026-01-01T00:00:00.000Z' };
  const replica = { id: 'r', version: '1.0.0', host: 'h', ...times, streams, rssBytes, eventLoopP99Ms: 0 };
  return {
    groups: Object.entries(lags).map(([name, lag]) => group(name, lag)),
    cluster: { replicas: [replica], stores: { database: store, events: store }, suspended: [] },
    namespace: {
      namespace: 'n',
      agents: { total: 0, healthy: 0, unhealthy: 0, open: 0 },
      revision: 0,
      events: { kept: 0, bytes: 0 },
      groups: 1,
    },
    questions: { open },
  };
}

function started() {
  const clock = new HeldClock();
  const read = vi.fn(async () => stateOf());
  const onError = vi.fn();
  const overviews = new Overviews({ read, clock, onError });
  const follow = () => {
    const end = new AbortController();
    const stream = overviews.follow('n', end.signal);
    const next = async (): Promise<Overview | undefined> => (await stream.next()).value?.[0]?.event;
    return { next, end: () => end.abort(), fail: (error: Error) => end.abort(error) };
  };
  return { clock, read, onError, overviews, follow };
}

test('a follower gets everything, and then what changed', async () => {
  const { clock, read, follow } = started();
  const { next, end } = follow();
  expect(await next()).toMatchObject({ type: 'overview', reset: true, questions: { open: 0 } });
  read.mockResolvedValue(stateOf({ lags: { late: 3 }, open: 2 }));
  const changed = next();
  await clock.advanceThrough(2000);
  expect(await changed).toEqual({
    type: 'overview',
    reset: false,
    groups: [group('late', 3)],
    removedGroups: ['crew'],
    questions: { open: 2 },
    at: expect.any(String) as string,
  });
  end();
  expect(await next()).toBeUndefined();
  expect(clock.armed).toBe(0);
});

test('figures that always move are sent with every fifth reading', async () => {
  const { clock, read, follow } = started();
  const { next, end } = follow();
  await next();
  read.mockImplementation(async () => stateOf({ rssBytes: read.mock.calls.length }));
  const changed = next();
  await clock.advanceThrough(8000);
  expect(read).toHaveBeenCalledTimes(5);
  expect(await changed).toMatchObject({ cluster: { replicas: [{ rssBytes: 5 }] } });
  end();
});

test('a follower that missed a change gets everything', async () => {
  const { clock, read, follow } = started();
  const { next, end } = follow();
  await next();
  for (const lag of [1, 2]) {
    read.mockResolvedValue(stateOf({ lags: { crew: lag } }));
    await clock.advanceThrough(2000);
  }
  expect(await next()).toMatchObject({ reset: true, groups: [{ lag: 2 }] });
  end();
});

test('all followers share one reading, which ends with the last of them', async () => {
  const { clock, read, overviews, follow } = started();
  const followers = [follow(), follow()];
  await Promise.all(followers.map(({ next }) => next()));
  expect(read).toHaveBeenCalledTimes(1);
  const late = follow();
  expect(await late.next()).toMatchObject({ reset: true });
  expect(read).toHaveBeenCalledTimes(1);
  for (const { next, end } of [...followers, late]) {
    end();
    expect(await next()).toBeUndefined();
  }
  expect([overviews.size, clock.armed]).toEqual([0, 0]);
});

test('a first reading that fails ends the stream, and a later one is tried again', async () => {
  const { clock, read, onError, overviews, follow } = started();
  const refusal = new SwarmError('UNAVAILABLE', 'no database');
  read.mockRejectedValueOnce(refusal);
  await expect(follow().next()).rejects.toBe(refusal);
  expect(overviews.size).toBe(0);
  const { next, end } = follow();
  await next();
  read.mockRejectedValueOnce(refusal);
  await clock.advanceThrough(2000);
  expect(onError).toHaveBeenCalledWith(refusal);
  read.mockResolvedValue(stateOf({ open: 1 }));
  const changed = next();
  await clock.advanceThrough(2000);
  expect(await changed).toMatchObject({ questions: { open: 1 } });
  end();
});
