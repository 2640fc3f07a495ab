import type { LoggedEvent, ReadResult } from '@hypercode/contracts';
import { expect, test, vi } from 'vitest';
import { readEvents } from './read-events.ts';

const eventAt = (position: string): LoggedEvent => ({
  position,
  appendedAt: '2026-01-01T00:00:00.000Z',
  event: {
    id: 'c56a4180-65aa-42ec-a945-5fd21dec0538',
    namespace: 'n',
    source: '/core',
    topic: 'a',
    time: '2026-01-01T00:00:00.000Z',
    data: null,
  },
});

const busOf = (...pages: ReadResult[]) => ({
  read: vi.fn(async () => pages.shift() ?? expect.unreachable()),
});

test.each([
  ['oldest', 'after'],
  ['newest', 'before'],
] as const)('events in the order %s are read page by page, with `%s`', async (order, cursor) => {
  const bus = busOf(
    { events: [eventAt('1'), eventAt('2')], next: '2', end: false },
    { events: [], next: '3', end: false },
    { events: [eventAt('4')], next: '4', end: true },
  );
  const found: string[] = [];
  for await (const { position } of readEvents(bus, { order, limit: 2, [cursor]: '0' })) found.push(position);
  expect(found).toEqual(['1', '2', '4']);
  const asked = ['0', '2', '3'].map((place) => [{ order, limit: 2, [cursor]: place }, {}]);
  expect(bus.read.mock.calls).toEqual(asked);
});

test('no page is asked for before it is needed, nor a page that does not move', async () => {
  const bus = busOf({ events: [eventAt('1')], next: '1', end: false }, { events: [], next: '1', end: false });
  const events = readEvents(bus);
  await events.next();
  expect(bus.read).toHaveBeenCalledOnce();
  expect(await events.next()).toEqual({ done: true, value: undefined });
});
