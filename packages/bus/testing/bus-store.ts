// The ports of the bus' store as `@hypercode/bus` has them, and what their suites have in common.
import { randomUUID } from 'node:crypto';
import { onTestFinished } from 'vitest';

export interface ConformingPosition {
  readonly epoch: string;
  readonly seq: number;
  readonly nonce: number;
}

export interface ConformingLogSettings {
  retention: { maxEvents: number; maxBytes: number; maxAgeMs: number };
  dedupWindowMs: number;
}

export interface ConformingEvent {
  readonly id: string;
  readonly source: string;
  readonly topic: string;
  readonly text: string;
}

export interface ConformingEntry {
  readonly position: ConformingPosition;
  readonly topic: string;
  readonly text: string;
}

export interface ConformingRange {
  readonly horizon: ConformingPosition;
  readonly head: ConformingPosition;
}

export type ConformingGapReason = 'retention' | 'log_lost';

export interface ConformingEventLog {
  append(
    namespace: string,
    events: readonly ConformingEvent[],
  ): Promise<
    {
      readonly position: ConformingPosition;
      readonly duplicate: boolean;
      readonly before?: ConformingPosition;
    }[]
  >;
  read(
    namespace: string,
    after: ConformingPosition,
    limit: number,
  ): Promise<ConformingEntry[] | { readonly gap: ConformingGapReason; readonly range: ConformingRange }>;
  ranges(namespaces: readonly string[]): Promise<Map<string, ConformingRange>>;
  size(namespace: string): Promise<{
    readonly kept: number;
    readonly removed: number;
    readonly keptBytes: number;
    readonly removedBytes: number;
  }>;
  topics(
    namespace: string,
    page: { after: string | null; limit: number },
  ): Promise<
    { readonly topic: string; readonly count: number; readonly perSecond: number; readonly last: ConformingPosition }[]
  >;
}

export interface ConformingGroupSettings {
  readonly topics: readonly string[];
  readonly ackDeadlineMs: number;
  readonly maxDeliveries: number;
}

export interface ConformingOffer {
  readonly after: ConformingPosition;
  readonly entries: readonly ConformingEntry[];
  readonly upTo: ConformingPosition;
}

export interface ConformingDelivery {
  readonly position: ConformingPosition;
  readonly life: number;
  readonly attempt: number;
  readonly text: string;
}

export interface ConformingClaimOutcome {
  readonly deliveries: readonly ConformingDelivery[];
  readonly cursor: ConformingPosition;
  readonly room: number;
  readonly nextDueMs: number | null;
  readonly gap: { readonly lost: number | null; readonly reason: ConformingGapReason } | null;
}

export interface ConformingDeliveryRef {
  readonly position: ConformingPosition;
  readonly life: number;
  readonly attempt: number;
}

export interface ConformingDeadLetter {
  readonly position: ConformingPosition;
  readonly life: number;
  readonly attempt: number;
  readonly text: string;
  readonly deadAt: number;
  readonly history: readonly {
    readonly attempt: number;
    readonly consumer: string;
    readonly deliveredAt: number;
    readonly failedAt: number;
    readonly reason: string | null;
  }[];
  readonly ordinal: number;
}

export interface ConformingGroup extends ConformingGroupSettings {
  readonly group: string;
  readonly cursor: ConformingPosition;
  readonly lag: number;
  readonly inFlight: number;
  readonly waiting: number;
  readonly deadLetters: number;
}

