// The plans of one namespace: a ledger that reads what the bus has kept, and then follows the bus.
//
//   reading ──end of the log──> following ──gap──> reading, with a new ledger, RETRY_MS later
//   each ──failure──> the same, RETRY_MS later; until then, callers that need the end of the reading are refused
//   each ──close()──> closed
import type { Bus, BusCaller } from '@hypercode/bus';
import { type Clock, sleep } from '@hypercode/clock';
import { type GapReason, type PlanEvent, SwarmError, type SwarmEvent } from '@hypercode/contracts';
import { type StreamItem, ValueItem } from '@hypercode/feed';
import { type Plan, PLAN_TOPICS, PlanLedger, viewOf } from '@hypercode/plans';

export interface PlanFoldOptions {
  readonly bus: Pick<Bus, 'read' | 'subscribe'>;
  readonly namespace: string;
  readonly clock: Clock;
  /** Called with what ends the reading or the following for a while. */
  readonly onError: (error: SwarmError) => void;
}

/** What listeners are notified of: a plan has changed, or all are read again, since events are missing. */
export type PlanChange = { readonly planId: string } | { readonly reset: GapReason };

export type PlanItem = StreamItem<PlanEvent>;

/** Reads everything, and publishes nothing. */
const READER: BusCaller = { kind: 'operator', id: 'core:plans', name: 'plans', readOnly: true };
/** Events that are read at a time. */
const PAGE = 500;
/** Pause after a failure, in milliseconds. */
const RETRY_MS = 1_000;
/** How long a caller waits for the end of the reading, in milliseconds. */
const READING_LIMIT_MS = 20_000;
/** How long a caller waits for an event that is on the bus to be in the ledger, in milliseconds. */
const RECEIVE_LIMIT_MS = 2_000;

export class PlanFold {
  readonly #options: PlanFoldOptions;
  readonly #closing = new AbortController();
  readonly #listeners = new Set<(change: PlanChange) => void>();
  /** Checks of callers that wait. None throws. */
  readonly #waiting = new Set<() => void>();
  /** The view of each plan as it is now, for as long as a connection holds it: all watchers share it. */
  #items = new WeakMap<Plan, WeakRef<PlanItem>>();
  #ledger = new PlanLedger();
  #position: string | undefined;
  #isCaughtUp = false;
  /** How many pages the past had. */
  #pages = 0;
  /** Why the last reading ended early; null while another one is under way. */
  #failure: SwarmError | null = null;
  readonly #running: Promise<void>;

  /** Begins to read. */
  constructor(options: PlanFoldOptions) {
    this.#options = options;
    this.#running = this.#run();
  }

