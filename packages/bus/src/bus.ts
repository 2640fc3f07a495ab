// The event bus as its callers see it: publish, subscribe, read, consumer groups, policies.
import {
  type ClaimInput,
  type ClaimResult,
  type ConsumeInput,
  CORE_SOURCE,
  type CountResult,
  type DeadLetterChoice,
  type DeadLettersInput,
  type DeadLettersResult,
  type GroupInfo,
  type NackInput,
  type PublishInput,
  type PublishManyResult,
  type PublishResult,
  type ReadInput,
  type ReadResult,
  SwarmError,
  type SubscribeInput,
  type SwarmEvent,
  type TopicsInput,
  type TopicsResult,
} from '@hypercode/contracts';
import { systemClock } from '@hypercode/clock';
import { refusalOf } from '@hypercode/stores';
import type { Signal, StreamBatch } from '@hypercode/feed';
import type { Kysely } from 'kysely';
import { admit } from './admission/admit.ts';
import { type BusCaller, type CircuitOf, sourceOf } from './admission/caller.ts';
import { RateLimit } from './admission/rate-limit.ts';
import { type Append, AppendLanes } from './appending/append-lanes.ts';
import { checkEvent, givenId } from './appending/check-events.ts';
import { encodeEvent } from './appending/encode-event.ts';
import type { GroupItem } from './groups/delivery.ts';
import { groupSettings, Groups } from './groups/groups.ts';
import { type Access, aclDenied } from './policies/access.ts';
import { Policies } from './policies/policies.ts';
import type { PolicySchema } from './policies/policy-table.ts';
import type { BusStore } from './store/bus-store.ts';
import type { Appended, LogEntry, NewEvent } from './store/event-log.ts';
import { formatPosition, type LogPosition, positionIn } from './store/position.ts';
import { EventFeeds } from './subscriptions/event-feeds.ts';
import type { SubscriptionItem } from './subscriptions/event-item.ts';
import { Subscriptions } from './subscriptions/subscriptions.ts';
import { passing, type TopicFilter } from './subscriptions/topic-filter.ts';

export interface BusOptions {
  store: BusStore;
  /** Where policies are kept. */
  db: Kysely<PolicySchema>;
  signal: Signal;
  /** The circuits of agents, which the registry decides. */
  circuitOf: CircuitOf;
  /** Events a second that a caller may publish through this replica; 0 is no limit. */
  publishPerSecond: number;
  /** Told of failures in the background; each is tried again by itself. */
  onError: (error: unknown) => void;
  clock?: BusClock;
  /** How often subscribers without news get a bookmark, in milliseconds; default 15,000. */
  bookmarkIntervalMs?: number;
}

/** Time, so that tests can hold it. */
export interface BusClock {
  /** Milliseconds since the epoch. */
  now(): number;
  /** Milliseconds that never go back. */
  monotonicNow(): number;
}

const SYSTEM_CLOCK: BusClock = { now: () => Date.now(), monotonicNow: () => performance.now() };

/** Hears of what goes on inside a bus. */
export interface BusObserver {
  /** An append was done: how many events were new, how many were there already, and how long it took. */
  onAppend(append: { published: number; duplicates: number; ms: number }): void;
}

/** An agent that pauses for a second may publish a second's worth at once. */
const PUBLISH_BURST_SECONDS = 1;
/** Pages of the log that one `read` looks through: who reads for what is rare must not keep the store busy. */
const MAX_READ_PAGES = 10;
/** Of events, as JSON, after which the answer to a `read` ends. */
const MAX_READ_BYTES = 4 * 1024 * 1024;
/** How often retention is applied to what nobody appends to, in milliseconds. */
const HOUSEKEEPING_INTERVAL_MS = 15_000;

