// Removes the groups of agents that are gone, once nothing is left to do in them.
import { type LogEntry, type LogGap, resumeOf } from '../store/event-log.ts';
import type { GroupStore, StoredGroup } from '../store/group-store.ts';
import { hasAll, type LogPosition } from '../store/position.ts';
import { passing } from '../subscriptions/topic-filter.ts';
import type { IsAgent } from './group-owners.ts';
import type { GroupNotice } from './group-steering.ts';

export interface OwnedGroupsOptions {
  store: Pick<GroupStore, 'owned' | 'claim' | 'removeIdle'>;
  /** Reads the log of a namespace after a position: see `EventLog.read`. */
  read: (namespace: string, after: LogPosition) => Promise<readonly LogEntry[] | LogGap>;
  isAgent: IsAgent;
  /** Called with each group that was removed. */
  onNotice: (notice: GroupNotice) => void;
}

type OwnedGroup = StoredGroup & { readonly namespace: string };

/** Pages of the log that are searched for one group and round; what follows is left to the next round. */
const MAX_PAGES = 20;

export class OwnedGroups {
  readonly #options: OwnedGroupsOptions;

  constructor(options: OwnedGroupsOptions) {
    this.#options = options;
  }

  /** Any replica may do it, at any time. */
  async removeIdle(): Promise<void> {
    for (const owned of await this.#options.store.owned()) await this.#remove(owned);
  }

  async #remove(owned: OwnedGroup): Promise<void> {
    const { store, isAgent, onNotice } = this.#options;
    const { namespace, group, id, ownedBy, inFlight, waiting, deadLetters, paused } = owned;
    if (id === null || ownedBy === null || paused !== null || inFlight + waiting + deadLetters > 0) return;
    if (await isAgent(namespace, ownedBy)) return;
    const end = await this.#endOfNothing(owned);
    if (end === null) return;
    const offer = { version: owned.version, after: owned.cursor, entries: [], upTo: end };
    await store.claim(namespace, group, { groupId: id, consumer: '', maxInFlight: 0, max: 0, offer });
    if (!(await store.removeIdle(namespace, group, id))) return;
    const data = { group, groupId: id, by: '/core', reason: `the agent "${ownedBy}" is gone` };
    onNotice({ namespace, change: 'deleted', data });
  }

  /** The end of the log, if nothing that the group would take is after its cursor; otherwise null. */
  async #endOfNothing({ namespace, topics, cursor }: OwnedGroup): Promise<LogPosition | null> {
    const passes = passing({ patterns: topics, hidden: [] });
    let position = cursor;
    for (let pages = 0; pages < MAX_PAGES; pages += 1) {
      const read = await this.#options.read(namespace, position);
      if ('gap' in read) {
        position = resumeOf(read);
        if (hasAll(position, read.range.head)) return position;
        continue;
      }
      if (read.length === 0) return position;
      if (read.some(({ topic }) => passes(topic))) return null;
      position = read.at(-1)?.position ?? position;
    }
    return null;
  }
}
