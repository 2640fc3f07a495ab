// What the suites of the bus' ports have in common.
import { randomUUID } from 'node:crypto';
import { onTestFinished } from 'vitest';
import type { BusStore } from '../src/store/bus-store.ts';
import type { EventLog, LogEntry, LogRange, LogSettings, NewEvent } from '../src/store/event-log.ts';
import type { LogPosition } from '../src/store/position.ts';

/** The clock by which a store judges deadlines and ages, as a suite lets it pass. */
export interface StoreTime {
  /** Milliseconds since the epoch. */
  nowMs(): Promise<number>;
  /** Resolves when so many milliseconds have passed on the store's clock: held time moves by them, other time is waited for. */
  pass(ms: number): Promise<void>;
}

/** Two stores as two replicas have them, on one backend. */
export interface Replicas {
  first: BusStore;
  second: BusStore;
  readonly time: StoreTime;
  /** Takes a namespace's log away, as a backend that lost it would, and leaves its groups. */
  loseLog(namespace: string): Promise<void>;
  /** Ends what stands behind the two; the suite closes the stores. */
  close?(): Promise<void>;
}

/**
 * Called once for each set of settings that a suite needs, some of which are in use at the same time. All may stand on one
 * backend: the suites take a new namespace for each test.
 */
export type OpenStores = (settings: LogSettings) => Promise<Replicas>;

/** Limits that no test reaches. */
export const ROOMY: LogSettings = {
  retention: { maxEvents: 1_000_000, maxBytes: 2 ** 30, maxAgeMs: 86_400_000 },
  dedupWindowMs: 3_600_000,
  journalMaxBytes: 2 ** 28,
};

export const newNamespace = (): string => `conformance-${randomUUID().slice(0, 18)}`;

/** Stores with settings of their own, until the test is over. */
export async function openForTest(open: OpenStores, settings: LogSettings): Promise<Replicas> {
  const stores = await open(settings);
  onTestFinished(() => closeStores(stores));
  return stores;
}

export async function closeStores(stores: Replicas): Promise<void> {
  await Promise.all([stores.first.close(), stores.second.close()]);
  await stores.close?.();
}

export function newEvent(fields: Partial<NewEvent> = {}): NewEvent {
  const id = randomUUID();
  return { id, source: '/agents/default/worker-1', topic: 'jobs.done', text: JSON.stringify({ id }), ...fields };
}

export const newEvents = (count: number, fields: Partial<NewEvent> = {}): NewEvent[] =>
  Array.from({ length: count }, () => newEvent(fields));

/** An event whose text has `bytes` bytes. */
export function newEventOf(bytes: number): NewEvent {
  const shell = JSON.stringify({ data: '' });
  return newEvent({ text: JSON.stringify({ data: 'x'.repeat(bytes - shell.length) }) });
}

/** How one log stands. */
export async function rangeOf(log: EventLog, namespace: string): Promise<LogRange> {
  const range = (await log.ranges([namespace])).get(namespace);
  if (range === undefined) throw new Error('ranges() left out what it was asked for');
  return range;
}

/** Entries, where no gap is expected. */
export async function entriesOf(
  log: EventLog,
  namespace: string,
  after: LogPosition,
  limit = 1_000,
): Promise<LogEntry[]> {
  const answer = await log.read(namespace, after, limit);
  if ('gap' in answer) throw new Error(`read() met a gap: ${answer.gap}`);
  return answer;
}

/** Everything behind `after`, page by page. */
export async function allEntries(log: EventLog, namespace: string, after: LogPosition): Promise<LogEntry[]> {
  const entries: LogEntry[] = [];
  for (;;) {
    const page = await entriesOf(log, namespace, entries.at(-1)?.position ?? after);
    if (page.length === 0) return entries;
    entries.push(...page);
  }
}

/** The element that the test has put there. */
export function at<T>(list: readonly T[], index: number): T {
  const element = list.at(index);
  if (element === undefined) throw new Error(`there is no element ${index} among ${list.length}`);
  return element;
}
