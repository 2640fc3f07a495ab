// Writes running plans down again on the bus before what they were made of is removed from it.
import type { SwarmClient } from '@hypercode/client';
import { type LogInfo, SwarmError } from '@hypercode/contracts';
import { v7 as uuidv7 } from 'uuid';
import type { Clock } from '../clock.ts';
import type { Logger } from '../logger.ts';
import { checkpointOf } from '../plans/checkpoint.ts';
import { isCheckpointDue, smallestLog } from '../plans/checkpoint-due.ts';
import { checkpointEventId } from '../plans/plan-ids.ts';
import type { Plan } from '../plans/plan.ts';
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
/** No log is expected to take more events a second. */
const FASTEST_LOG = 50_000;
/** Of the log that may go by between two looks. */
const SHARE_BETWEEN_LOOKS = 0.1;

export class Checkpointer {
  readonly #options: CheckpointerOptions;
  readonly #stopping = new AbortController();
  /** How many events the log had ever had when the plan was seen to be written, by plan. */
  readonly #writtenAfter = new Map<string, { writtenAt: number; afterEvents: number }>();
  /** How many events the log had at the last look. */
  #events = 0;
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

  /** Writes down every running plan: the log may have lost them. */
  writeAll(): void {
    this.#isEverythingDue = true;
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
        await this.#writeDue(log, isEverythingDue);
      } catch (thrown) {
        if (signal.aborted) return;
        this.#isEverythingDue ||= isEverythingDue;
        const error = SwarmError.from(thrown);
        logger.warn({ code: error.code }, `no checkpoint could be written: ${error.message}`);
      }
      if (!signal.aborted) await clock.sleep(waitMs, this.#hurry.signal);
    }
  }

  async #writeDue(log: LogInfo, isEverythingDue: boolean): Promise<void> {
    const { follower, clock, self } = this.#options;
    const plans = [...follower.ledger.active()].filter((plan) => plan.owner === self && isWritable(plan));
    const known = new Set(plans.map(({ planId }) => planId));
    for (const planId of this.#writtenAfter.keys()) if (!known.has(planId)) this.#writtenAfter.delete(planId);
    let failure: SwarmError | undefined;
    for (const plan of plans) {
      const written = { at: plan.writtenAt, afterEvents: this.#eventsBefore(plan) };
      if (!isEverythingDue && !isCheckpointDue(written, log, clock.now())) continue;
      try {
        await this.#write(plan);
      } catch (thrown) {
        // A plan that can not be written keeps no other from it.
        const error = SwarmError.from(thrown);
        failure ??= error;
        if (error.retryable) break;
      }
    }
    if (failure !== undefined) throw failure;
    this.#events = log.removed + log.kept;
  }

  /** How many events the log had when the plan was last written, or fewer. */
  #eventsBefore({ planId, writtenAt }: Plan): number {
    const known = this.#writtenAfter.get(planId);
    if (known?.writtenAt === writtenAt) return known.afterEvents;
    this.#writtenAfter.set(planId, { writtenAt, afterEvents: this.#events });
    return this.#events;
  }

  async #write(plan: Plan): Promise<void> {
    const { client, name, logger } = this.#options;
    const checkpointId = uuidv7();
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
  const perCount = ((retention.maxEvents * SHARE_BETWEEN_LOOKS) / FASTEST_LOG) * 1000;
  return Math.max(SHORTEST_LOOK_MS, Math.min(LOOK_EVERY_MS, perAge, perCount));
}

const isWritable = ({ status, isLost }: Plan): boolean => status === 'running' && !isLost;
