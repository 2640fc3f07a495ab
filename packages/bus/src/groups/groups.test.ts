// What a replica remembers of the groups, and for how long.
import { systemClock } from '@hypercode/clock';
import { SwarmError } from '@hypercode/contracts';
import { createLocalSignal } from '@hypercode/feed';
import { afterEach, expect, test, vi } from 'vitest';
import type { GroupSettings, GroupStore } from '../store/group-store.ts';
import { EventFeeds } from '../subscriptions/event-feeds.ts';
import { Groups } from './groups.ts';

afterEach(() => void vi.restoreAllMocks());

const settingsOf = (topic: string): GroupSettings => ({ topics: [topic], ackDeadlineMs: 1000, maxDeliveries: 1 });
const unused = () => Promise.reject(new Error('not used here'));

test('settings are asked for again when the store does not have the group, and after a while', async () => {
  const find = vi.fn<GroupStore['find']>(async () => settingsOf('a'));
  const gone = () => Promise.reject(new SwarmError('NOT_FOUND', 'no such group'));
  const store: GroupStore = {
    find,
    ack: gone,
    nack: gone,
    open: unused,
    claim: unused,
    deadLetters: unused,
    redrive: unused,
    discard: unused,
    list: unused,
  };
  const retention = { maxEvents: 1, maxBytes: 1, maxAgeMs: 1 };
  const log = { retention, append: unused, read: unused, ranges: unused, size: unused, topics: unused };
  const signal = createLocalSignal();
  const feeds = new EventFeeds({ log, signal, clock: systemClock, onError: () => undefined });
  const groups = new Groups({ store, feeds, signal, onError: () => undefined });
  expect(await groups.settingsOf('n', 'g')).toEqual(settingsOf('a'));
  find.mockResolvedValue(settingsOf('b'));
  expect(await groups.settingsOf('n', 'g')).toEqual(settingsOf('a'));
  await expect(groups.ack('n', 'g', [])).rejects.toMatchObject({ code: 'NOT_FOUND' });
  expect(await groups.settingsOf('n', 'g')).toEqual(settingsOf('b'));
  find.mockResolvedValue(settingsOf('c'));
  const later = performance.now() + 6000;
  vi.spyOn(performance, 'now').mockReturnValue(later);
  await vi.waitFor(async () => expect(await groups.settingsOf('n', 'g')).toEqual(settingsOf('c')));
  await groups.close();
  await feeds.close();
  await signal.close();
});
