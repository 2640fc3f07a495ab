// Which groups are named after agents, as the registry has them: remembered, since every ack asks.
import type { Clock } from '@hypercode/clock';
import { LRUCache } from 'lru-cache';

/** Whether an agent of the namespace has this name. UNAVAILABLE. */
export type IsAgent = (namespace: string, name: string) => Promise<boolean>;

export interface GroupOwnersOptions {
  isAgent: IsAgent;
  clock: Pick<Clock, 'monotonicMs'>;
}

/** How long an answer is given again, in milliseconds. */
const KNOWN_MS = 2000;
const MAX_KNOWN = 20_000;

interface Answer {
  readonly isAgent: boolean;
  readonly askedAtMs: number;
}

export class GroupOwners {
  readonly #options: GroupOwnersOptions;
  readonly #known = new LRUCache<string, Answer>({ max: MAX_KNOWN });
  readonly #asking = new Map<string, Promise<boolean>>();
  /** Whether the last question had no answer. */
  #isAway = false;

  constructor(options: GroupOwnersOptions) {
    this.#options = options;
  }

  /**
   * At most two seconds old. While the registry does not answer, the last answer goes on, without a wait for each call; without
   * one, UNAVAILABLE.
   */
  async isAgent(namespace: string, group: string): Promise<boolean> {
    const known = this.#known.get(`${namespace}/${group}`);
    if (known === undefined) return this.#ask(namespace, group);
    if (this.#options.clock.monotonicMs() - known.askedAtMs < KNOWN_MS) return known.isAgent;
    const answer = this.#ask(namespace, group).catch(() => known.isAgent);
    return this.#isAway ? known.isAgent : answer;
  }

  /** Calls at the same time share the question. */
  #ask(namespace: string, group: string): Promise<boolean> {
    const key = `${namespace}/${group}`;
    const asking = this.#asking.get(key) ?? this.#askRegistry(namespace, group);
    this.#asking.set(key, asking);
    return asking;
  }

  async #askRegistry(namespace: string, group: string): Promise<boolean> {
    const { isAgent, clock } = this.#options;
    const key = `${namespace}/${group}`;
    const askedAtMs = clock.monotonicMs();
    try {
      const answer = await isAgent(namespace, group);
      this.#known.set(key, { isAgent: answer, askedAtMs });
      this.#isAway = false;
      return answer;
    } catch (error) {
      this.#isAway = true;
      throw error;
    } finally {
      this.#asking.delete(key);
    }
  }
}
