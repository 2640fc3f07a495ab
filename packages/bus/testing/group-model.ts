// A consumer group in memory, as the port's list of states has it, to hold a driver's against.
import fc from 'fast-check';
import { expect } from 'vitest';
import { at, entriesOf, newEvents, newNamespace, rangeOf } from './bus-store.ts';
import type { BusStore } from '../src/store/bus-store.ts';
import type { LogEntry } from '../src/store/event-log.ts';
import type { DeliveryRef } from '../src/store/group-store.ts';
import type { LogPosition } from '../src/store/position.ts';

const GROUP = 'workers';
/** Neither a deadline nor a delay ends while a test runs. */
const NEVER_MS = 3_600_000;
const MAX_DELIVERIES = 2;
const CONSUMERS = ['ann', 'bob'] as const;

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
    }
  | { readonly do: 'ack'; readonly choice: Choice; readonly off: Off }
  | { readonly do: 'nack'; readonly choice: Choice; readonly off: Off; readonly delayed: boolean }
  | { readonly do: 'give back' | 'extend'; readonly choice: Choice; readonly off: Off }
  | { readonly do: 'redrive' | 'discard'; readonly choice: Choice | null };

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
    }),
  },
  fc.record({ do: fc.constant('ack' as const), choice, off }),
  {
    weight: 3,
    arbitrary: fc.record({ do: fc.constant('nack' as const), choice, off, delayed: fc.boolean() }),
  },
  fc.record({ do: fc.constantFrom('give back' as const, 'extend' as const), choice, off }),
  fc.record({ do: fc.constantFrom('redrive' as const, 'discard' as const), choice: fc.option(choice) }),
);

const same = (actual: unknown, wanted: unknown): void => expect(actual).toEqual(wanted);
const alike = (actual: unknown, wanted: object): void => expect(actual).toMatchObject(wanted);

/** The group as it should be. Its steps are taken in both, and what they answer is compared. */
export class GroupModel {
  static readonly steps: fc.Arbitrary<GroupStep[]> = fc.array(step, { minLength: 5, maxLength: 40, size: 'max' });

  /** Takes the steps in a new namespace, one after the other, on each replica in turn. */
  static async run(replicas: readonly BusStore[], steps: readonly GroupStep[]): Promise<void> {
    const namespace = newNamespace();
    const settings = { topics: ['>'], ackDeadlineMs: NEVER_MS, maxDeliveries: MAX_DELIVERIES };
    const { cursor } = await at(replicas, 0).groups.open(namespace, GROUP, settings, 'latest');
    const model = new GroupModel(namespace, cursor);
    for (const [index, next] of steps.entries()) {
      await model.#take(at(replicas, index % replicas.length), next);
      await model.#compare(at(replicas, (index + 1) % replicas.length));
    }
  }

  readonly #namespace: string;
  #cursor: LogPosition;
  readonly #beginning: LogPosition;
  #appended = 0;
  /** Every event that the group has ever taken, by its seq. */
  readonly #taken = new Map<number, ModelEvent>();
  /** In the order of their deaths. */
  #dead: ModelEvent[] = [];

  private constructor(namespace: string, cursor: LogPosition) {
    this.#namespace = namespace;
    this.#cursor = cursor;
    this.#beginning = cursor;
  }

