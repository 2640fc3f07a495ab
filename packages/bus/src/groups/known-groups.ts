// The groups that a replica remembers, so that an ack asks the store once and not twice.
import type { Clock } from '@hypercode/clock';
import { SwarmError } from '@hypercode/contracts';
import { LRUCache } from 'lru-cache';
import type { GroupState, GroupStore } from '../store/group-store.ts';

/** How many groups are remembered, and for how long: a group that was lost may be made anew with others. */
const MAX_KNOWN = 10_000;
const KNOWN_MS = 5000;

export class KnownGroups {
  readonly #store: Pick<GroupStore, 'find'>;
  readonly #known: LRUCache<string, GroupState>;

  constructor(store: Pick<GroupStore, 'find'>, clock: Pick<Clock, 'monotonicMs'>) {
    this.#store = store;
    // The cache takes 0 for no time at all.
    const perf = { now: () => clock.monotonicMs() + 1 };
    this.#known = new LRUCache({ max: MAX_KNOWN, ttl: KNOWN_MS, ttlResolution: 0, perf });
  }

  /** The group with its settings, at most 5 seconds old. NOT_FOUND when there is none. */
  async get(namespace: string, group: string): Promise<GroupState> {
    const key = keyOf(namespace, group);
    const known = this.#known.get(key);
    if (known !== undefined) return known;
    const found = await this.#store.find(namespace, group);
    if (found === null) throw new SwarmError('NOT_FOUND', `there is no consumer group "${group}"`);
    this.#known.set(key, found);
    return found;
  }

  set(namespace: string, group: string, state: GroupState): void {
    this.#known.set(keyOf(namespace, group), state);
  }

  forget(namespace: string, group: string): void {
    this.#known.delete(keyOf(namespace, group));
  }
}

const keyOf = (namespace: string, group: string): string => `${namespace}/${group}`;