  /** All plans, once what the bus has kept is known. UNAVAILABLE when that takes too long, or the reading fails. */
  async plans(signal: AbortSignal): Promise<ReadonlyMap<string, Plan>> {
    // As it is when the wait ends: the next reading may begin right after it.
    const found: { failure: SwarmError | null } = { failure: null };
    const isKnown = (): boolean => {
      found.failure = this.#failure;
      return this.#isCaughtUp || this.#failure !== null;
    };
    await this.until(isKnown, { limitMs: READING_LIMIT_MS, signal });
    if (this.#isCaughtUp) return this.#ledger.plans;
    if (found.failure !== null) throw found.failure;
    throw new SwarmError('UNAVAILABLE', 'the core is still reading the plans of this namespace from the bus', {
      retryAfterMs: RETRY_MS,
    });
  }

  /**
   * The plan. If it is unknown, or `isCurrent` does not hold, the events that are on the bus by now are waited for first, so that a
   * caller who has just published one finds its plan on every replica. NOT_FOUND, UNAVAILABLE.
   */
  async plan(planId: string, signal: AbortSignal, isCurrent: (plan: Plan) => boolean = () => true): Promise<Plan> {
    const known = (await this.plans(signal)).get(planId);
    if (known !== undefined && isCurrent(known)) return known;
    const isThere = (): boolean => {
      const plan = this.#ledger.plans.get(planId);
      return plan !== undefined && isCurrent(plan);
    };
    if (await this.#isLate()) await this.until(isThere, { limitMs: RECEIVE_LIMIT_MS, signal });
    const plan = (await this.plans(signal)).get(planId);
    if (plan === undefined) throw new SwarmError('NOT_FOUND', `there is no plan "${planId}"`);
    return plan;
  }

  /** Whether there are no plans, and finding that out again costs one read. */
  get isBlank(): boolean {
    return this.#isCaughtUp && this.#ledger.plans.size === 0 && this.#pages <= 1;
  }

  /** A plan that is kept now. */
  known(planId: string): Plan | undefined {
    return this.#ledger.plans.get(planId);
  }

  /** The plan as watchers are sent it. */
  itemOf(plan: Plan): PlanItem {
    let item = this.#items.get(plan)?.deref();
    if (item === undefined) {
      item = this.item({ type: 'plan', plan: viewOf(plan) });
      this.#items.set(plan, new WeakRef(item));
    }
    return item;
  }

  item(event: PlanEvent): PlanItem {
    return new ValueItem(this.#position ?? 'start', event);
  }

  /** Calls `listener`, which must not throw, until the returned function is called. */
  onChange(listener: (change: PlanChange) => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  /** Resolves once `holds`, which must not throw; at the latest after `limitMs`, or when the call or the fold ends. */
  async until(
    holds: () => boolean,
    { limitMs, signal }: { readonly limitMs: number; readonly signal: AbortSignal },
  ): Promise<void> {
    if (holds()) return;
    const done = new AbortController();
    const check = (): void => {
      if (holds()) done.abort();
    };
    this.#waiting.add(check);
    await sleep(this.#options.clock, limitMs, AbortSignal.any([done.signal, signal, this.#closing.signal]));
    this.#waiting.delete(check);
  }

  async close(): Promise<void> {
    this.#closing.abort();
    await this.#running;
  }

  async #run(): Promise<void> {
    const { clock, onError } = this.#options;
    const { signal } = this.#closing;
    while (!signal.aborted) {
      try {
        this.#failure = null;
        if (!this.#isCaughtUp) await this.#readPast(signal);
        if (!signal.aborted) await this.#follow(signal);
      } catch (thrown) {
        if (signal.aborted) return;
        const error = SwarmError.from(thrown);
        onError(error);
        if (error.is('COMPACTED')) this.#startOver('retention');
        this.#failure = new SwarmError('UNAVAILABLE', `the plans cannot be read from the bus: ${error.message}`, {
          retryAfterMs: RETRY_MS,
          cause: error,
        });
        this.#check();
      }
      await sleep(clock, RETRY_MS, signal);
    }
  }

  async #readPast(signal: AbortSignal): Promise<void> {
    for (let isEnd = false; !isEnd;) {
      const page = await this.#read(PAGE);
      if (signal.aborted) return;
      this.#pages += 1;
      for (const { event, position } of page.events) this.#ledger.apply(event, position);
      this.#position = page.next;
      isEnd = page.end;
    }
    this.#ledger.caughtUp();
    this.#isCaughtUp = true;
    this.#check();
  }

  /** Ends when the fold is closed, and when events are missing. */
  async #follow(signal: AbortSignal): Promise<void> {
    const { bus, namespace } = this.#options;
    const from = this.#position === undefined ? ('earliest' as const) : { after: this.#position };
    const request = { namespace, topics: [...PLAN_TOPICS], from, lastEventId: undefined };
    for await (const batch of bus.subscribe(READER, request, signal)) {
      for (const { event: item } of batch) {
        if (item.type === 'gap') {
          return this.#startOver(item.reason);
        }
        this.#position = item.position;
        if (item.type === 'event') this.#receive(item.event, item.position);
      }
    }
  }

  #receive(event: SwarmEvent, position: string): void {
    this.#ledger.apply(event, position);
    const planId = this.#ledger.planIdOf(event);
    const plan = planId === null ? undefined : this.#ledger.plans.get(planId);
    // Of plans that are not known, agents can make up as many as they like.
    if (plan !== undefined) {
      this.#items.delete(plan);
      this.#notify({ planId: plan.planId });
    }
    this.#check();
  }

  /** Events are missing, so what is known may be wrong. */
  #startOver(reason: GapReason): void {
    this.#ledger = new PlanLedger();
    this.#items = new WeakMap();
    this.#position = undefined;
    this.#pages = 0;
    this.#isCaughtUp = false;
    this.#notify({ reset: reason });
  }

  /** Whether the bus has events about plans that are not in the ledger yet. */
  async #isLate(): Promise<boolean> {
    try {
      const { events, end } = await this.#read(1);
      return events.length > 0 || !end;
    } catch (error) {
      if (SwarmError.from(error).is('COMPACTED')) return true;
      throw error;
    }
  }

  #read(limit: number): ReturnType<Bus['read']> {
    const { bus, namespace } = this.#options;
    return bus.read(READER, { namespace, topics: [...PLAN_TOPICS], after: this.#position, limit });
  }

  #notify(change: PlanChange): void {
    for (const listener of this.#listeners) listener(change);
  }

  #check(): void {
    for (const check of this.#waiting) check();
  }
}
