// The event bus as its callers see it: publish, subscribe, read, consumer groups, policies.
import { type Clock, repeat, systemClock } from '@hypercode/clock';
import {
  type Capability,
  type ChangedPolicy,
  type ClaimInput,
  type ClaimResult,
  type ConsumeInput,
  type CountResult,
  type DeadLetterChoice,
  type DeadLettersInput,
  type DeadLettersResult,
  type ExtendInput,
  type ExtendResult,
  type FindInput,
  type FindResult,
  type GetGroupInput,
  type GetGroupResult,
  type GroupInfo,
  type GroupsInput,
  type GroupsResult,
  invalidField,
  LIMITS,
  type NackInput,
  type Policy,
  type PolicyAction,
  type PolicyExplanation,
  type PolicyHistory,
  type PolicyHistoryInput,
  type PolicyRules,
  type PublishInput,
  type PublishManyResult,
  type PublishResult,
  type ReadInput,
  type ReadResult,
  type StreamReport,
  type SubscribeInput,
  type TopicsInput,
  type TopicsResult,
} from '@hypercode/contracts';
import type { Signal, StreamBatch } from '@hypercode/feed';
import type { Kysely } from 'kysely';
import type { PublishRate } from './admission/admit.ts';
import { CallerAccess } from './admission/caller-access.ts';
import { type BusCaller, type CircuitOf, sourceOf } from './admission/caller.ts';
import type { EventOrigin } from './appending/event-origin.ts';
import { type EventIntake, type PublishObserver, Publishing } from './appending/publishing.ts';
import type { GroupItem } from './groups/delivery.ts';
import { type DeathNotice, DeathReports } from './groups/death-reports.ts';
import { GroupAccess } from './groups/group-access.ts';
import { GroupOwners, type IsAgent } from './groups/group-owners.ts';
import { GroupRights } from './groups/group-rights.ts';
import type { GroupObserver } from './groups/group-observer.ts';
import { OwnedGroups } from './groups/owned-groups.ts';
import { type GroupNotice, GroupSteering } from './groups/group-steering.ts';
import { type ClaimRoom, Groups, type GroupTally } from './groups/groups.ts';
import { Policies, type PolicyAgent, type PolicyChange } from './policies/policies.ts';
import type { OpenStream } from './policies/open-streams.ts';
import type { PolicySchema } from './policies/policy-table.ts';
import type { BusStore } from './store/bus-store.ts';
import type { GroupLimits } from './store/group-store.ts';
import { formatPosition } from './store/position.ts';
import { EventFeeds } from './subscriptions/event-feeds.ts';
import type { SubscriptionItem } from './subscriptions/event-item.ts';
import { EventReads } from './subscriptions/event-reads.ts';
import { EventSearch } from './subscriptions/event-search.ts';
import { LiveStreams } from './subscriptions/live-streams.ts';
import { Subscriptions } from './subscriptions/subscriptions.ts';
import { passing, type TopicFilter } from './subscriptions/topic-filter.ts';
import { type Surroundings, Tracing } from './tracing/tracing.ts';

export interface BusOptions {
  store: BusStore;
  /** Where policies are kept. */
  db: Kysely<PolicySchema>;
  signal: Signal;
  /** The circuits of agents, which the registry decides. */
  circuitOf: CircuitOf;
  /** Which agents there are, as the registry knows: a group with the name of an agent is its own. */
  isAgent: IsAgent;
  /** What else the registry and the other replicas know. */
  surroundings: Surroundings;
  /** Looks at events before they are published. Default: none does. */
  intake?: EventIntake;
  /** How many groups there may be. Default: no limit. */
  groupLimits?: GroupLimits;
  /** Called when an operator has changed a group. */
  onGroupChange?: (notice: GroupNotice) => void;
  /** Called when events of a group have died: at most once in 10 seconds for each group, over all replicas. */
  onDeaths?: (notice: DeathNotice) => void;
  /** How many events a second each caller may publish through this replica. */
  rate: PublishRate;
  /** How many bytes of events, as JSON, a second. */
  byteRate: PublishRate;
  /** Called with failures in the background; each is tried again by itself. */
  onError: (error: unknown) => void;
  clock?: Clock;
  /** How often subscribers that have everything, and members of groups, get a bookmark, in milliseconds; default 15,000. */
  bookmarkIntervalMs?: number;
}

/** Is notified of what a bus does, for measurement. */
export interface BusObserver extends Partial<GroupObserver>, PublishObserver {
  /**
   * A stream of events begins. The returned function is called with the events of each batch; streams that are sent the same are given the
   * same array.
   */
  onStream?(namespace: string, reader: string): (events: readonly EventOrigin[]) => void;
}