export class Bus {
  readonly policies: Policies;
  readonly groups: Groups;
  readonly #options: BusOptions;
  readonly #clock: BusClock;
  readonly #feeds: EventFeeds;
  readonly #subscriptions: Subscriptions;
  readonly #rate: RateLimit;
  readonly #lanes: AppendLanes;
  readonly #observers = new Set<BusObserver>();
  readonly #housekeeping: NodeJS.Timeout;
  #tidying: Promise<void> = Promise.resolve();

  constructor(options: BusOptions) {
    const { store, db, signal, onError, publishPerSecond, bookmarkIntervalMs } = options;
    this.#options = options;
    this.#clock = options.clock ?? SYSTEM_CLOCK;
    this.policies = new Policies({ db, signal, clock: systemClock, onError });
    this.#feeds = new EventFeeds({ log: store.log, signal, clock: systemClock, onError });
    this.#lanes = new AppendLanes({
      log: store.log,
      onAppended: (append) => this.#appended(append),
      monotonicNow: () => this.#clock.monotonicNow(),
    });
    this.#subscriptions = new Subscriptions({
      feeds: this.#feeds,
      clock: systemClock,
      ...(bookmarkIntervalMs === undefined ? {} : { bookmarkIntervalMs }),
    });
    this.groups = new Groups({ store: store.groups, feeds: this.#feeds, signal, onError });
    this.#rate = new RateLimit({
      perSecond: publishPerSecond,
      burstSeconds: PUBLISH_BURST_SECONDS,
      now: () => this.#clock.monotonicNow(),
    });
    this.#housekeeping = setInterval(() => {
      this.#tidying = this.housekeep().catch(onError);
    }, HOUSEKEEPING_INTERVAL_MS);
  }

  /**
   * Publishes one event. Resolves when the store has it. FORBIDDEN, ACL_DENIED, CIRCUIT_OPEN, RATE_LIMITED, PAYLOAD_TOO_LARGE;
   * UNAVAILABLE when the outcome is unknown: publishing again with the id in `details` can not make two of it.
   */
  async publish(caller: BusCaller, namespace: string, input: PublishInput): Promise<PublishResult> {
    const access = await this.#accessOf(caller, namespace);
    const now = this.#clock.now();
    admit({ caller, access, circuitOf: this.#options.circuitOf, rate: this.#rate, now }, input.topic);
    const event = encodeEvent(input, { namespace, source: sourceOf(caller), now: timeOf(now) });
    try {
      const [appended] = await this.#lanes.append(namespace, [event]);
      if (appended === undefined) throw new Error('the append returned no result');
      return resultOf(event, appended);
    } catch (error) {
      throw withId(error, event.id);
    }
  }

  /** Publishes events in their order, as one call; each is admitted by itself, and one refusal spares the others. */
  async publishMany(caller: BusCaller, namespace: string, given: readonly unknown[]): Promise<PublishManyResult> {
    const access = await this.#accessOf(caller, namespace);
    const now = this.#clock.now();
    const gate = { caller, access, circuitOf: this.#options.circuitOf, rate: this.#rate, now };
    const origin = { namespace, source: sourceOf(caller), now: timeOf(now) };
    const results: PublishManyResult['results'] = Array.from({ length: given.length });
    const events: NewEvent[] = [];
    const places: number[] = [];
    for (const [place, one] of given.entries()) {
      try {
        const input = checkEvent(one);
        if (input instanceof SwarmError) throw input;
        admit(gate, input.topic);
        events.push(encodeEvent(input, origin));
        places.push(place);
      } catch (error) {
        results[place] = { id: givenId(one), error: SwarmError.from(error).toJSON() };
      }
    }
    if (events.length === 0) return { results };
    let appended: Appended[] | null = null;
    let refusal: SwarmError | null = null;
    try {
      appended = await this.#lanes.append(namespace, events);
    } catch (error) {
      refusal = refusalOf(error);
      if (refusal.code === 'INTERNAL') throw error;
    }
    for (const [index, event] of events.entries()) {
      const place = places[index];
      const answer = appended?.[index];
      if (place === undefined) continue;
      if (answer !== undefined) results[place] = resultOf(event, answer);
      else results[place] = { id: event.id, error: withId(refusal, event.id).toJSON() };
    }
    return { results };
  }

  /** Publishes what the core itself has to say; its topic begins with `system.`. */
  async publishSystem(namespace: string, input: PublishInput): Promise<PublishResult> {
    const event = encodeEvent(input, { namespace, source: CORE_SOURCE, now: timeOf(this.#clock.now()) });
    const [appended] = await this.#lanes.append(namespace, [event]);
    if (appended === undefined) throw new Error('the append returned no result');
    return resultOf(event, appended);
  }

  /** See `Subscriptions.open`. Ends with ACL_DENIED when the policy no longer allows it. */
  async *subscribe(
    caller: BusCaller,
    { namespace, topics, from, lastEventId }: SubscribeInput,
    signal: AbortSignal,
  ): AsyncGenerator<StreamBatch<SubscriptionItem>, void, undefined> {
    yield* this.#subscriptions.open(
      {
        namespace,
        from,
        lastEventId,
        filter: () => this.#filterFor(caller, namespace, topics),
        onChange: (listener) => this.policies.onChange(namespace, listener),
      },
      signal,
    );
  }

  /**
   * A page of events; empty, and with a `next` that moves, when none was among those that were looked through; shorter than
   * `limit` when they come to about 4 MiB, or are rare. `next` says where to go on. ACL_DENIED; COMPACTED for a position that the log can not tell about any more.
   */
  async read(caller: BusCaller, { namespace, topics, after, limit }: ReadInput): Promise<ReadResult> {
    const passes = passing(await this.#filterFor(caller, namespace, topics));
    let position = after === undefined ? (await this.#feeds.head(namespace)).horizon : positionIn(after, 'after');
    const events: ReadResult['events'] = [];
    let bytes = 0;
    const isFull = () => events.length === limit || bytes >= MAX_READ_BYTES;
    for (let pages = 0; pages < MAX_READ_PAGES && !isFull(); pages += 1) {
      const read = await this.#feeds.read(namespace, position);
      if (!Array.isArray(read)) {
        // Retention went by meanwhile: the next call is told, unless it did not matter where to begin.
        if (events.length > 0) break;
        if (after === undefined) {
          position = read.range.horizon;
          continue;
        }
        const oldest = formatPosition(read.range.horizon);
        throw new SwarmError('COMPACTED', `the events after this position are no longer available (${read.gap})`, {
          details: { reason: read.gap, oldest },
        });
      }
      for (const entry of read) {
        if (isFull()) break;
        position = entry.position;
        if (!passes(entry.topic)) continue;
        bytes += Buffer.byteLength(entry.text);
        events.push({ position: formatPosition(entry.position), event: JSON.parse(entry.text) as SwarmEvent });
      }
      if (read.length === 0) break;
    }
    return { events, next: formatPosition(position) };
  }

  /** See `Groups.consume`. Ends with ACL_DENIED when the policy no longer allows it. */
  async *consume(
    caller: BusCaller,
    input: ConsumeInput,
    over: AbortController,
  ): AsyncGenerator<StreamBatch<GroupItem>, void, undefined> {
    const { namespace, group, topics, from, consumer, maxInFlight } = input;
    const release = this.#endWhenDenied(caller, { namespace, topics }, over);
    try {
      await this.#assertMayConsume(caller, namespace, topics);
      const request = { namespace, group, settings: groupSettings(input), from, consumer, maxInFlight };
      yield* this.groups.consume(request, over.signal);
    } finally {
      release();
    }
  }

  /** See `Groups.claim`. Ends with ACL_DENIED when the policy no longer allows it, with the signal's reason if that is a refusal. */
  async claim(caller: BusCaller, input: ClaimInput, signal: AbortSignal): Promise<ClaimResult> {
    const { namespace, group, topics, from, max, waitMs, consumer = caller.name } = input;
    const over = new AbortController();
    const end = () => over.abort(signal.reason);
    const release = this.#endWhenDenied(caller, { namespace, topics }, over);
    signal.addEventListener('abort', end);
    if (signal.aborted) end();
    try {
      await this.#assertMayConsume(caller, namespace, topics);
      const settings = groupSettings(input);
      return await this.groups.claim({ namespace, group, settings, from, consumer, max, waitMs }, over.signal);
    } finally {
      signal.removeEventListener('abort', end);
      release();
    }
  }

  async ack(caller: BusCaller, namespace: string, group: string, deliveryIds: readonly string[]): Promise<number> {
    await this.#assertMember(caller, namespace, group);
    return this.groups.ack(namespace, group, deliveryIds);
  }

  async nack(caller: BusCaller, { namespace, group, deliveryIds, delayMs, reason }: NackInput): Promise<number> {
    await this.#assertMember(caller, namespace, group);
    return this.groups.nack(namespace, group, { deliveryIds, delayMs, reason });
  }

  /** They hold events, so they are for those who may hear these. */
  async deadLetters(caller: BusCaller, input: DeadLettersInput): Promise<DeadLettersResult> {
    const { namespace, group, limit, cursor } = input;
    const { topics } = await this.groups.settingsOf(namespace, group);
    await this.#assertMayHearAll(caller, namespace, topics);
    const after = cursor === undefined ? null : ordinalIn(cursor);
    const { deadLetters, next } = await this.groups.deadLetters(namespace, group, { after, limit });
    return { deadLetters, nextCursor: next === null ? null : String(next) };
  }

  async redrive(caller: BusCaller, { namespace, group, deliveryIds }: DeadLetterChoice): Promise<CountResult> {
    await this.#assertMember(caller, namespace, group);
    return { count: await this.groups.redrive(namespace, group, deliveryIds ?? null) };
  }

  async discard(caller: BusCaller, { namespace, group, deliveryIds }: DeadLetterChoice): Promise<CountResult> {
    await this.#assertMember(caller, namespace, group);
    return { count: await this.groups.discard(namespace, group, deliveryIds ?? null) };
  }

  async topics({ namespace, limit, cursor }: TopicsInput): Promise<TopicsResult> {
    const { log } = this.#options.store;
    const [found, size] = await Promise.all([
      log.topics(namespace, { after: cursor ?? null, limit: limit + 1 }),
      log.size(namespace),
    ]);
    const shown = found.slice(0, limit);
    return {
      log: { ...size, retention: log.retention },
      topics: shown.map(({ last, ...topic }) => ({ ...topic, lastPosition: formatPosition(last) })),
      nextCursor: found.length > limit ? (shown.at(-1)?.topic ?? null) : null,
    };
  }

  listGroups(namespace: string): Promise<GroupInfo[]> {
    return this.groups.list(namespace);
  }

  /** The groups of the namespaces that this replica follows, as the store has them now. */
  async servedGroups(): Promise<(GroupInfo & { namespace: string })[]> {
    const namespaces = [...this.#feeds.running.keys()];
    const lists = await Promise.all(
      namespaces.map(async (namespace) =>
        (await this.groups.list(namespace)).map((group) => Object.assign(group, { namespace })),
      ),
    );
    return lists.flat();
  }

  /** What the rings of the followed logs hold now. */
  get rings(): { namespaces: number; entries: number; bytes: number } {
    const running = [...this.#feeds.running.values()];
    return {
      namespaces: running.length,
      entries: running.reduce((sum, { feed }) => sum + feed.ring.size, 0),
      bytes: running.reduce((sum, { feed }) => sum + feed.ring.bytes, 0),
    };
  }

  /** Tells `observer` what goes on inside, for measurement. Returns what ends it. */
  observe(observer: BusObserver): () => void {
    this.#observers.add(observer);
    return () => this.#observers.delete(observer);
  }

  /** Applies retention now. */
  housekeep(): Promise<void> {
    return this.#options.store.housekeep();
  }

  /** Lets what is under way finish, and stops following. Store and database stay open. */
  async close(): Promise<void> {
    clearInterval(this.#housekeeping);
    this.#subscriptions.close();
    await this.groups.close();
    await this.#feeds.close();
    await this.policies.close();
    await this.#tidying;
  }

  #appended({ namespace, events, appended, ms }: Append): void {
    const entries: LogEntry[] = [];
    let before: LogPosition | undefined;
    for (const [index, { topic, text }] of events.entries()) {
      const answer = appended[index];
      if (answer === undefined || answer.duplicate) continue;
      before ??= answer.before;
      entries.push({ position: answer.position, topic, text });
    }
    if (entries.length > 0) this.#feeds.appended(namespace, entries, before);
    const append = { published: entries.length, duplicates: events.length - entries.length, ms };
    for (const observer of this.#observers) observer.onAppend(append);
  }

  /** Null for operators, whom no policy limits. */
  #accessOf(caller: BusCaller, namespace: string): Access | null | Promise<Access> {
    return caller.kind === 'agent' ? this.policies.accessOf(namespace, caller.role, caller.name) : null;
  }

  async #filterFor(caller: BusCaller, namespace: string, topics: readonly string[]): Promise<TopicFilter> {
    const access = await this.#accessOf(caller, namespace);
    if (access === null) return { patterns: topics, hidden: [] };
    for (const pattern of topics) {
      const decision = access.subscribe(pattern);
      if (!decision.allowed) throw aclDenied(access, 'subscribe', pattern, decision);
    }
    return { patterns: topics, hidden: access.hidden };
  }

  async #assertMayHearAll(caller: BusCaller, namespace: string, topics: readonly string[]): Promise<void> {
    const access = await this.#accessOf(caller, namespace);
    if (access === null) return;
    for (const pattern of topics) {
      const decision = access.consume(pattern);
      if (!decision.allowed) throw aclDenied(access, 'subscribe', pattern, decision);
    }
  }

  async #assertMayConsume(caller: BusCaller, namespace: string, topics: readonly string[]): Promise<void> {
    if (caller.kind === 'operator' && caller.readOnly) {
      throw new SwarmError('FORBIDDEN', 'a viewer token cannot consume from groups');
    }
    await this.#assertMayHearAll(caller, namespace, topics);
  }

  /** Aborts `over` with the refusal once the policy no longer allows it. Returns what ends that. */
  #endWhenDenied(
    caller: BusCaller,
    { namespace, topics }: { namespace: string; topics: readonly string[] },
    over: AbortController,
  ): () => void {
    return this.policies.onChange(namespace, () => {
      this.#assertMayConsume(caller, namespace, topics).catch((error: unknown) => over.abort(refusalOf(error)));
    });
  }

  async #assertMember(caller: BusCaller, namespace: string, group: string): Promise<void> {
    const { topics } = await this.groups.settingsOf(namespace, group);
    await this.#assertMayConsume(caller, namespace, topics);
  }
}

const resultOf = ({ id }: NewEvent, { position, duplicate }: Appended): PublishResult => ({
  id,
  position: formatPosition(position),
  duplicate,
});

/** An unknown outcome, with the id to try again with. */
function withId(error: unknown, id: string): SwarmError {
  const refusal = refusalOf(error);
  if (refusal.code !== 'UNAVAILABLE') return refusal;
  const { message, retryAfterMs, cause } = refusal;
  return new SwarmError('UNAVAILABLE', message, {
    details: { id },
    cause,
    ...(retryAfterMs === undefined ? {} : { retryAfterMs }),
  });
}

function ordinalIn(cursor: string): number {
  if (/^\d{1,15}$/.test(cursor)) return Number(cursor);
  const reason = 'was not returned by this query';
  throw new SwarmError('INVALID_INPUT', `invalid input: cursor: ${reason}`, { details: [{ path: 'cursor', reason }] });
}

const timeOf = (ms: number): string => new Date(ms).toISOString();