export interface ConformingGroupStore {
  open(
    namespace: string,
    group: string,
    settings: ConformingGroupSettings,
    from: 'latest' | 'earliest',
  ): Promise<{ cursor: ConformingPosition; created: boolean }>;
  find(namespace: string, group: string): Promise<ConformingGroupSettings | null>;
  claim(
    namespace: string,
    group: string,
    request: { consumer: string; maxInFlight: number; max: number; offer: ConformingOffer | null },
  ): Promise<ConformingClaimOutcome>;
  ack(namespace: string, group: string, deliveries: readonly ConformingDeliveryRef[]): Promise<number>;
  nack(
    namespace: string,
    group: string,
    deliveries: readonly ConformingDeliveryRef[],
    how: { delayMs: number; reason: string | null },
  ): Promise<number>;
  deadLetters(
    namespace: string,
    group: string,
    page: { after: number | null; limit: number },
  ): Promise<{ readonly letters: readonly ConformingDeadLetter[]; readonly next: number | null }>;
  redrive(namespace: string, group: string, positions: readonly ConformingPosition[] | null): Promise<number>;
  discard(namespace: string, group: string, positions: readonly ConformingPosition[] | null): Promise<number>;
  list(namespace: string): Promise<ConformingGroup[]>;
}

export interface ConformingBusStore {
  readonly log: ConformingEventLog;
  readonly groups: ConformingGroupStore;
  check(): Promise<string | null>;
  housekeep(): Promise<void>;
  close(): Promise<void>;
}

/** Two stores as two replicas have them, on one backend. */
export interface ConformingStores {
  first: ConformingBusStore;
  second: ConformingBusStore;
  /** Takes a namespace's log away, as a backend that lost it would, and leaves its groups. */
  loseLog(namespace: string): Promise<void>;
  /** Ends what stands behind the two; the suite closes the stores. */
  close?(): Promise<void>;
}

/**
 * Called once for each set of settings that a suite needs, some of which are in use at the same time. All may stand on one
 * backend: the suites take a new namespace for each test.
 */
export type OpenStores = (settings: ConformingLogSettings) => Promise<ConformingStores>;

/** Limits that no test reaches. */
export const ROOMY: ConformingLogSettings = {
  retention: { maxEvents: 1_000_000, maxBytes: 2 ** 30, maxAgeMs: 86_400_000 },
  dedupWindowMs: 3_600_000,
};

export const newNamespace = (): string => `conformance-${randomUUID().slice(0, 18)}`;

/** Stores with settings of their own, until the test is over. */
export async function openForTest(open: OpenStores, settings: ConformingLogSettings): Promise<ConformingStores> {
  const stores = await open(settings);
  onTestFinished(() => closeStores(stores));
  return stores;
}

export async function closeStores(stores: ConformingStores): Promise<void> {
  await Promise.all([stores.first.close(), stores.second.close()]);
  await stores.close?.();
}

export function newEvent(fields: Partial<ConformingEvent> = {}): ConformingEvent {
  const id = randomUUID();
  return { id, source: '/agents/default/worker-1', topic: 'jobs.done', text: JSON.stringify({ id }), ...fields };
}

export const newEvents = (count: number, fields: Partial<ConformingEvent> = {}): ConformingEvent[] =>
  Array.from({ length: count }, () => newEvent(fields));

/** An event whose text has `bytes` bytes. */
export function newEventOf(bytes: number): ConformingEvent {
  const shell = JSON.stringify({ data: '' });
  return newEvent({ text: JSON.stringify({ data: 'x'.repeat(bytes - shell.length) }) });
}

/** How one log stands. */
export async function rangeOf(log: ConformingEventLog, namespace: string): Promise<ConformingRange> {
  const range = (await log.ranges([namespace])).get(namespace);
  if (range === undefined) throw new Error('ranges() left out what it was asked for');
  return range;
}

/** Entries, where no gap is expected. */
export async function entriesOf(
  log: ConformingEventLog,
  namespace: string,
  after: ConformingPosition,
  limit = 1_000,
): Promise<ConformingEntry[]> {
  const answer = await log.read(namespace, after, limit);
  if ('gap' in answer) throw new Error(`read() met a gap: ${answer.gap}`);
  return answer;
}

/** Everything behind `after`, page by page. */
export async function allEntries(
  log: ConformingEventLog,
  namespace: string,
  after: ConformingPosition,
): Promise<ConformingEntry[]> {
  const entries: ConformingEntry[] = [];
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