/** How often retention is applied to logs without appends, in milliseconds. */
const RETENTION_INTERVAL_MS = 15_000;
/** How often groups are removed whose agents are gone, in milliseconds, and how many events are read at a time for that. */
const OWNERSHIP_INTERVAL_MS = 60_000;
const OWNED_PAGE = 1000;

export class Bus {
  /** What operators do with groups. */
  readonly steering: GroupSteering;
  /** What becomes of events. */
  readonly tracing: Tracing;
  readonly #options: BusOptions;
  readonly #policies: Policies;
  readonly #access: CallerAccess;
  readonly #groups: Groups;
  readonly #groupRights: GroupRights;
  readonly #groupAccess: GroupAccess;
  readonly #feeds: EventFeeds;
  readonly #subscriptions: Subscriptions;
  readonly #publishing: Publishing;
  readonly #reads: EventReads;
  readonly #search: EventSearch;
  readonly #live = new LiveStreams();
  readonly #observers = new Set<BusObserver>();
  readonly #endRetention: () => void;
  readonly #ownedGroups: OwnedGroups;
  readonly #endOwnership: () => void;
  readonly #deathReports: DeathReports;
  #retaining: Promise<void> = Promise.resolve();
  #removing: Promise<void> = Promise.resolve();

  constructor(options: BusOptions) {
    const { store, db, signal, onError, bookmarkIntervalMs, clock = systemClock } = options;
    this.#options = options;
    this.#policies = new Policies({ db, signal, clock, onError });
    this.#feeds = new EventFeeds({ log: store.log, signal, clock, onError });
    this.#reads = new EventReads(store.log, this.#feeds);
    this.#search = new EventSearch(store.log);
    this.#subscriptions = new Subscriptions({
      feeds: this.#feeds,
      log: store.log,
      clock,
      ...(bookmarkIntervalMs === undefined ? {} : { bookmarkIntervalMs }),
    });
    this.#groups = new Groups({
      store: store.groups,
      log: store.log,
      feeds: this.#feeds,
      signal,
      clock,
      onError,
      limits: options.groupLimits,
      observers: this.#observers,
      ...(bookmarkIntervalMs === undefined ? {} : { bookmarkIntervalMs }),
    });
    this.#deathReports = new DeathReports({
      store: store.groups,
      clock,
      observers: this.#observers,
      tally: this.#groups.tally,
      onNotice: (notice) => options.onDeaths?.(notice),
      onError,
    });
    const onNotice = (notice: GroupNotice) => options.onGroupChange?.(notice);
    this.steering = new GroupSteering({ store: store.groups, log: store.log, groups: this.#groups, onNotice });
    this.#ownedGroups = new OwnedGroups({
      store: store.groups,
      read: (namespace, after) => store.log.read(namespace, after, OWNED_PAGE),
      isAgent: options.isAgent,
      onNotice,
    });
    this.#endOwnership = repeat(clock, OWNERSHIP_INTERVAL_MS, () => {
      this.#removing = this.removeIdleGroups().catch(onError);
      return this.#removing;
    });
    this.#access = new CallerAccess(this.#policies);
    const owners = new GroupOwners({ isAgent: options.isAgent, clock });
    this.#groupRights = new GroupRights({ policies: this.#policies, owners });
    this.tracing = new Tracing({
      store,
      surroundings: options.surroundings,
      live: this.#live,
      search: this.#search,
      reads: this.#reads,
      access: this.#access,
      rights: this.#groupRights,
      policies: this.#policies,
      clock,
    });
    this.#publishing = new Publishing({
      log: store.log,
      access: this.#access,
      circuitOf: options.circuitOf,
      rate: options.rate,
      byteRate: options.byteRate,
      clock,
      observers: this.#observers,
      intake: options.intake,
      assertTaken: (namespace, event) => this.tracing.assertTaken(namespace, event),
      onAppended: (namespace, entries, before) => this.#feeds.appended(namespace, entries, before),
    });
    this.#groupAccess = new GroupAccess({
      groups: this.#groups,
      access: this.#access,
      rights: this.#groupRights,
      policies: this.#policies,
      clock,
      onError,
    });
    this.#endRetention = repeat(clock, RETENTION_INTERVAL_MS, () => {
      this.#retaining = this.applyRetention().catch(onError);
      return this.#retaining;
    });
  }

  /** See `Publishing.publish`. */
  publish(caller: BusCaller, namespace: string, input: PublishInput): Promise<PublishResult> {
    return this.#publishing.publish(caller, namespace, input);
  }

  /** See `Publishing.publishMany`. */
  publishMany(caller: BusCaller, namespace: string, given: readonly unknown[]): Promise<PublishManyResult> {
    return this.#publishing.publishMany(caller, namespace, given);
  }

  /** See `Publishing.publishSystem`. */
  publishSystem(namespace: string, input: PublishInput): Promise<PublishResult> {
    return this.#publishing.publishSystem(namespace, input);
  }

  /** See `Subscriptions.open`. Ends with ACL_DENIED when the policy no longer allows it. */
  async *subscribe(
    caller: BusCaller,
    { namespace, topics, from, lastEventId }: SubscribeInput,
    signal: AbortSignal,
  ): AsyncGenerator<StreamBatch<SubscriptionItem>, void, undefined> {
    const leave = this.#enter(caller, namespace, { kind: 'subscribe', topics, group: null });
    const stream = this.#live.open(namespace, {
      kind: caller.kind,
      caller: sourceOf(caller),
      role: caller.kind === 'agent' ? caller.role : null,
      topics,
    });
    try {
      yield* this.#subscriptions.open(
        {
          stream,
          namespace,
          from,
          lastEventId,
          filter: () => this.#filterFor(caller, namespace, topics),
          onChange: (listener) => this.#policies.onChange(namespace, listener),
          onEvents: this.#countReads(caller, namespace),
        },
        signal,
      );
    } finally {
      stream.leave();
      leave();
    }
  }

  /** The subscriptions that are open on this replica, by namespace. */
  streams(): Map<string, StreamReport> {
    return this.#live.report();
  }

  /** See `EventReads.read`. ACL_DENIED. */
  async read(caller: BusCaller, { topics, ...input }: ReadInput): Promise<ReadResult> {
    const { namespace } = input;
    const filter =
      topics === undefined
        ? await this.#access.readableTopics(caller, namespace)
        : await this.#filterFor(caller, namespace, topics);
    return this.#reads.read(input, passing(filter));
  }

  /** See `EventSearch.find`. Events that the caller may not read are left out. */
  async find(caller: BusCaller, input: FindInput): Promise<FindResult> {
    return this.#search.find(input, passing(await this.#access.readableTopics(caller, input.namespace)));
  }

  /** See `GroupAccess.consume`, and for the calls below their namesakes there. */
  async *consume(
    caller: BusCaller,
    input: ConsumeInput,
    over: AbortController,
  ): AsyncGenerator<StreamBatch<GroupItem>, void, undefined> {
    const { namespace, group } = input;
    const topics = input.topics ?? (await this.#groups.topicsOf(namespace, group));
    const leave = this.#enter(caller, namespace, { kind: 'consume', topics: [...topics], group });
    try {
      yield* this.#groupAccess.consume(caller, input, over);
    } finally {
      leave();
    }
  }

  claim(caller: BusCaller, input: ClaimInput, signal: AbortSignal, room?: ClaimRoom): Promise<ClaimResult> {
    return this.#groupAccess.claim(caller, input, signal, room);
  }

  ack(caller: BusCaller, namespace: string, group: string, deliveryIds: readonly string[]): Promise<number> {
    return this.#groupAccess.ack(caller, namespace, group, deliveryIds);
  }

  nack(caller: BusCaller, input: NackInput): Promise<number> {
    return this.#groupAccess.nack(caller, input);
  }

  extend(caller: BusCaller, input: ExtendInput): Promise<ExtendResult> {
    return this.#groupAccess.extend(caller, input);
  }

  group(caller: BusCaller, input: GetGroupInput): Promise<GetGroupResult> {
    return this.#groupAccess.view(caller, input);
  }

  deadLetters(caller: BusCaller, input: DeadLettersInput): Promise<DeadLettersResult> {
    return this.#groupAccess.deadLetters(caller, input);
  }

  redrive(caller: BusCaller, choice: DeadLetterChoice): Promise<CountResult> {
    return this.#groupAccess.redrive(caller, choice);
  }

  discard(caller: BusCaller, choice: DeadLetterChoice): Promise<CountResult> {
    return this.#groupAccess.discard(caller, choice);
  }

  /** The policy in force on this replica. */
  getPolicy(namespace: string): Promise<Policy> {
    return this.#policies.get(namespace);
  }

  /** See `Policies.assertMayOffer`. */
  assertMayOffer(namespace: string, role: string, capabilities: readonly Pick<Capability, 'id'>[]): Promise<void> {
    return this.#policies.assertMayOffer(namespace, role, capabilities);
  }

  /** See `Policies.change`. */
  changePolicy(
    namespace: string,
    changed: (policy: Policy) => PolicyRules,
    change: PolicyChange,
  ): Promise<ChangedPolicy> {
    return this.#policies.change(namespace, changed, change);
  }

  /** The versions of the policy that are kept, the newest first. INVALID_INPUT for a cursor that this call did not return. */
  policyHistory({ namespace, limit, cursor }: PolicyHistoryInput): Promise<PolicyHistory> {
    return this.#policies.history(namespace, { limit, cursor });
  }

  /** Whether the policy allows one action of an agent, and why. INVALID_INPUT without what the action is about. */
  async explainPolicy(
    namespace: string,
    agent: PolicyAgent,
    { action, topic, group }: { action: PolicyAction; topic?: string | undefined; group?: string | undefined },
  ): Promise<PolicyExplanation> {
    if (action === 'consume') {
      if (group === undefined) throw invalidField('group', 'is needed for `consume`');
      return this.#groupRights.explain(namespace, agent, group);
    }
    if (topic === undefined) throw invalidField('topic', 'is needed for `publish` and `subscribe`');
    return this.#policies.explain(namespace, agent, { action, topic });
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

  /** A page of groups by name; to an agent, those that it may consume. */
  async groups(caller: BusCaller, { namespace, limit, cursor }: GroupsInput): Promise<GroupsResult> {
    const groups: GroupInfo[] = [];
    let after = cursor ?? null;
    for (;;) {
      // Read by pages, so that no more are in memory. One more than the page: whether there is a next page.
      const read = await this.#groups.list(namespace, { after, limit: LIMITS.groupsPage });
      groups.push(...(await this.#groupRights.visible(caller, namespace, read)));
      after = read.at(-1)?.group ?? null;
      if (groups.length > limit || read.length < LIMITS.groupsPage) break;
    }
    const shown = groups.slice(0, limit);
    return { groups: shown, nextCursor: groups.length > limit ? (shown.at(-1)?.group ?? null) : null };
  }

  /** All groups, or those that the agent may consume. */
  async listGroups(caller: BusCaller, namespace: string): Promise<GroupInfo[]> {
    return this.#groupRights.visible(caller, namespace, await this.#groups.list(namespace));
  }

  /** The groups of the namespaces that this replica follows, as the store has them now. */
  async servedGroups(): Promise<(GroupInfo & { namespace: string })[]> {
    const namespaces = [...this.#feeds.running.keys()];
    const lists = await Promise.all(
      namespaces.map(async (namespace) =>
        (await this.#groups.list(namespace)).map((group) => Object.assign(group, { namespace })),
      ),
    );
    return lists.flat();
  }

  /** The namespaces that have a log of events, in no order. */
  namespaces(): Promise<string[]> {
    return this.#options.store.namespaces();
  }

  /** What the log of a namespace keeps, and how many groups there are. */
  async sizeOf(namespace: string): Promise<{ kept: number; bytes: number; groups: number }> {
    const { log, groups } = this.#options.store;
    const [{ kept, keptBytes }, count] = await Promise.all([log.size(namespace), groups.count(namespace)]);
    return { kept, bytes: keptBytes, groups: count };
  }

  /** What became of the deliveries of this replica since it began. */
  get deliveries(): Readonly<GroupTally> {
    return this.#groups.tally;
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

  /** Namespaces whose policy is in memory. */
  get policiesInMemory(): number {
    return this.#policies.size;
  }

  /** Notifies `observer` until the returned function is called. */
  observe(observer: BusObserver): () => void {
    this.#observers.add(observer);
    return () => this.#observers.delete(observer);
  }

  /** Applies retention now. */
  applyRetention(): Promise<void> {
    return this.#options.store.applyRetention();
  }

  /** Removes the groups of agents that are gone, and in which nothing is left to do, now. */
  removeIdleGroups(): Promise<void> {
    return this.#ownedGroups.removeIdle();
  }

  /** Reports deaths in groups that were not reported yet, now. */
  reportDeaths(): Promise<void> {
    return this.#deathReports.report();
  }

  /** Lets what is under way finish, and stops following. Store and database stay open. */
  async close(): Promise<void> {
    this.#endRetention();
    this.#endOwnership();
    await this.#deathReports.close();
    this.#subscriptions.close();
    await this.#groups.close();
    await this.#groupAccess.close();
    await this.#feeds.close();
    await this.#policies.close();
    await this.#retaining;
    await this.#removing;
  }

  #countReads(caller: BusCaller, namespace: string): (events: readonly EventOrigin[]) => void {
    const reader = caller.kind === 'agent' ? caller.name : sourceOf(caller);
    const counts = [...this.#observers].flatMap((observer) => observer.onStream?.(namespace, reader) ?? []);
    return (events) => {
      for (const count of counts) count(events);
    };
  }

  /** Counts a stream of an agent among those that a change of policy can end. Returns what ends that. */
  #enter(caller: BusCaller, namespace: string, stream: Pick<OpenStream, 'kind' | 'topics' | 'group'>): () => void {
    if (caller.kind === 'operator') return () => undefined;
    const { name, role } = caller;
    return this.#policies.streams.add(namespace, { name, role, ...stream });
  }

  async #filterFor(caller: BusCaller, namespace: string, topics: readonly string[]): Promise<TopicFilter> {
    return { patterns: topics, hidden: await this.#access.hiddenTopics(caller, namespace, topics) };
  }
}
