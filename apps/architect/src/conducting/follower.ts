// Hears everything that is said of plans: first what the bus has kept, then what comes.
//
//   reading ──the end of the log is reached──> following ──a refusal that no retry helps──> following, a while later
//   reading ──overtaken by retention──> reading, from the beginning
import type { SwarmClient } from '@hypercode/client';
import { type Clock, sleep } from '@hypercode/clock';
import { type GapReason, SwarmError, type SwarmEvent } from '@hypercode/contracts';
import { type Fact, PLAN_TOPICS, PlanLedger } from '@hypercode/plans';
import type { Logger } from '../logger.ts';

export interface FollowerOptions {
  /** The source of the Architect that it hears for. */
  readonly self: string;
  readonly client: Pick<SwarmClient, 'subscribe' | 'bus'>;
  readonly clock: Clock;
  readonly logger: Logger;
}

export interface FollowerEvents {
  /** A fact was heard and is in the ledger; not told while the past is read. */
  readonly onFact?: ((fact: Fact) => void) | undefined;
  /** All that the bus has kept is in the ledger. */
  readonly onCaughtUp?: (() => void) | undefined;
  /** Events are missing. What the ledger knows, the bus may not know any more. */
  readonly onGap?: ((reason: GapReason) => void) | undefined;
}

const PAGE = 500;
/** Before trying again what was refused, in milliseconds. */
const RETRY_MS = 2_000;
/** Between two lines of the log about events that make no sense: anybody can publish as many as the core takes. */
const IGNORED_EVERY_MS = 60_000;

export class Follower {
  readonly #options: FollowerOptions;
  readonly #stopping = new AbortController();
  #ledger: PlanLedger;
  #position: string | undefined;
  #isCaughtUp = false;
  /** Events that make no sense, since that was last told, and when that was, in monotonic milliseconds. */
  #ignored = 0;
  #toldAt = -Infinity;
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

  async stop(): Promise<void> {
    this.#stopping.abort();
    await this.#running;
  }

  async #run(events: FollowerEvents): Promise<void> {
    const { clock, logger } = this.#options;
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
        logger.warn({ code: error.code }, `cannot follow the bus: ${error.message}`);
        if (error.is('COMPACTED')) this.#forget();
      }
      if (!signal.aborted) await sleep(clock, RETRY_MS, signal);
    }
  }

  /** The log has moved on while it was read: what was read so far may miss something. */
  #forget(): void {
    this.#ledger = new PlanLedger(this.#options.self);
    this.#position = undefined;
  }

  async #readPast(signal: AbortSignal): Promise<void> {
    const { client } = this.#options;
    for (;;) {
      const { events, next } = await client.bus.read(
        { topics: [...PLAN_TOPICS], after: this.#position, limit: PAGE },
        { signal },
      );
      for (const { event } of events) this.#hear(event);
      const isEnd = next === this.#position;
      this.#position = next;
      if (!isEnd) continue;
      this.#ledger.caughtUp();
      return;
    }
  }

  async #follow({ onFact, onGap }: FollowerEvents, signal: AbortSignal): Promise<void> {
    const { client, logger } = this.#options;
    const from = this.#position === undefined ? ('latest' as const) : { after: this.#position };
    for await (const item of client.subscribe({ topics: PLAN_TOPICS, from, signal })) {
      if (item.type === 'gap') {
        this.#position = item.resumedAt;
        logger.warn({ reason: item.reason }, 'events are missing on the bus');
        onGap?.(item.reason);
        continue;
      }
      this.#position = item.position;
      if (item.type !== 'event') continue;
      const fact = this.#hear(item.event);
      if (fact !== null) onFact?.(fact);
    }
  }

  #hear(event: SwarmEvent): Fact | null {
    const fact = this.#ledger.apply(event);
    if (fact.kind !== null) return fact;
    this.#ignore(event, fact.error);
    return null;
  }

  #ignore({ topic, source, id }: SwarmEvent, error: SwarmError): void {
    const { clock, logger } = this.#options;
    this.#ignored += 1;
    const now = clock.monotonicMs();
    if (now < this.#toldAt + IGNORED_EVERY_MS) return;
    const about = { topic, source, id, ignored: this.#ignored };
    logger.warn(about, `an invalid event was ignored: ${error.message}`);
    this.#toldAt = now;
    this.#ignored = 0;
  }
}
