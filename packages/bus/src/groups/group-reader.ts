// One consumer group on this replica: what it may take next comes from the feed's ring, so that no group reads the log by itself.
import type { Clock } from '@hypercode/clock';
import type { Follower } from '@hypercode/feed';
import type { LogEntry, Retention } from '../store/event-log.ts';
import { groupNotFound, isDeleted } from '../store/group-refusals.ts';
import type { ClaimOutcome, ClaimRequest, GroupStore, UsedGroup } from '../store/group-store.ts';
import { hasAll, isSamePosition, type LogPosition } from '../store/position.ts';
import { type EventFeeds, type FollowedEvents, holds } from '../subscriptions/event-feeds.ts';
import { projectionOf } from '../subscriptions/topic-filter.ts';

export interface GroupReaderOptions {
  namespace: string;
  group: string;
  /** The group as it was opened. */
  state: UsedGroup;
  store: Pick<GroupStore, 'claim'>;
  feeds: Pick<EventFeeds, 'read'>;
  followed: FollowedEvents;
  /** What the log keeps. */
  retention: Retention;
  /** Where the group's cursor was when it was opened. */
  cursor: LogPosition;
  clock: Pick<Clock, 'schedule'>;
}

export interface Claim {
  consumer: string;
  maxInFlight: number;
  max: number;
  /** Asks the store only if there is something to find when the claim's turn comes, as far as is known here. */
  ifPromising?: boolean;
  /** Who claims; others on this replica that have room are left their share of what is unread. */
  by?: Member;
  /** See `ClaimRequest`. */
  isSign?: boolean;
}

/** A member of the group on this replica. */
export interface Member {
  /** There may be something to claim. */
  onChange(): void;
  /** And the store may have room for this member where it had none. */
  onRoom(): void;
  /** Whether it would take a delivery now, as far as it knows. */
  readonly hasRoom: boolean;
}

/** Most events offered in one claim, and about how many bytes of them: stores are sent them and have to answer in time. */
const MAX_OFFER = 1000;
const MAX_OFFER_BYTES = 4 * 1024 * 1024;
/** How much larger the next offer of a claim is, when nothing of the last one was handed out. */
const OFFER_GROWTH = 4;
/** Most deliveries remembered as handed out here; those that are settled through other replicas, or never, are forgotten at last. */
const MAX_OPEN = 100_000;
/**
 * What other replicas handed out comes due without a notification when they die, so each replica with members checks after a
 * quarter of the ack deadline, within these bounds, in milliseconds.
 */
const MIN_RECHECK_MS = 250;
const MAX_RECHECK_MS = 5000;
/** How much longer an event whose deadline passed with a member is left to those of other replicas, in milliseconds. */
const PATIENCE_MARGIN_MS = 250;
/** Calls of `advance`, about one a second, that may leave a cursor where it is; and the least maximal age of events that allows it. */
const PATIENT_CALLS = 10;
const SHORT_AGE_MS = 60_000;

type Offer = NonNullable<ClaimRequest['offer']>;

/**
 * Members claim one after the other, each with an offer that begins at the cursor as it is known here. When another replica has
 * moved the cursor, the claim takes nothing and returns where it is, and a new offer begins there. When the settings were changed, the
 * claim takes nothing either and returns them, and a new offer is made by them.
 *
 * What operators do is learned from the answers to claims: a notification, or a check every few seconds, makes every member claim.
 * - paused: no member claims because of unread events. A claim that finds the group resumed ends that.
 * - deleted: every claim ends with NOT_FOUND (`details.deleted`), without a call of the store.
 */
