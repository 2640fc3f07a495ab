// A standby beside the active Architect. It follows the bus, and reports once when the name is free.
import type { AgentDirectory } from '@hypercode/client';
import { type Clock, sleep } from '@hypercode/clock';
import type { Agent } from '@hypercode/contracts';
import type { Follower } from '../conducting/follower.ts';
import type { Logger } from '../logger.ts';

export interface SeatOptions {
  /** The name of the active Architect. */
  readonly name: string;
  /** All agents of the namespace. */
  readonly directory: AgentDirectory;
  readonly follower: Follower;
  readonly clock: Clock;
  readonly logger: Logger;
  /** Called once. */
  readonly onFree: () => void;
}

/** Longest random delay before the second check, in milliseconds, so that several standbys do not all take the name. */
const MAX_DELAY_MS = 500;

export class Seat {
  readonly #options: SeatOptions;
  readonly #stopping = new AbortController();
  #release: (() => void)[] = [];
  #isDelaying = false;

  constructor(options: SeatOptions) {
    this.#options = options;
  }

  start(): void {
    const { directory, follower } = this.#options;
    follower.start();
    const check = (): void => void this.#check();
    this.#release = (['added', 'changed', 'removed'] as const).map((event) => directory.on(event, check));
    directory.ready.then(check, () => {});
  }

  async stop(): Promise<void> {
    this.#stopping.abort();
    for (const release of this.#release) release();
    await this.#options.follower.stop();
  }

  /** The name is free when no healthy agent holds it, at two checks. */
  async #check(): Promise<void> {
    const { directory, name, clock, logger, onFree } = this.#options;
    const { signal } = this.#stopping;
    if (this.#isDelaying || signal.aborted || !isFree(directory.get(name))) return;
    this.#isDelaying = true;
    await sleep(clock, clock.random() * MAX_DELAY_MS, signal);
    this.#isDelaying = false;
    if (signal.aborted || !isFree(directory.get(name))) return;
    logger.info({ name }, 'the active Architect has left or lost its lease: taking over');
    this.#stopping.abort();
    onFree();
  }
}

/** An Architect that stopped has deregistered; one that died is unhealthy once its lease has ended. */
const isFree = (holder: Agent | undefined): boolean => holder === undefined || holder.status.health === 'unhealthy';
