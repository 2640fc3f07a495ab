// The policy in force, and whether it allows what the Architect needs. The core is asked again and again, since policies change.
//
//   unknown ──answers──> complete | incomplete ──answers──> …
//   each ──stop()──> stopped
import type { ConnectedAgent } from '@hypercode/client';
import { type Clock, sleep } from '@hypercode/clock';
import { type Policy, SwarmError } from '@hypercode/contracts';
import type { CoreLink } from '../core-link.ts';
import type { Logger } from '../logger.ts';
import { type Right, rightsOf } from '../rights.ts';

export interface RightsCheckOptions {
  readonly agent: Pick<ConnectedAgent, 'agent' | 'client' | 'setActivity'>;
  readonly clock: Clock;
  readonly logger: Logger;
  readonly core: CoreLink;
  /** Called with each answer of the core, whether or not the policy has changed. */
  readonly onPolicy: (policy: Policy) => void;
}

/** A right that the Architect does not have. */
export interface MissingRight extends Right {
  /** In words, with the rule that decided. */
  readonly because: string;
}

/** Pause between two checks, in milliseconds; shorter until the core has answered once, since no task is assigned before. */
const PAUSE_MS = 5_000;
const FIRST_PAUSE_MS = 1_000;
/** How old an answer may be for a caller of `missing`, and how long the caller waits for a newer one, in milliseconds. */
const FRESH_MS = 500;
const ANSWER_LIMIT_MS = 1_000;

export class RightsCheck {
  readonly #options: RightsCheckOptions;
  readonly #stopping = new AbortController();
  #missing: readonly MissingRight[] | null = null;
  #checkedAt = -Infinity;
  #checking: Promise<void> | undefined;
  #running: Promise<void> | undefined;

  constructor(options: RightsCheckOptions) {
    this.#options = options;
  }

  start(): void {
    this.#running ??= this.#run();
  }

  async stop(): Promise<void> {
    this.#stopping.abort();
    await this.#running;
  }

  /** The rights that are missing, as far as the core has answered; null when it never did. */
  async missing(): Promise<readonly MissingRight[] | null> {
    const { clock } = this.#options;
    if (clock.monotonicMs() < this.#checkedAt + FRESH_MS) return this.#missing;
    const patience = new AbortController();
    const { signal } = patience;
    await Promise.race([
      this.#check(),
      sleep(clock, ANSWER_LIMIT_MS, AbortSignal.any([signal, this.#stopping.signal])),
    ]);
    patience.abort();
    return this.#missing;
  }

  async #run(): Promise<void> {
    const { signal } = this.#stopping;
    while (!signal.aborted) {
      await this.#check();
      await sleep(this.#options.clock, this.#missing === null ? FIRST_PAUSE_MS : PAUSE_MS, signal);
    }
  }

  /** Callers at the same time share one check. */
  #check(): Promise<void> {
    this.#checking ??= this.#ask().finally(() => {
      this.#checking = undefined;
    });
    return this.#checking;
  }

  /** Without an answer, what the last one said still holds: the core being away is not a matter of rights. */
  async #ask(): Promise<void> {
    const { agent, clock, logger, core, onPolicy } = this.#options;
    const { signal } = this.#stopping;
    try {
      const { name } = agent.agent;
      const asked = rightsOf(name).map(async (right) => {
        const { action, topic } = right;
        const { allowed, because } = await agent.client.policy.explain({ name, action, topic }, { signal });
        return allowed ? [] : [{ ...right, because }];
      });
      const policy = agent.client.policy.get({}, { signal }).then(onPolicy);
      const [missing] = await Promise.all([Promise.all(asked), policy]);
      core.answered('heartbeat');
      this.#checkedAt = clock.monotonicMs();
      this.#learn(missing.flat());
    } catch (thrown) {
      if (signal.aborted) return;
      const error = SwarmError.from(thrown);
      logger.debug({ code: error.code }, `the rights of the Architect could not be checked: ${error.message}`);
    }
  }

  #learn(missing: readonly MissingRight[]): void {
    const { agent, logger } = this.#options;
    const before = this.#missing;
    this.#missing = missing;
    if (before !== null && inWords(before) === inWords(missing)) return;
    if (missing.length > 0) logger.warn({}, `the policy denies what the Architect does: ${inWords(missing)}`);
    else if (before !== null) logger.info({}, 'the policy allows all that the Architect does');
    // Another Architect plans goals meanwhile, if there is one.
    const isIncomplete = needed(missing).length > 0;
    if (isIncomplete !== needed(before ?? []).length > 0) agent.setActivity(isIncomplete ? 'paused' : 'auto');
  }
}

/** Those without which goals are not carried out. */
export const needed = (rights: readonly MissingRight[]): MissingRight[] =>
  rights.filter(({ isOptional }) => isOptional !== true);

/** Each right, and why it is missing. */
export const inWords = (rights: readonly MissingRight[]): string =>
  rights.map(({ action, topic, because }) => `${action} "${topic}" (${because})`).join('; ');
