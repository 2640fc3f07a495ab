// Publishes checkpoints of running plans before retention removes the events that they were made of.
import type { SwarmClient } from '@hypercode/client';
import { type Clock, sleep } from '@hypercode/clock';
import { type GapReason, LIMITS, type LogInfo, SwarmError } from '@hypercode/contracts';
import { checkpointEventId, checkpointOf, type Plan } from '@hypercode/plans';
import type { CoreLink } from '../core-link.ts';
import type { Logger } from '../logger.ts';
import { correlationOf } from './announce.ts';
import { isCheckpointDue, type LogMark, markOf, type Written } from './checkpoint-due.ts';
import type { Follower } from './follower.ts';

export interface CheckpointerOptions {
  readonly client: Pick<SwarmClient, 'bus' | 'publish'>;
  /** Checkpoints are published on `architect.<name>.checkpoint`. */
  readonly name: string;
  /** The source of this Architect. Only its own plans are written. */
  readonly self: string;
  readonly follower: Follower;
  readonly clock: Clock;
  readonly logger: Logger;
  readonly core: CoreLink;
}

/**
 * Pause between two polls of the log, in milliseconds. It is shorter where the log keeps few events, or keeps them for
 * a short time.
 */
const POLL_MS = 2_000;
const MIN_POLL_MS = 250;
const POLLS_PER_MAX_AGE = 50;
/** The highest rate of appends that is expected, per second. */
const FASTEST_LOG = { events: 50_000, bytes: 100 * 1024 * 1024 };
/** The share of the log that may be replaced between two polls. */
const SHARE_BETWEEN_POLLS = 0.1;

export class Checkpointer {
  readonly #options: CheckpointerOptions;
  readonly #stopping = new AbortController();
  /** When each plan was last written. `to` is null until the next poll. */
  readonly #written = new Map<string, Omit<Written, 'to'> & { to: LogMark | null }>();
  /** The log at the last poll. */
  #seen: LogMark = { events: 0, bytes: 0 };
  /** Facts that were received since then, and how many of them start the next poll early. */
  #received = 0;
  #maxReceived = Infinity;
  #running: Promise<void> | undefined;
  #isEverythingDue = false;
  /** Ends the pause before the next poll. */
  #pause = new AbortController();

  constructor(options: CheckpointerOptions) {
    this.#options = options;
  }

  start(): void {
    this.#running ??= this.#run();
  }

  /** A fact was received. Many of them start the next poll early. */
  onFact(): void {
    this.#received += 1;
    if (this.#received > this.#maxReceived) this.#pause.abort();
  }

  /** Events are missing. A log that was lost has no plans, so every running plan is written. */
  onGap(reason: GapReason): void {
    if (reason === 'log_lost') this.#isEverythingDue = true;
    this.#pause.abort();
  }

  async stop(): Promise<void> {
    this.#stopping.abort();
    this.#pause.abort();
    await this.#running;
  }

  async #run(): Promise<void> {
    const { clock, core, client } = this.#options;
    const { signal } = this.#stopping;
    while (!signal.aborted) {
      let waitMs = POLL_MS;
      this.#pause = new AbortController();
      const isEverythingDue = this.#isEverythingDue;
      this.#isEverythingDue = false;
      try {
        const { log } = await client.bus.topics({ limit: 1 }, { signal });
        core.answered('polling');
        waitMs = waitOf(log);
        this.#received = 0;
        this.#maxReceived = smallestLog(log) * SHARE_BETWEEN_POLLS;
        await this.#writeDue(this.#plansDue(log, isEverythingDue), markOf(log));
      } catch (thrown) {
        if (signal.aborted) return;
        this.#isEverythingDue ||= isEverythingDue;
        const error = SwarmError.from(thrown);
        core.refused('polling', error, { what: 'a checkpoint could not be written' });
      }
      if (!signal.aborted) await sleep(clock, waitMs, this.#pause.signal);
    }
  }

  /** The running plans to write now. */
  #plansDue(log: LogInfo, isEverythingDue: boolean): Plan[] {
    const { follower, clock, self } = this.#options;
    const plans = [...follower.ledger.active()].filter((plan) => plan.owner === self && isWritable(plan));
    const known = new Set(plans.map(({ planId }) => planId));
    for (const planId of this.#written.keys()) if (!known.has(planId)) this.#written.delete(planId);
    const mark = markOf(log);
    const now = clock.epochMs();
    const due = plans.filter(({ planId, writtenAt }) => {
      const { at, from, to } = this.#written.get(planId) ?? { at: writtenAt, from: this.#seen, to: this.#seen };
      const written = { at, from, to: to ?? mark };
      this.#written.set(planId, written);
      return isEverythingDue || isCheckpointDue(written, log, now);
    });
    this.#seen = mark;
    return due;
  }

  async #writeDue(plans: readonly Plan[], from: LogMark): Promise<void> {
    let failure: SwarmError | undefined;
    for (const plan of plans) {
      try {
        const at = this.#options.clock.epochMs();
        await this.#write(plan);
        this.#written.set(plan.planId, { at, from, to: null });
      } catch (thrown) {
        // A plan that cannot be written does not stop the others.
        const error = SwarmError.from(thrown);
        failure ??= error;
        if (error.retryable) break;
      }
    }
    if (failure !== undefined) throw failure;
  }

  async #write(plan: Plan): Promise<void> {
    const { client, name, follower, clock, logger } = this.#options;
    const checkpointId = clock.newId();
    const parts = checkpointOf(plan, checkpointId, follower.ledger.lapses);
    for (const part of parts) {
      await client.publish(`architect.${name}.checkpoint`, part, {
        id: checkpointEventId(checkpointId, part.part),
        ...correlationOf(plan),
      });
    }
    logger.info({ planId: plan.planId, parts: parts.length }, 'checkpoint');
  }
}

function waitOf({ retention }: LogInfo): number {
  const perAge = retention.maxAgeMs / POLLS_PER_MAX_AGE;
  const perCount = ((retention.maxEvents * SHARE_BETWEEN_POLLS) / FASTEST_LOG.events) * 1000;
  const perBytes = ((retention.maxBytes * SHARE_BETWEEN_POLLS) / FASTEST_LOG.bytes) * 1000;
  return Math.max(MIN_POLL_MS, Math.min(POLL_MS, perAge, perCount, perBytes));
}

/** How many events the log keeps even if each is as large as possible. */
const smallestLog = ({ retention }: LogInfo): number =>
  Math.min(retention.maxEvents, retention.maxBytes / LIMITS.eventBytes);

const isWritable = ({ status, isLost }: Plan): boolean => status === 'running' && !isLost;
