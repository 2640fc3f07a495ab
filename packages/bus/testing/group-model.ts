// A consumer group in memory, as the port's list of states has it, to hold a driver's against.
import fc from 'fast-check';
import { expect } from 'vitest';
import { at, entriesOf, newEvents, newNamespace, rangeOf } from './bus-store.ts';
import type { BusStore } from '../src/store/bus-store.ts';
import type { LogEntry } from '../src/store/event-log.ts';
import type { ClaimOutcome, DeliveryRef, OpenedGroup } from '../src/store/group-store.ts';
import type { LogPosition } from '../src/store/position.ts';
import { readFates } from '../src/tracing/group-fate.ts';
import { ModelJournal } from './group-model-journal.ts';

const GROUP = 'workers';
/** Of all events. */
const TOPIC = 'jobs.done';
/** Neither a deadline nor a delay ends while a test runs. */
const NEVER_MS = 3_600_000;
const SETTINGS = { topics: ['>'], ackDeadlineMs: NEVER_MS, maxDeliveries: 2 };
const CONSUMERS = ['ann', 'bob'] as const;
const OPERATOR = '/operators/ops';

type Consumer = (typeof CONSUMERS)[number];

interface ModelEvent {
  readonly entry: LogEntry;
  state: 'in flight' | 'due' | 'delayed' | 'dead' | 'gone';
  life: number;
  attempt: number;
  uncounted: number;
  consumer: Consumer;
  history: { attempt: number; consumer: string; reason: string | null }[];
}

/** Picks events by number among all that were ever taken. */
type Choice = readonly number[];

/** How far what a step names is from what it is. */
interface Off {
  readonly life: number;
  readonly attempt: number;
  readonly uncounted: number;
}

export type GroupStep =
  | { readonly do: 'append'; readonly count: number }
  | {
      readonly do: 'claim';
      readonly consumer: Consumer;
      readonly maxInFlight: number;
      readonly max: number;
      readonly offer: 'fresh' | 'stale' | 'none' | 'every other';
      readonly oddPlace: 'due' | 'unread';
      /** Whether the offer is made by the settings before the last change. */
      readonly outdated: boolean;
    }
  | { readonly do: 'ack'; readonly choice: Choice; readonly off: Off }
  | { readonly do: 'nack'; readonly choice: Choice; readonly off: Off; readonly delayed: boolean }
  | { readonly do: 'give back' | 'extend'; readonly choice: Choice; readonly off: Off }
  | { readonly do: 'redrive' | 'discard'; readonly choice: Choice | null }
  | { readonly do: 'pause' | 'resume' | 'delete' }
  | { readonly do: 'update'; readonly maxDeliveries: number; readonly topics: readonly string[] | null }
  | { readonly do: 'seek'; readonly to: 'earliest' | 'latest' | number; readonly dropOpen: boolean };

const choice = fc.array(fc.nat({ max: 1_000 }), { minLength: 1, maxLength: 4 });
const mostlyZero = fc.oneof({ weight: 4, arbitrary: fc.constant(0) }, { weight: 1, arbitrary: fc.constantFrom(-1, 1) });
const off: fc.Arbitrary<Off> = fc.record({ life: mostlyZero, attempt: mostlyZero, uncounted: mostlyZero });
const step: fc.Arbitrary<GroupStep> = fc.oneof(
  fc.record({ do: fc.constant('append' as const), count: fc.integer({ min: 1, max: 4 }) }),
  {
    weight: 3,
    arbitrary: fc.record({
      do: fc.constant('claim' as const),
      consumer: fc.constantFrom(...CONSUMERS),
      maxInFlight: fc.integer({ min: 1, max: 5 }),
      max: fc.integer({ min: 1, max: 5 }),
      offer: fc.constantFrom(
        'fresh' as const,
        'fresh' as const,
        'stale' as const,
        'none' as const,
        'every other' as const,
      ),
      oddPlace: fc.constantFrom('due' as const, 'unread' as const),
      outdated: fc.oneof({ weight: 5, arbitrary: fc.constant(false) }, fc.constant(true)),
    }),
  },
  fc.record({ do: fc.constant('ack' as const), choice, off }),
  {
    weight: 3,
    arbitrary: fc.record({ do: fc.constant('nack' as const), choice, off, delayed: fc.boolean() }),
  },
  fc.record({ do: fc.constantFrom('give back' as const, 'extend' as const), choice, off }),
  fc.record({ do: fc.constantFrom('redrive' as const, 'discard' as const), choice: fc.option(choice) }),
  fc.record({ do: fc.constantFrom('pause' as const, 'resume' as const, 'resume' as const) }),
  fc.record({
    do: fc.constant('update' as const),
    maxDeliveries: fc.integer({ min: 1, max: 3 }),
    topics: fc.option(fc.constantFrom(['>'], ['other'], [TOPIC, 'other'])),
  }),
  {
    weight: 2,
    arbitrary: fc.record({
      do: fc.constant('seek' as const),
      to: fc.oneof(fc.constantFrom('earliest' as const, 'latest' as const), fc.nat({ max: 1_000 })),
      dropOpen: fc.boolean(),
    }),
  },
);
/** Seldom, since a group that is deleted begins anew. */
const anyStep = fc.oneof({ weight: 30, arbitrary: step }, fc.record({ do: fc.constant('delete' as const) }));

