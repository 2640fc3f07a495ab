// What a replica keeps in memory of the groups, and for how long.
import { HeldClock } from '@hypercode/clock/testing';
import { SwarmError } from '@hypercode/contracts';
import { createLocalSignal } from '@hypercode/feed';
import { expect, test, vi } from 'vitest';
import { groupState } from '../../test/group-state.ts';
import type { GroupStore, UsedGroup } from '../store/group-store.ts';
import { EventFeeds } from '../subscriptions/event-feeds.ts';
import { Groups } from './groups.ts';

const settingsOf = (topic: string): UsedGroup => groupState({ topics: [topic] });
const unused = () => Promise.reject(new Error('not used here'));

test('the settings of a group are read again when the store does not have the group, and after 5 seconds', async () => {
  const find = vi.fn<GroupStore['find']>(async () => settingsOf('a'));
  const notFound = () => Promise.reject(new SwarmError('NOT_FOUND', 'no such group'));
  const store: GroupStore = {
    find,
    ack: notFound,
    nack: notFound,
    giveBack: notFound,
    extend: notFound,
    open: unused,
    claim: unused,
    deadLetters: unused,
    redrive: unused,
    discard: unused,
    leave: unused,
    members: unused,
    get: unused,
    openDeliveries: unused,
    count: unused,
    list: unused,
    pause: unused,
    resume: unused,
    update: unused,
    seek: unused,
    delete: unused,
    owned: unused,
    removeIdle: unused,
    fates: unused,
    holding: unused,
  };
  const retention = { maxEvents: 1, maxBytes: 1, maxAgeMs: 1 };
  const reads = {
    read: unused,
    event: unused,
    positionBefore: unused,
    readBack: unused,
    find: unused,
    remembered: unused,
  };
  const log = { retention, append: unused, ...reads, ranges: unused, size: unused, topics: unused };
  const signal = createLocalSignal();
  const clock = new HeldClock();
  const feeds = new EventFeeds({ log, signal, clock, onError: () => undefined });
  const observers = new Set<never>();
  const groups = new Groups({ store, log, feeds, signal, clock, onError: () => undefined, observers });
  expect(await groups.settingsOf('n', 'g')).toEqual(settingsOf('a'));
  find.mockResolvedValue(settingsOf('b'));
  expect(await groups.settingsOf('n', 'g')).toEqual(settingsOf('a'));
  await expect(groups.ack('n', 'g', [])).rejects.toMatchObject({ code: 'NOT_FOUND' });
  expect(await groups.settingsOf('n', 'g')).toEqual(settingsOf('b'));
  find.mockResolvedValue(settingsOf('c'));
  clock.advance(5000);
  expect(await groups.settingsOf('n', 'g')).toEqual(settingsOf('b'));
  clock.advance(1);
  expect(await groups.settingsOf('n', 'g')).toEqual(settingsOf('c'));
  await groups.close();
  await feeds.close();
  await signal.close();
  expect(clock.armed).toBe(0);
});