export class GroupReader {
  readonly #options: GroupReaderOptions;
  readonly #members = new Set<Member>();
  #state: UsedGroup;
  #paused: boolean;
  #deleted = false;
  readonly #release: () => void;
  #follower: Follower<LogPosition, LogEntry>;
  readonly #listening: Promise<void>;
  #turn: Promise<unknown> = Promise.resolve();
  #cursor: LogPosition;
  /** Whether the store may hold something due that is not known here. */
  #due = true;
  /** Calls of `advance` that left the cursor where it was, before the end. */
  #patientCalls = 0;
  /** Calls of `tick`. */
  #ticks = 0;
  /** Who gets the odd place of the next answer: what is unread, after an answer that held none of it. So claims of one event alternate. */
  #oddPlace: NonNullable<Offer['oddPlace']> = 'due';
  /** Cancels the check that is scheduled. */
  #cancelRecheck = (): void => {};
  /** What was handed out here and not settled here, by `seq`. */
  readonly #open = new Set<number>();
  #closed = false;

  constructor(options: GroupReaderOptions) {
    const { state, cursor } = options;
    this.#options = options;
    this.#state = state;
    this.#paused = state.paused !== null;
    this.#cursor = cursor;
    this.#release = options.followed.use();
    this.#follower = this.#follow();
    this.#listening = this.#listen();
  }

  /** Notifies `member` when a claim may bring something, until the returned function is called. */
  join(member: Member): () => void {
    this.#members.add(member);
    return () => this.#members.delete(member);
  }

  get size(): number {
    return this.#members.size;
  }

  /** Where the group's cursor is, as far as is known here; another replica may have moved it on. */
  get cursor(): LogPosition {
    return this.#cursor;
  }

  /** The group, with the settings in force, as far as is known here. */
  get state(): UsedGroup {
    return this.#state;
  }

  /** Whether the group hands nothing out, as far as is known here. */
  get paused(): boolean {
    return this.#paused;
  }

  /** Whether a claim would find something, as far as is known here. */
  get promising(): boolean {
    return this.#due || this.#deleted || (!this.#paused && this.#hasUnread());
  }

