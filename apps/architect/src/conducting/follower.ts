// Keeps a ledger of plans up to date: reads what the bus has kept, then follows it.
//
//   reading ──end of the log──> following ──a refusal that the client does not retry──> following, RETRY_MS later
//   reading ──overtaken by retention──> reading, from the beginning
//   each ──stop()──> stopped
import type { SwarmClient } from '@hypercode/client';
import { type Clock, sleep } from '@hypercode/clock';
import { type GapReason, QUESTION_PREFIX, SwarmError, type SwarmEvent } from '@hypercode/contracts';
import { type Fact, type InvalidEvent, PLAN_TOPICS, PlanLedger } from '@hypercode/plans';
import type { CoreLink } from '../core-link.ts';
import type { Logger } from '../logger.ts';

export interface FollowerOptions {
  /** The source of the Architect whose running plans are all kept. */
  readonly self: string;
  readonly client: Pick<SwarmClient, 'subscribe' | 'bus'>;
  readonly clock: Clock;
  readonly logger: Logger;
  readonly core: CoreLink;
}

export interface FollowerEvents {
  /** A fact was received and is in the ledger, or an invalid event was. Not called while the past is read. */
  readonly onFact?: ((fact: Fact | InvalidEvent) => void) | undefined;
  /** All that the bus has kept is in the ledger. */
  readonly onCaughtUp?: (() => void) | undefined;
  /** Events are missing. What the ledger knows may no longer be on the bus. */
  readonly onGap?: ((reason: GapReason) => void) | undefined;
}

export interface WaitLimits {
  readonly limitMs: number;
  readonly signal: AbortSignal;
}

const WITHOUT_QUESTIONS = PLAN_TOPICS.filter((topic) => !topic.startsWith(QUESTION_PREFIX));
/** Events that are read at a time. */
const PAGE = 500;
/** Pause after a refusal, in milliseconds. */
const RETRY_MS = 2_000;
/**
 * Least time between two warnings about invalid events, in milliseconds: every agent can publish as many as the core
 * accepts.
 */
const IGNORED_WARNING_MS = 60_000;

export class Follower {
  readonly #options: FollowerOptions;
  readonly #stopping = new AbortController();
  #ledger: PlanLedger;
  #position: string | undefined;
  /** A policy that was stored before questions were there may deny them alone. */
  #topics: readonly string[] = PLAN_TOPICS;
  #isCaughtUp = false;
  /** Invalid events since the last warning about them, and when that was, in monotonic milliseconds. */
  #ignored = 0;
  #warnedAt = -Infinity;
  /** Checks of callers that wait for the ledger. None throws. */
  readonly #waiting = new Set<() => void>();
  readonly #listeners = new Set<(planId: string) => void>();
  #running: Promise<void> | undefined;

  constructor(options: FollowerOptions) {
    this.#options = options;
    this.#ledger = new PlanLedger(options.self);
  }

  get ledger(): PlanLedger {
    return this.#ledger;
  }

  /** Whether the ledger has all that the bus has kept. */
  get isCaughtUp(): boolean {
    return this.#isCaughtUp;
  }

  start(events: FollowerEvents = {}): void {
    this.#running ??= this.#run(events);
  }

  /**
   * Calls `listener`, which must not throw, with each plan that changes once the past was read. From then on the ledger stays the
   * same. Returns what ends that.
   */
  onChange(listener: (planId: string) => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  /**
   * Resolves once `holds`, which must not throw; at the latest after `limitMs` milliseconds, or when `signal` is
   * aborted.
   */
  async until(holds: (ledger: PlanLedger) => boolean, { limitMs, signal }: WaitLimits): Promise<void> {
    const done = new AbortController();
    const check = (): void => {
      if (holds(this.#ledger)) done.abort();
    };
    this.#waiting.add(check);
    check();
    await sleep(this.#options.clock, limitMs, AbortSignal.any([done.signal, signal]));
    this.#waiting.delete(check);
  }

  async stop(): Promise<void> {
    this.#stopping.abort();
    await this.#running;
  }

  async #run(events: FollowerEvents): Promise<void> {
    const { clock, core } = this.#options;
    const { signal } = this.#stopping;
    while (!signal.aborted) {
      try {
        if (!this.#isCaughtUp) {
          await this.#readPast(signal);
          if (signal.aborted) return;
          this.#isCaughtUp = true;
          events.onCaughtUp?.();
        }
        await this.#follow(events, signal);
      } catch (thrown) {
        if (signal.aborted) return;
        const error = SwarmError.from(thrown);
        core.refused('reading', error, { what: 'cannot follow the bus' });
        if (error.is('COMPACTED')) this.#startOver();
        if (error.is('ACL_DENIED')) this.#topics = this.#topics === PLAN_TOPICS ? WITHOUT_QUESTIONS : PLAN_TOPICS;
      }
      if (!signal.aborted) await sleep(clock, RETRY_MS, signal);
    }
  }

  /** Retention overtook the reader, so the ledger may miss events. */
  #startOver(): void {
    this.#ledger = new PlanLedger(this.#options.self);
    this.#position = undefined;
  }

  async #readPast(signal: AbortSignal): Promise<void> {
    const { client, core } = this.#options;
    for (;;) {
      const { events, next } = await client.bus.read(
        { topics: [...this.#topics], after: this.#position, limit: PAGE },
        { signal },
      );
      core.answered('reading');
      for (const { event, position } of events) this.#receive(event, position);
      const isEnd = next === this.#position;
      this.#position = next;
      if (!isEnd) continue;
      this.#ledger.caughtUp();
      return;
    }
  }

  async #follow({ onFact, onGap }: FollowerEvents, signal: AbortSignal): Promise<void> {
    const { client, logger, core } = this.#options;
    const from = this.#position === undefined ? ('latest' as const) : { after: this.#position };
    for await (const item of client.subscribe({ topics: this.#topics, from, signal })) {
      core.answered('reading');
      if (item.type === 'gap') {
        this.#position = item.resumedAt;
        logger.warn({ reason: item.reason }, 'events are missing on the bus');
        onGap?.(item.reason);
        continue;
      }
      this.#position = item.position;
      if (item.type !== 'event') continue;
      const fact = this.#receive(item.event, item.position);
      onFact?.(fact);
      const planId = this.#ledger.planIdOf(item.event);
      if (planId === null || !this.#ledger.plans.has(planId)) continue;
      for (const listener of this.#listeners) listener(planId);
    }
  }

  #receive(event: SwarmEvent, position: string): Fact | InvalidEvent {
    const fact = this.#ledger.apply(event, position);
    for (const check of this.#waiting) check();
    if (fact.kind === null) this.#ignore(event, fact.error);
    return fact;
  }

  #ignore({ topic, source, id }: SwarmEvent, error: SwarmError): void {
    const { clock, logger } = this.#options;
    this.#ignored += 1;
    const now = clock.monotonicMs();
    if (now < this.#warnedAt + IGNORED_WARNING_MS) return;
    const about = { topic, source, id, ignored: this.#ignored };
    logger.warn(about, `an invalid event was ignored: ${error.message}`);
    this.#warnedAt = now;
    this.#ignored = 0;
  }
}