const same = (actual: unknown, wanted: unknown): void => expect(actual).toEqual(wanted);
const alike = (actual: unknown, wanted: object): void => expect(actual).toMatchObject(wanted);

/** The group as it should be. Its steps are taken in both, and what they answer is compared. */
export class GroupModel {
  static readonly steps: fc.Arbitrary<GroupStep[]> = fc.array(anyStep, { minLength: 5, maxLength: 40, size: 'max' });

  /** Takes the steps in a new namespace, one after the other, on each replica in turn. */
  static async run(replicas: readonly BusStore[], steps: readonly GroupStep[]): Promise<void> {
    const namespace = newNamespace();
    const model = new GroupModel(namespace, await at(replicas, 0).groups.open(namespace, GROUP, SETTINGS, 'latest'));
    for (const [index, next] of steps.entries()) {
      await model.#take(at(replicas, index % replicas.length), next);
      await model.#compare(at(replicas, (index + 1) % replicas.length));
    }
    await model.#compareDeaths(at(replicas, 0));
  }

  readonly #namespace: string;
  readonly #beginning: LogPosition;
  /** Where each event of the log stands, by its seq; the first is the beginning. */
  readonly #positions: LogPosition[];
  #id: string;
  #secret: string | null;
  #cursor: LogPosition;
  /** The furthest position that the cursor has reached. */
  #furthest: number;
  /** The life of events that are taken again. */
  #replayLife = 0;
  #lives = 0;
  #deaths = 0;
  #version = 1;
  #maxDeliveries = SETTINGS.maxDeliveries;
  #topics: readonly string[] = SETTINGS.topics;
  readonly #journal: ModelJournal;
  #paused = false;
  /** Every event that the group has ever taken, by its seq. */
  readonly #taken = new Map<number, ModelEvent>();
  /** In the order of their deaths. */
  #dead: ModelEvent[] = [];
  /** Why each that ever died did, the last reason of its history. */
  #everDead: (string | null)[] = [];

  private constructor(namespace: string, { state, cursor }: OpenedGroup) {
    this.#namespace = namespace;
    this.#id = state.id;
    this.#secret = state.secret;
    this.#cursor = cursor;
    this.#beginning = cursor;
    this.#furthest = cursor.seq;
    this.#positions = [cursor];
    this.#journal = new ModelJournal(cursor, TOPIC);
  }

