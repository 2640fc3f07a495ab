import { type SwarmClient, SwarmError } from '@hypercode/client';
import { type Clock, systemClock } from '@hypercode/clock';
import { expect, test } from 'vitest';
import { Outage } from './outage.ts';
import { type Outgoing, type OutgoingEvent, publishInBatches } from './publish-batches.ts';

/** Waits are over at once. */
const clock: Clock = { ...systemClock, schedule: (_delayMs, run) => systemClock.schedule(0, run) };

const id = (n: number): string => `0190f1d2-0000-7000-8000-${String(n).padStart(12, '0')}`;

async function* numbers(count: number, length = 10): AsyncGenerator<Outgoing<number>> {
  for (let n = 0; n < count; n += 1) yield { event: { id: id(n), topic: 'a.b', data: n }, length, note: n };
}

/** A core whose answers are `answer`, call by call; it keeps what it takes, once. */
function coreOf(answer: (call: number, events: readonly OutgoingEvent[]) => 'take' | 'lose' | 'fail' | number) {
  const log: unknown[] = [];
  const known = new Set<string>();
  const sizes: number[] = [];
  const take = ({ id: one, data }: OutgoingEvent) => {
    const duplicate = known.has(one);
    known.add(one);
    if (!duplicate) log.push(data);
    return { id: one, position: '1-1', duplicate };
  };
  const publishMany = async ({ events }: { events: OutgoingEvent[] }) => {
    sizes.push(events.length);
    const how = answer(sizes.length, events);
    if (how === 'fail') throw new SwarmError('UNAVAILABLE', 'no answer');
    const taken = typeof how === 'number' ? how : events.length;
    const results = events.slice(0, taken).map(take);
    if (how === 'lose') throw new SwarmError('UNAVAILABLE', 'the answer got lost');
    const error = new SwarmError('RATE_LIMITED', 'too fast', { retryAfterMs: 1 }).toJSON();
    return { results: [...results, ...events.slice(taken).map((event) => ({ id: event.id, error }))] };
  };
  return { log, sizes, client: { bus: { publishMany } } as unknown as SwarmClient };
}

async function publish(core: ReturnType<typeof coreOf>, count: number, length?: number) {
  const notes: string[] = [];
  const outage = new Outage({
    clock,
    signal: new AbortController().signal,
    note: (line) => notes.push(typeof line === 'string' ? line : ''),
  });
  const published: number[] = [];
  for await (const results of publishInBatches(core.client, numbers(count, length), outage))
    published.push(...results.map(({ outgoing }) => outgoing.note));
  return { published, notes };
}

const upTo = (count: number): number[] => Array.from({ length: count }, (_, n) => n);

test('events are published in their order, once, whatever gets lost and however often the core asks to wait', async () => {
  const core = coreOf((call, events) => {
    if (call === 1) return 'take';
    return (['lose', 'fail', Math.floor(events.length / 3), 'take'] as const)[call % 4] ?? 'take';
  });
  const { published, notes } = await publish(core, 3_000);
  expect(published).toEqual(upTo(3_000));
  expect(core.log).toEqual(upTo(3_000));
  // Once for each outage, and once for its end.
  expect(notes.filter((line) => line.includes('answers again')).length).toBe(notes.length / 2);
});

test('batches are bounded in number and in size', async () => {
  const many = coreOf(() => 'take');
  await publish(many, 1_300);
  expect(Math.max(...many.sizes)).toBeLessThanOrEqual(500);
  const large = coreOf(() => 'take');
  await publish(large, 10, 600_000);
  expect(Math.max(...large.sizes)).toBe(1);
});

test('a core that has never answered is not waited for', async () => {
  await expect(
    publish(
      coreOf(() => 'fail'),
      3,
    ),
  ).rejects.toMatchObject({ code: 'UNAVAILABLE' });
});

test('what the source throws comes after what it gave', async () => {
  const core = coreOf(() => 'take');
  async function* broken(): AsyncGenerator<Outgoing<number>> {
    yield* numbers(2);
    throw new Error('line 3 is not JSON');
  }
  const outage = new Outage({ clock, signal: new AbortController().signal, note: () => {} });
  const reading = (async () => {
    for await (const _ of publishInBatches(core.client, broken(), outage));
  })();
  await expect(reading).rejects.toThrow('line 3 is not JSON');
  expect(core.log).toEqual([0, 1]);
});
