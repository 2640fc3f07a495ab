// The value that a watcher receives for a change: pure, and one shared value for all watchers that receive the same.
import {
  type Agent,
  type AgentFilter,
  type AgentView,
  SNAPSHOT_ID,
  summaryOf,
  type WatchEvent,
} from '@hypercode/contracts';
import { type Projection, type StreamItem, ValueItem } from '@hypercode/feed';
import { filterKey, matchesFilter } from '../agents/agent-filter.ts';
import type { Change } from '../changes/change.ts';
import { isRemoval } from '../changes/change.ts';
import { type AgentRow, toAgent } from '../documents/agent-row.ts';

/** A value on its way to watchers, with its tracked id. Events with summaries have the type of the others, as the declared watch has. */
export type WatchItem = StreamItem<WatchEvent>;

/** What a watcher asks for: which agents, and how much of each. */
export interface Wanted {
  readonly filter: AgentFilter;
  readonly view: AgentView;
}

/** The same text for watchers that receive the same; they share their work. */
export const wantedKey = ({ filter, view }: Wanted): string => `${view} ${filterKey(filter)}`;

/**
 * What a change is to a watcher with a filter:
 * - `as-is`: the agent matches, or matched until it was removed.
 * - `begins`: it matches from now on, though it existed before; received as `updated`.
 * - `left`: it matched until now.
 */
export type Meaning = 'as-is' | 'begins' | 'left';

/** Null: a watcher with this filter does not receive the change. */
export function meaningOf({ change, before, after }: Change, filter: AgentFilter): Meaning | null {
  const did = before !== null && matchesFilter(before, filter);
  if (isRemoval(change)) return did ? 'as-is' : null;
  if (matchesFilter(after, filter)) return did || before === null ? 'as-is' : 'begins';
  return did ? 'left' : null;
}

const items = new WeakMap<Change, Map<string, WatchItem>>();

/** The value of a change for watchers to which it is this: the same object each time. */
export function itemOf(change: Change, meaning: Meaning, view: AgentView): WatchItem {
  let known = items.get(change);
  if (known === undefined) items.set(change, (known = new Map()));
  const key = `${meaning} ${view}`;
  let item = known.get(key);
  if (item === undefined) known.set(key, (item = makeItem(change, meaning, view)));
  return item;
}

function makeItem({ position, change, after, at }: Change, meaning: Meaning, view: AgentView): WatchItem {
  const received = meaning === 'left' ? 'left' : meaning === 'begins' ? 'updated' : change;
  return new ValueItem<WatchEvent>(String(position), {
    type: 'change',
    revision: position,
    change: received,
    agent: view === 'full' ? after : (summaryOf(after) as Agent),
    at,
  });
}

/** Maps changes to the values that watchers receive who ask for this. */
export const projectionOf = (wanted: Wanted): Projection<Change, WatchItem> => ({
  key: wantedKey(wanted),
  project: (change) => {
    const meaning = meaningOf(change, wanted.filter);
    return meaning === null ? null : itemOf(change, meaning, wanted.view);
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

  constructor(
    revision: number,
    rows: readonly AgentRow[],
    { view, reset, coreLeaseMs }: { view: AgentView; reset: boolean; coreLeaseMs: number },
  ) {
    const whole = rows.map((row) => toAgent(row, coreLeaseMs));
    const agents = view === 'full' ? whole : whole.map(summaryOf);
    const event = { type: 'snapshot', revision, agents, reset };
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
