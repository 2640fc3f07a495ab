// A standby beside the active Architect: it knows what that one knows, and says so when the name is free.
import type { AgentDirectory } from '@hypercode/client';
import { type Clock, sleep } from '@hypercode/clock';
import type { Agent } from '@hypercode/contracts';
import type { Follower } from '../conducting/follower.ts';
import type { Logger } from '../logger.ts';

export interface SeatOptions {
  /** The name that is waited for. */
  readonly name: string;
  /** All agents of the namespace. */
  readonly directory: AgentDirectory;
  readonly follower: Follower;
  readonly clock: Clock;
  readonly logger: Logger;
  readonly onFree: () => void;
}

/** Of several standbys one is to be first: each waits for up to this long before it looks again, in milliseconds. */
const HESITATION_MS = 500;

export class Seat {
  readonly #options: SeatOptions;
  readonly #stopping = new AbortController();
  #release: (() => void)[] = [];
  #isHesitating = false;

  constructor(options: SeatOptions) {
    this.#options = options;
  }

  start(): void {
    const { directory, follower } = this.#options;
    follower.start();
    const look = (): void => void this.#look();
    this.#release = (['added', 'changed', 'removed'] as const).map((event) => directory.on(event, look));
    directory.ready.then(look, () => {});
  }

  async stop(): Promise<void> {
    this.#stopping.abort();
    for (const release of this.#release) release();
    await this.#options.follower.stop();
  }

  /** Tells, once, that nobody has the name with a living lease. */
  async #look(): Promise<void> {
    const { directory, name, clock, logger, onFree } = this.#options;
    const { signal } = this.#stopping;
    if (this.#isHesitating || signal.aborted || !isFree(directory.get(name))) return;
    this.#isHesitating = true;
    await sleep(clock, clock.random() * HESITATION_MS, signal);
    this.#isHesitating = false;
    if (signal.aborted || !isFree(directory.get(name))) return;
    logger.info({ name }, 'the active Architect has left or lost its lease: taking over');
    this.#stopping.abort();
    onFree();
  }
}

/** Who left has deregistered, and who died is unhealthy when its lease has ended. */
const isFree = (holder: Agent | undefined): boolean => holder === undefined || holder.status.health === 'unhealthy';