  async #take(store: BusStore, next: GroupStep): Promise<void> {
    switch (next.do) {
      case 'append':
        await store.log.append(this.#namespace, newEvents(next.count));
        this.#appended += next.count;
        break;
      case 'claim':
        await this.#claim(store, next);
        break;
      case 'ack': {
        const chosen = this.#chosen(next.choice);
        const settled = chosen.filter(({ state }) => state !== 'gone');
        same(await store.groups.ack(this.#namespace, GROUP, refs(chosen, next.off)), settled.length);
        for (const event of settled) this.#leave(event, 'gone');
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
        same(await store.groups[next.do](this.#namespace, GROUP, positions), moved.length);
        for (const event of moved) {
          this.#leave(event, next.do === 'redrive' ? 'due' : 'gone');
          event.life += 1;
          event.attempt = 0;
          event.uncounted = 0;
          event.history = [];
        }
        break;
      }
    }
  }

  async #claim(store: BusStore, request: GroupStep & { do: 'claim' }): Promise<void> {
    const { consumer, maxInFlight, max, oddPlace } = request;
    const unread = await entriesOf(store.log, this.#namespace, this.#cursor);
    const every = request.offer === 'every other' ? 2 : 1;
    const entries = unread.filter((_, index) => index % every === 0);
    const after = request.offer === 'stale' ? this.#beginning : this.#cursor;
    const upTo = unread.at(-1)?.position ?? this.#cursor;
    const offer = request.offer === 'none' ? null : { after, entries, upTo, oddPlace };
    const outcome = await store.groups.claim(this.#namespace, GROUP, { consumer, maxInFlight, max, offer });

    const events = [...this.#taken.values()];
    const open = events.filter((event) => event.state === 'in flight' && event.consumer === consumer).length;
    const free = Math.max(0, Math.min(max, maxInFlight - open));
    const due = events.filter(({ state }) => state === 'due');
    const accepted = offer !== null && after.seq === this.#cursor.seq;
    const half = oddPlace === 'unread' ? Math.ceil(free / 2) : Math.floor(free / 2);
    const dueTaken = Math.min(due.length, accepted ? free - Math.min(half, entries.length) : free);
    for (const { position, life, attempt, uncounted, text } of outcome.deliveries.slice(0, dueTaken)) {
      const event = this.#taken.get(position.seq);
      alike(event, { state: 'due', life, attempt: attempt - 1, uncounted, entry: { position, text } });
      if (event !== undefined) Object.assign(event, { state: 'in flight', attempt, consumer });
    }

    const fresh = accepted ? entries.slice(0, free - dueTaken) : [];
    same(
      outcome.deliveries.slice(dueTaken).map(({ dueAt: _, ...delivery }) => delivery),
      fresh.map(({ position, text }) => ({ position, life: 0, attempt: 1, uncounted: 0, text })),
    );
    for (const entry of fresh) {
      const counts = { life: 0, attempt: 1, uncounted: 0 };
      this.#taken.set(entry.position.seq, { entry, state: 'in flight', ...counts, consumer, history: [] });
    }
    if (accepted) this.#cursor = fresh.length === entries.length ? upTo : (fresh.at(-1)?.position ?? this.#cursor);

    same(outcome.cursor, this.#cursor);
    same(outcome.gap, null);
    same(outcome.room, Math.max(0, maxInFlight - open - outcome.deliveries.length));
    const pending = [...this.#taken.values()].map(({ state }) => state);
    if (pending.includes('due')) same(outcome.nextDueMs, 0);
    else if (pending.includes('in flight') || pending.includes('delayed')) same((outcome.nextDueMs ?? 0) > 0, true);
    else same(outcome.nextDueMs, null);
  }

  async #nack(store: BusStore, request: GroupStep & { do: 'nack' }): Promise<void> {
    const [chosen, refused] = this.#openAmong(request);
    const reason = request.delayed ? 'later' : null;
    const how = { delayMs: request.delayed ? NEVER_MS : 0, reason };
    const named = refs(chosen, request.off);
    same(await store.groups.nack(this.#namespace, GROUP, named, how), refused.length);
    for (const event of refused) {
      event.history.push({ attempt: event.attempt, consumer: event.consumer, reason });
      if (event.attempt < MAX_DELIVERIES) event.state = request.delayed ? 'delayed' : 'due';
    }
    const died = refused.filter(({ attempt }) => attempt >= MAX_DELIVERIES);
    // Those that die with one call do so in an order that is not promised.
    const { letters } = await store.groups.deadLetters(this.#namespace, GROUP, { after: null, limit: 1_000 });
    const ranks = new Map(letters.map(({ position }, rank) => [position.seq, rank]));
    const rank = ({ entry }: ModelEvent) => ranks.get(entry.position.seq) ?? -1;
    for (const event of died.toSorted((a, b) => rank(a) - rank(b))) {
      event.state = 'dead';
      this.#dead.push(event);
    }
  }

  /** All figures, and all dead letters. */
  async #compare(store: BusStore): Promise<void> {
    const [figures] = await store.groups.list(this.#namespace);
    const count = (...states: ModelEvent['state'][]) =>
      [...this.#taken.values()].filter(({ state }) => states.includes(state)).length;
    const { head } = await rangeOf(store.log, this.#namespace);
    same(head.seq, this.#appended);
    alike(figures, {
      cursor: this.#cursor,
      lag: head.seq - this.#cursor.seq,
      inFlight: count('in flight'),
      waiting: count('due', 'delayed'),
      deadLetters: count('dead'),
    });
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

const refs = (events: readonly ModelEvent[], by: Off): DeliveryRef[] =>
  events.map(({ entry, life, attempt, uncounted }) => ({
    position: entry.position,
    life: life + by.life,
    attempt: Math.max(1, attempt) + by.attempt,
    uncounted: uncounted + by.uncounted,
  }));
