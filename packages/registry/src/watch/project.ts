// The value that a watcher receives for a change: pure, and one shared value for all watchers that receive the same.
import { type Agent, type AgentFilter, SNAPSHOT_ID, type WatchEvent } from '@hypercode/contracts';
import { type Projection, type StreamItem, ValueItem } from '@hypercode/feed';
import { filterKey, matchesFilter } from '../agents/agent-filter.ts';
import type { Change } from '../changes/change.ts';
import { isRemoval } from '../changes/change.ts';

/** A value on its way to watchers, with its tracked id. */
export type WatchItem = StreamItem<WatchEvent>;

/**
 * What a change is to a watcher with a filter:
 * - `as-is`: the agent matches, or matched until it was removed.
 * - `begins`: it matches from now on, though it existed before; received as `updated`.
 * - `left`: it matched until now.
 */
export type View = 'as-is' | 'begins' | 'left';

/** Null: a watcher with this filter does not receive the change. */
export function viewOf({ change, before, after }: Change, filter: AgentFilter): View | null {
  const did = before !== null && matchesFilter(before, filter);
  if (isRemoval(change)) return did ? 'as-is' : null;
  if (matchesFilter(after, filter)) return did || before === null ? 'as-is' : 'begins';
  return did ? 'left' : null;
}

const views = new WeakMap<Change, Map<View, WatchItem>>();

/** The value for a view of a change: the same object each time. */
export function itemOf(change: Change, view: View): WatchItem {
  let items = views.get(change);
  if (items === undefined) views.set(change, (items = new Map()));
  let item = items.get(view);
  if (item === undefined) items.set(view, (item = makeItem(change, view)));
  return item;
}

function makeItem({ position, change, after, at }: Change, view: View): WatchItem {
  const received = view === 'left' ? 'left' : view === 'begins' ? 'updated' : change;
  return new ValueItem<WatchEvent>(String(position), {
    type: 'change',
    revision: position,
    change: received,
    agent: after,
    at,
  });
}

/** Maps changes to the values that watchers with this filter receive. */
export const projectionOf = (filter: AgentFilter): Projection<Change, WatchItem> => ({
  key: filterKey(filter),
  project: (change) => {
    const view = viewOf(change, filter);
    return view === null ? null : itemOf(change, view);
  },
});

export const syncedItem = (revision: number): WatchItem =>
  new ValueItem<WatchEvent>(String(revision), { type: 'synced', revision });

export const bookmarkItem = (revision: number): WatchItem =>
  new ValueItem<WatchEvent>(String(revision), { type: 'bookmark', revision });

/**
 * A chunk of a snapshot. A snapshot can be of many large agents, and waits until its watchers have taken it: so it is kept as bytes,
 * outside the heap, and read again for a transport that cannot share them.
 */
export class SnapshotItem implements WatchItem {
  readonly id = SNAPSHOT_ID;
  readonly type = 'snapshot';
  readonly #bytes: Buffer;

  constructor(revision: number, agents: Agent[], reset: boolean) {
    const event: WatchEvent = { type: 'snapshot', revision, agents, reset };
    this.#bytes = Buffer.from(JSON.stringify(event));
  }

  get size(): number {
    return this.#bytes.length;
  }

  get json(): string {
    return this.#bytes.toString();
  }

  get event(): WatchEvent {
    return JSON.parse(this.json) as WatchEvent;
  }
}
