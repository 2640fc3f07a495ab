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

  constructor(options: GroupOwnersOptions) {
    this.#options = options;
  }

  /** At most two seconds old. While the registry does not answer, the last answer goes on; without one, UNAVAILABLE. */
  async isAgent(namespace: string, group: string): Promise<boolean> {
    const { isAgent, clock } = this.#options;
    const key = `${namespace}/${group}`;
    const known = this.#known.get(key);
    const askedAtMs = clock.monotonicMs();
    if (known !== undefined && askedAtMs - known.askedAtMs < KNOWN_MS) return known.isAgent;
    try {
      const answer = await isAgent(namespace, group);
      this.#known.set(key, { isAgent: answer, askedAtMs });
      return answer;
    } catch (error) {
      if (known === undefined) throw error;
      return known.isAgent;
    }
  }
}