  /** Something may have become due, and room may have come: an ack, a nack, a redrive, a deadline. */
  tick(): void {
    this.#due = true;
    this.#ticks += 1;
    for (const member of this.#members) member.onRoom();
  }

  /** Notes what was settled through this replica. Returns whether all of it had been handed out here. */
  settled(positions: readonly LogPosition[]): boolean {
    let own = true;
    for (const { seq } of positions) own = this.#open.delete(seq) && own;
    this.tick();
    return own;
  }

  /** The store has made the group anew. */
  restart(state: UsedGroup, cursor: LogPosition): void {
    this.#cursor = cursor;
    this.#open.clear();
    this.learn(state);
    this.tick();
  }

  /** Takes over the group as the store has it: from now on offers are made by its settings. */
  learn(state: UsedGroup): void {
    const { id, version } = this.#state;
    this.#state = state;
    this.#setPaused(state.paused !== null);
    if (state.id === id && state.version === version) return;
    const former = this.#follower;
    this.#follower = this.#follow();
    former.leave();
    former.alarm.ring();
    this.#due = true;
    for (const member of this.#members) member.onChange();
  }

  /** Rejects as the store does: NOT_FOUND when it has lost the group, with `details.deleted` when the group was deleted. */
  claim(claim: Claim): Promise<ClaimOutcome> {
    const claimed = this.#turn.then(() => {
      if (this.#deleted) throw groupNotFound(this.#options.group, { deleted: true });
      // All members wake together; the first may have taken all there was.
      if (claim.ifPromising === true && !this.promising) return this.#nothing(claim);
      return this.#claim(claim);
    });
    this.#turn = claimed.catch(() => undefined);
    return claimed;
  }

  /**
   * Moves the group's cursor past events that do not match its topics, so that retention does not overtake it. Each time is a commit
   * of the store, so it is done when retention or the ring may soon pass the cursor, else at every tenth call.
   */
  async advance(): Promise<void> {
    const { end } = this.#options.followed.feed;
    if (this.#members.size === 0 || hasAll(end, this.#cursor) || this.promising) return;
    this.#patientCalls += 1;
    if (this.#patientCalls < PATIENT_CALLS && !this.#isOld()) return;
    this.#patientCalls = 0;
    await this.claim({ consumer: '', maxInFlight: 0, max: 0 });
  }

  async close(): Promise<void> {
    this.#closed = true;
    this.#cancelRecheck();
    this.#follower.leave();
    this.#follower.alarm.ring();
    for (const member of this.#members) member.onChange();
    await this.#listening;
    await this.#turn;
    this.#release();
  }

  async #claim({ consumer, maxInFlight, max: wanted, by, isSign = true }: Claim): Promise<ClaimOutcome> {
    let growth = 1;
    for (;;) {
      const max = by === undefined ? wanted : this.#shareOf(by, wanted);
      const offer = await this.#offer(Math.min(max * growth, MAX_OFFER));
      this.#due = true;
      const ticks = this.#ticks;
      const patienceMs = this.#recheckMs + PATIENCE_MARGIN_MS;
      const { id: groupId } = this.#state;
      const outcome = await this.#ask({ groupId, consumer, isSign, patienceMs, maxInFlight, max, offer });
      this.#cursor = outcome.cursor;
      this.#setPaused(outcome.paused);
      if (outcome.changed?.id === this.#state.id) this.learn({ ...outcome.changed, id: this.#state.id });
      this.#handedOut(outcome.deliveries);
      if (outcome.deliveries.length > 0) this.#oddPlace = hasUnread(outcome, offer) ? 'due' : 'unread';
      // The others are notified before it when there is more.
      if (outcome.deliveries.length > 0 && by !== undefined && this.#members.delete(by)) this.#members.add(by);
      // What there was no room for is still due, also what a silent member was not handed, and so may be what was settled meanwhile.
      const isLeft = max > 0 && (outcome.room === 0 || outcome.isSilent || outcome.deliveries.length >= max);
      this.#due = isLeft || this.#ticks !== ticks || this.#members.size === 0;
      // Deliveries are due but no member has room. No timer is needed: room comes with an ack or a deadline, which call `tick`.
      const waitsForRoom = max > 0 && outcome.nextDueMs === 0 && outcome.deliveries.length === 0;
      this.#recheckIn(waitsForRoom ? null : outcome.nextDueMs);
      const isRefused = outcome.isSilent || outcome.paused;
      const isDone = outcome.deliveries.length > 0 || outcome.gap !== null || outcome.room === 0 || isRefused;
      // As long as the cursor moves, there may be something after what did not match, or what the group holds.
      const hasMoved = offer !== null && !isSamePosition(offer.after, outcome.cursor);
      const goesOn = hasMoved || outcome.changed !== null;
      if (isDone || !goesOn || this.#closed || !this.#hasUnread()) return outcome;
      growth *= OFFER_GROWTH;
    }
  }

  /** How many of the deliveries that `member` wants it may claim: all, unless so few are unread that others would get none. */
  #shareOf(member: Member, wanted: number): number {
    let others = 0;
    for (const other of this.#members) if (other !== member && other.hasRoom) others += 1;
    if (others === 0 || wanted <= 1) return wanted;
    const unread = this.#follower.after(this.#cursor, wanted * (others + 1))?.items.length ?? 0;
    return unread === 0 ? wanted : Math.min(wanted, Math.ceil(unread / (others + 1)));
  }

  async #ask(request: ClaimRequest): Promise<ClaimOutcome> {
    const { store, namespace, group } = this.#options;
    try {
      return await store.claim(namespace, group, request);
    } catch (error) {
      if (isDeleted(error)) {
        this.#deleted = true;
        for (const member of this.#members) member.onRoom();
      }
      throw error;
    }
  }

  #setPaused(paused: boolean): void {
    if (paused === this.#paused) return;
    this.#paused = paused;
    for (const member of this.#members) member.onChange();
  }

  #nothing({ maxInFlight }: Claim): ClaimOutcome {
    const paused = this.#paused;
    const nothing = { deliveries: [], nextDueMs: null, gap: null, isSilent: false, changed: null };
    return { ...nothing, cursor: this.#cursor, room: maxInFlight, paused };
  }

  #handedOut(deliveries: ClaimOutcome['deliveries']): void {
    for (const { position } of deliveries) this.#open.add(position.seq);
    for (const seq of this.#open) {
      if (this.#open.size <= MAX_OPEN) return;
      this.#open.delete(seq);
    }
  }

  /** Unread events after the cursor, out of the ring; out of the log when the ring does not reach back so far. */
  async #offer(limit: number): Promise<Offer | null> {
    const { feeds, namespace, followed } = this.#options;
    const after = this.#cursor;
    const { version } = this.#state;
    if (holds(followed.feed, after)) {
      const unread = this.#follower.after(after, Math.max(limit, 1), MAX_OFFER_BYTES);
      if (unread !== null && (limit > 0 || unread.items.length === 0)) {
        return { version, after, entries: unread.items, upTo: unread.upTo, oddPlace: this.#oddPlace };
      }
    }
    if (limit === 0) return null;
    const read = await feeds.read(namespace, after);
    // The store knows that retention overtook the group, and reports the gap to the claim.
    if (!Array.isArray(read)) return null;
    const projection = this.#projection();
    const matching = read.map((entry) => projection.project(entry)).filter((entry) => entry !== null);
    const entries = matching.slice(0, limit);
    const last = entries.length < matching.length ? entries.at(-1) : read.at(-1);
    return { version, after, entries, upTo: last?.position ?? after, oddPlace: this.#oddPlace };
  }

  /** Whether there is something to take after the cursor; true when the ring does not reach back to it. */
  #hasUnread(): boolean {
    const unread = this.#follower.after(this.#cursor, 1);
    return unread === null || unread.items.length > 0;
  }

  /** Whether the cursor stands in the older half of the ring, or the ring holds so much that retention may keep little more. */
  #isOld(): boolean {
    const { followed, retention } = this.#options;
    const { ring } = followed.feed;
    const { seq } = this.#cursor;
    if (seq - ring.start.seq < ring.end.seq - seq) return true;
    const { maxEvents, maxBytes, maxAgeMs } = retention;
    return 2 * ring.size > maxEvents || 2 * ring.bytes > maxBytes || maxAgeMs < SHORT_AGE_MS;
  }

  get #recheckMs(): number {
    return Math.min(Math.max(this.#state.ackDeadlineMs / 4, MIN_RECHECK_MS), MAX_RECHECK_MS);
  }

  #recheckIn(nextDueMs: number | null): void {
    this.#cancelRecheck();
    if (this.#closed || this.#members.size === 0) return;
    const waitMs = Math.min(nextDueMs ?? this.#recheckMs, this.#recheckMs);
    this.#cancelRecheck = this.#options.clock.schedule(waitMs + 1, () => this.tick());
  }

  #projection() {
    return projectionOf({ patterns: this.#state.topics, hidden: [] }, (entry) => entry);
  }

  #follow(): Follower<LogPosition, LogEntry> {
    return this.#options.followed.broadcasts.groups.join(this.#projection());
  }

  /** Notifies the members when the feed brings something for them, and follows it again when the feed begins anew. */
  async #listen(): Promise<void> {
    const { feed } = this.#options.followed;
    while (!this.#closed && !feed.closed) {
      const follower = this.#follower;
      await follower.alarm.wait();
      if (this.#closed || feed.closed) return;
      if (follower !== this.#follower) continue;
      if (this.#follower.after(feed.end, 1) === null) {
        this.#follower.leave();
        this.#follower = this.#follow();
        this.#due = true;
      }
      for (const member of this.#members) member.onChange();
    }
  }
}

/** Whether the answer holds an event of the offer. */
const hasUnread = ({ deliveries }: ClaimOutcome, offer: Offer | null): boolean =>
  offer !== null && deliveries.some(({ position }) => position.seq > offer.after.seq);