  async #take(store: BusStore, next: GroupStep): Promise<void> {
    switch (next.do) {
      case 'append': {
        const appended = await store.log.append(this.#namespace, newEvents(next.count));
        this.#positions.push(...appended.map(({ position }) => position));
        break;
      }
      case 'claim':
        await this.#claim(store, next);
        break;
      case 'ack': {
        const chosen = this.#chosen(next.choice);
        const settled = next.off.life < 0 ? [] : chosen.filter(({ state }) => state !== 'gone');
        same(await store.groups.ack(this.#namespace, GROUP, refs(chosen, next.off)), settled.length);
        for (const event of settled) {
          this.#journal.acked(event.entry.position.seq, event);
          this.#leave(event, 'gone');
        }
        break;
      }
      case 'nack':
        await this.#nack(store, next);
        break;
      case 'give back': {
        const [chosen, open] = this.#openAmong(next);
        same(await store.groups.giveBack(this.#namespace, GROUP, refs(chosen, next.off)), open.length);
        for (const event of open) {
          event.state = 'due';
          event.attempt -= 1;
          event.uncounted += 1;
        }
        break;
      }
      case 'extend': {
        const [chosen, open] = this.#openAmong(next);
        const extended = await store.groups.extend(this.#namespace, GROUP, refs(chosen, next.off), NEVER_MS);
        same(extended.extended, open.length);
        same(extended.dueAt === null, open.length === 0);
        break;
      }
      case 'redrive':
      case 'discard': {
        const chosen = next.choice === null ? null : this.#chosen(next.choice);
        const moved = (chosen ?? [...this.#dead]).filter(({ state }) => state === 'dead');
        const positions = chosen?.map(({ entry }) => entry.position) ?? null;
        const isRedrive = next.do === 'redrive';
        const settling = isRedrive
          ? store.groups.redrive(this.#namespace, GROUP, positions)
          : store.groups.discard(this.#namespace, GROUP, positions, OPERATOR);
        same(await settling, moved.length);
        const life = isRedrive && moved.length > 0 ? this.#nextLife() : 0;
        for (const event of moved) {
          if (!isRedrive) this.#journal.discarded(event.entry.position.seq, event, OPERATOR);
          this.#leave(event, isRedrive ? 'due' : 'gone');
          if (isRedrive) Object.assign(event, { life, attempt: 0, uncounted: 0, history: [] });
        }
        if (life > 0 && this.#cursor.seq < this.#furthest) this.#replayLife = this.#nextLife();
        break;
      }
      case 'pause':
      case 'resume': {
        const wanted = next.do === 'pause';
        const answer = wanted
          ? store.groups.pause(this.#namespace, GROUP, { reason: null, by: '/operators/ops' })
          : store.groups.resume(this.#namespace, GROUP);
        alike(await answer, { changed: wanted !== this.#paused, state: { id: this.#id } });
        this.#paused = wanted;
        break;
      }
      case 'update': {
        const { maxDeliveries } = next;
        const topics = next.topics ?? this.#topics;
        const changed = maxDeliveries !== this.#maxDeliveries || String(topics) !== String(this.#topics);
        this.#version += changed ? 1 : 0;
        this.#maxDeliveries = maxDeliveries;
        this.#topics = topics;
        const state = { id: this.#id, version: this.#version, maxDeliveries, topics, made: SETTINGS };
        const set = { maxDeliveries, ...(next.topics === null ? {} : { topics: [...topics] }) };
        alike(await store.groups.update(this.#namespace, GROUP, set), { changed, state });
        break;
      }
      case 'seek':
        await this.#seek(store, next);
        break;
      case 'delete':
        await this.#delete(store);
        break;
    }
  }

  async #claim(store: BusStore, request: GroupStep & { do: 'claim' }): Promise<void> {
    const { consumer, maxInFlight, max, oddPlace, outdated } = request;
    const unread = await entriesOf(store.log, this.#namespace, this.#cursor);
    const every = request.offer === 'every other' ? 2 : 1;
    const entries = unread.filter((_, index) => index % every === 0);
    const after = request.offer === 'stale' ? this.#beginning : this.#cursor;
    const upTo = unread.at(-1)?.position ?? this.#cursor;
    const version = outdated ? this.#version - 1 : this.#version;
    const offer = request.offer === 'none' ? null : { version, after, entries, upTo, oddPlace };
    const groupId = this.#id;
    const outcome = await store.groups.claim(this.#namespace, GROUP, { groupId, consumer, maxInFlight, max, offer });

    const open = this.#in('in flight').filter((event) => event.consumer === consumer).length;
    same(outcome.paused, this.#paused);
    same(outcome.cursor.epoch, this.#cursor.epoch);
    same(outcome.gap, null);
    same(outcome.room, Math.max(0, maxInFlight - open - outcome.deliveries.length));
    if (this.#paused) {
      alike(outcome, { deliveries: [], cursor: this.#cursor, nextDueMs: null, changed: null });
      return;
    }
    same(outcome.changed?.version ?? null, offer !== null && outdated ? this.#version : null);

    const free = Math.max(0, Math.min(max, maxInFlight - open));
    const due = this.#in('due');
    const accepted = offer !== null && !outdated && after.seq === this.#cursor.seq;
    const isHeld = ({ position }: LogEntry) => (this.#taken.get(position.seq)?.state ?? 'gone') !== 'gone';
    const takeable = entries.filter((entry) => !isHeld(entry)).length;
    const half = oddPlace === 'unread' ? Math.ceil(free / 2) : Math.floor(free / 2);
    const dueTaken = Math.min(due.length, accepted ? free - Math.min(half, takeable) : free);
    const fresh: LogEntry[] = [];
    let passed = 0;
    for (const entry of accepted ? entries : []) {
      if (!isHeld(entry)) {
        if (fresh.length === free - dueTaken) break;
        fresh.push(entry);
      }
      passed += 1;
    }
    this.#redelivered(outcome.deliveries.slice(0, dueTaken), consumer);
    this.#takenFrom(fresh, outcome.deliveries.slice(dueTaken), consumer);
    if (accepted) {
      const cursor = passed === entries.length ? upTo : (entries[passed - 1]?.position ?? this.#cursor);
      this.#journal.read(this.#cursor.seq, cursor.seq, this.#topics);
      this.#moveTo(cursor);
    }

    same(outcome.cursor, this.#cursor);
    if (this.#in('due').length > 0) same(outcome.nextDueMs, 0);
    else if (this.#in('in flight', 'delayed').length > 0) same((outcome.nextDueMs ?? 0) > 0, true);
    else same(outcome.nextDueMs, null);
  }

  #redelivered(deliveries: ClaimOutcome['deliveries'], consumer: Consumer): void {
    for (const { position, life, attempt, uncounted, text } of deliveries) {
      const event = this.#taken.get(position.seq);
      alike(event, { state: 'due', life, attempt: attempt - 1, uncounted, entry: { position, text } });
      if (event !== undefined) Object.assign(event, { state: 'in flight', attempt, consumer });
    }
  }

  #takenFrom(fresh: readonly LogEntry[], deliveries: ClaimOutcome['deliveries'], consumer: Consumer): void {
    const lifeOf = ({ position }: LogEntry) => (position.seq <= this.#furthest ? this.#replayLife : 0);
    same(
      deliveries.map(({ dueAt: _, ...delivery }) => delivery),
      fresh.map((entry) => {
        const { position, text } = entry;
        return { position, life: lifeOf(entry), attempt: 1, uncounted: 0, text };
      }),
    );
    for (const entry of fresh) {
      const counts = { life: lifeOf(entry), attempt: 1, uncounted: 0 };
      this.#taken.set(entry.position.seq, { entry, state: 'in flight', ...counts, consumer, history: [] });
    }
  }

  #moveTo(position: LogPosition): void {
    this.#cursor = position;
    this.#furthest = Math.max(this.#furthest, position.seq);
  }

  async #seek(store: BusStore, { to, dropOpen }: GroupStep & { do: 'seek' }): Promise<void> {
    const place = to === 'earliest' ? 0 : to === 'latest' ? -1 : to % this.#positions.length;
    const cursor = at(this.#positions, place);
    const open = dropOpen ? this.#in('in flight', 'due', 'delayed') : [];
    const target = typeof to === 'number' ? cursor : to;
    alike(await store.groups.seek(this.#namespace, GROUP, target, { dropOpen }), {
      before: this.#cursor,
      cursor,
      dropped: open.length,
      state: { id: this.#id },
    });
    for (const event of open) {
      this.#journal.dropped(event.entry.position.seq, event);
      this.#leave(event, 'gone');
    }
    this.#journal.sought(this.#cursor.seq, cursor.seq);
    this.#replayLife = this.#nextLife();
    this.#moveTo(cursor);
  }

  async #delete(store: BusStore): Promise<void> {
    const [groupId, request] = [this.#id, { consumer: 'ann', maxInFlight: 1, max: 1, offer: null }];
    same((await store.groups.delete(this.#namespace, GROUP)).id, groupId);
    const refusedAsDeleted = async (call: Promise<unknown>): Promise<void> => {
      const refusal = await call.catch((error: unknown) => error);
      alike(refusal, { code: 'NOT_FOUND', details: { deleted: true } });
    };
    await refusedAsDeleted(store.groups.open(this.#namespace, GROUP, SETTINGS, 'earliest', { groupId }));
    const { state, cursor } = await store.groups.open(this.#namespace, GROUP, SETTINGS, 'latest');
    await refusedAsDeleted(store.groups.claim(this.#namespace, GROUP, { groupId, ...request }));
    this.#id = state.id;
    same(state.secret === this.#secret, false);
    this.#secret = state.secret;
    this.#cursor = cursor;
    this.#furthest = cursor.seq;
    this.#everDead = [];
    [this.#lives, this.#deaths, this.#replayLife, this.#version] = [0, 0, 0, 1];
    this.#maxDeliveries = SETTINGS.maxDeliveries;
    this.#topics = SETTINGS.topics;
    this.#journal.beginAnew(cursor);
    this.#paused = false;
    this.#taken.clear();
    this.#dead = [];
  }

  #nextLife(): number {
    this.#lives += 1;
    return this.#lives + this.#deaths;
  }

  #in(...states: ModelEvent['state'][]): ModelEvent[] {
    return [...this.#taken.values()].filter(({ state }) => states.includes(state));
  }

  async #nack(store: BusStore, request: GroupStep & { do: 'nack' }): Promise<void> {
    const [chosen, refused] = this.#openAmong(request);
    const reason = request.delayed ? 'later' : null;
    const how = { delayMs: request.delayed ? NEVER_MS : 0, reason };
    const named = refs(chosen, request.off);
    same(await store.groups.nack(this.#namespace, GROUP, named, how), refused.length);
    for (const event of refused) {
      event.history.push({ attempt: event.attempt, consumer: event.consumer, reason });
      if (event.attempt < this.#maxDeliveries) event.state = request.delayed ? 'delayed' : 'due';
    }
    const died = refused.filter(({ attempt }) => attempt >= this.#maxDeliveries);
    this.#deaths += died.length;
    // Those that die with one call do so in an order that is not promised.
    const { letters } = await store.groups.deadLetters(this.#namespace, GROUP, { after: null, limit: 1_000 });
    const ranks = new Map(letters.map(({ position }, rank) => [position.seq, rank]));
    const rank = ({ entry }: ModelEvent) => ranks.get(entry.position.seq) ?? -1;
    for (const event of died.toSorted((a, b) => rank(a) - rank(b))) {
      event.state = 'dead';
      this.#dead.push(event);
      this.#everDead.push(reason);
    }
  }

  /** All figures, all dead letters, and the fate of every event. */
  async #compare(store: BusStore): Promise<void> {
    const [figures] = await store.groups.list(this.#namespace);
    const count = (...states: ModelEvent['state'][]) => this.#in(...states).length;
    const { head } = await rangeOf(store.log, this.#namespace);
    same(head, at(this.#positions, -1));
    alike(figures, {
      id: this.#id,
      version: this.#version,
      paused: this.#paused ? { by: '/operators/ops', reason: null } : null,
      cursor: this.#cursor,
      lag: head.seq - this.#cursor.seq,
      inFlight: count('in flight'),
      waiting: count('due', 'delayed'),
      deadLetters: count('dead'),
      secret: this.#secret,
      oldestDeadAt: count('dead') > 0 ? expect.any(Number) : null,
      oldestUnreadAt: head.seq > this.#cursor.seq ? expect.any(Number) : null,
    });
    same(figures?.deadByReason, reasonsOf(this.#dead));
    const { letters } = await store.groups.deadLetters(this.#namespace, GROUP, { after: null, limit: 1_000 });
    alike(
      letters,
      this.#dead.map(({ entry, life, attempt, uncounted, history }) => ({
        position: entry.position,
        text: entry.text,
        life,
        attempt,
        uncounted,
        history,
      })),
    );
    for (const position of this.#positions.slice(1)) {
      const fates = await readFates(store.groups, this.#namespace, { position, topic: TOPIC });
      alike(fates, [this.#journal.fateOf(position.seq, this.#taken.get(position.seq), this.#topics)]);
    }
  }

  /** All deaths, which nobody has asked for yet. */
  async #compareDeaths(store: BusStore): Promise<void> {
    const reports = (await store.groups.takeDeaths()).filter(({ namespace }) => namespace === this.#namespace);
    const [namespace, count] = [this.#namespace, this.#everDead.length];
    const report = { namespace, group: GROUP, count, dropped: 0, reasons: counts(this.#everDead) };
    same(reports, count === 0 ? [] : [report]);
  }

  #chosen(numbers: Choice): ModelEvent[] {
    const events = [...this.#taken.values()];
    if (events.length === 0) return [];
    return [...new Set(numbers.map((number) => at(events, number % events.length)))];
  }

  /** What a step names, and what of it is in flight, as it names it. */
  #openAmong({ choice: numbers, off: by }: { choice: Choice; off: Off }): [named: ModelEvent[], open: ModelEvent[]] {
    const named = this.#chosen(numbers);
    const isExact = by.life === 0 && by.attempt === 0 && by.uncounted === 0;
    return [named, isExact ? named.filter(({ state }) => state === 'in flight') : []];
  }

  #leave(event: ModelEvent, state: ModelEvent['state']): void {
    event.state = state;
    this.#dead = this.#dead.filter((dead) => dead !== event);
  }
}

const counts = (reasons: readonly (string | null)[]): Record<string, number> => {
  const found: Record<string, number> = {};
  for (const reason of reasons) found[reason ?? 'no reason'] = (found[reason ?? 'no reason'] ?? 0) + 1;
  return found;
};

const reasonsOf = (events: readonly ModelEvent[]): Record<string, number> =>
  counts(events.map(({ history }) => history.at(-1)?.reason ?? null));

const refs = (events: readonly ModelEvent[], by: Off): DeliveryRef[] =>
  events.map(({ entry, life, attempt, uncounted }) => ({
    position: entry.position,
    life: life + by.life,
    attempt: Math.max(1, attempt) + by.attempt,
    uncounted: uncounted + by.uncounted,
  }));
