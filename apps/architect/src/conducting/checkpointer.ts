// Writes running plans down again on the bus before what they were made of is removed from it.
import type { SwarmClient } from '@hypercode/client';
import { type Clock, sleep } from '@hypercode/clock';
import { type GapReason, LIMITS, type LogInfo, SwarmError } from '@hypercode/contracts';
import { checkpointEventId, checkpointOf, type Plan } from '@hypercode/plans';
import type { Logger } from '../logger.ts';
import { isCheckpointDue, type LogMark, markOf, type Written } from './checkpoint-due.ts';
import type { Follower } from './follower.ts';

export interface CheckpointerOptions {
  readonly client: Pick<SwarmClient, 'bus' | 'publish'>;
  /** Where checkpoints are written: `architect.<name>.checkpoint`. */
  readonly name: string;
  /** The source of this Architect's plans; those of others are theirs to write. */
  readonly self: string;
  readonly follower: Follower;
  readonly clock: Clock;
  readonly logger: Logger;
}

/** Between two looks at the log, in milliseconds; less where it keeps events for a short time only, or few. */
const LOOK_EVERY_MS = 2_000;
const LOOKS_PER_RETENTION = 50;
const SHORTEST_LOOK_MS = 250;
/** No log is expected to take more a second. */
const FASTEST_LOG = { events: 50_000, bytes: 100 * 1024 * 1024 };
/** Of the log that may go by between two looks. */
const SHARE_BETWEEN_LOOKS = 0.1;

export class Checkpointer {
  readonly #options: CheckpointerOptions;
  readonly #stopping = new AbortController();
  /** When plans were last written down, by plan. `to` is null until the next look. */
  readonly #written = new Map<string, Omit<Written, 'to'> & { to: LogMark | null }>();
  /** The log at the last look. */
  #seen: LogMark = { events: 0, bytes: 0 };
  /** Facts heard since then, and how many of them bring the next look forward. */
  #heard = 0;
  #hurryAfter = Infinity;
  #running: Promise<void> | undefined;
  #isEverythingDue = false;
  #hurry = new AbortController();

  constructor(options: CheckpointerOptions) {
    this.#options = options;
  }

  start(): void {
    this.#running ??= this.#run();
  }

  /** A fact was heard. Where they are many, the log is looked at sooner. */
  hear(): void {
    this.#heard += 1;
    if (this.#heard > this.#hurryAfter) this.#hurry.abort();
  }

  /** Events are missing. A log that was lost has no plan any more: every running one is written down. */
  onGap(reason: GapReason): void {
    if (reason === 'log_lost') this.#isEverythingDue = true;
    this.#hurry.abort();
  }

  async stop(): Promise<void> {
    this.#stopping.abort();
    this.#hurry.abort();
    await this.#running;
  }

  async #run(): Promise<void> {
    const { clock, logger, client } = this.#options;
    const { signal } = this.#stopping;
    while (!signal.aborted) {
      let waitMs = LOOK_EVERY_MS;
      this.#hurry = new AbortController();
      const isEverythingDue = this.#isEverythingDue;
      this.#isEverythingDue = false;
      try {
        const { log } = await client.bus.topics({ limit: 1 }, { signal });
        waitMs = waitOf(log);
        this.#heard = 0;
        this.#hurryAfter = smallestLog(log) * SHARE_BETWEEN_LOOKS;
        await this.#writeDue(this.#plansDue(log, isEverythingDue), markOf(log));
      } catch (thrown) {
        if (signal.aborted) return;
        this.#isEverythingDue ||= isEverythingDue;
        const error = SwarmError.from(thrown);
        logger.warn({ code: error.code }, `a checkpoint could not be written: ${error.message}`);
      }
      if (!signal.aborted) await sleep(clock, waitMs, this.#hurry.signal);
    }
  }

  /** The running plans that are to be written down now. */
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
        // A plan that can not be written keeps no other from it.
        const error = SwarmError.from(thrown);
        failure ??= error;
        if (error.retryable) break;
      }
    }
    if (failure !== undefined) throw failure;
  }

  async #write(plan: Plan): Promise<void> {
    const { client, name, clock, logger } = this.#options;
    const checkpointId = clock.newId();
    const parts = checkpointOf(plan, checkpointId);
    for (const part of parts) {
      await client.publish(`architect.${name}.checkpoint`, part, {
        id: checkpointEventId(checkpointId, part.part),
        correlationId: plan.goalId,
      });
    }
    logger.info({ planId: plan.planId, parts: parts.length }, 'checkpoint');
  }
}

function waitOf({ retention }: LogInfo): number {
  const perAge = retention.maxAgeMs / LOOKS_PER_RETENTION;
  const perCount = ((retention.maxEvents * SHARE_BETWEEN_LOOKS) / FASTEST_LOG.events) * 1000;
  const perBytes = ((retention.maxBytes * SHARE_BETWEEN_LOOKS) / FASTEST_LOG.bytes) * 1000;
  return Math.max(SHORTEST_LOOK_MS, Math.min(LOOK_EVERY_MS, perAge, perCount, perBytes));
}

/** How many events the log keeps at least, however large they are. */
const smallestLog = ({ retention }: LogInfo): number =>
  Math.min(retention.maxEvents, retention.maxBytes / LIMITS.eventBytes);

const isWritable = ({ status, isLost }: Plan): boolean => status === 'running' && !isLost;
