// All watchers of a namespace that ask for the same thing: what one of them is sent is computed once for all.
import type { AgentFilter } from '@hypercode/contracts';
import type { Change } from '../changes/change.ts';
import type { ChangeFeed } from '../changes/change-log.ts';
import { bookmarkItem, itemOf, viewOf, type WatchItem } from './project.ts';

/** Values that are sent together. Shared: whoever encodes a batch can keep the bytes for the next watcher. */
export type WatchBatch = readonly WatchItem[];

/** Most changes in one batch; it bounds what a watcher that does not read can hold up in its socket. */
const BATCH_CHANGES = 128;

interface Step {
  batch: WatchBatch;
  /** Where the cursor stands after the batch. */
  to: number;
}

export class Audience {
  readonly filter: AgentFilter;
  readonly #feed: ChangeFeed;
  /** Steps from the positions at which watchers stand, until the feed moves on. */
  readonly #steps = new Map<number, Step>();
  #stepsEnd = -1;
  #bookmark: WatchItem | null = null;

  constructor(feed: ChangeFeed, filter: AgentFilter) {
    this.#feed = feed;
    this.filter = filter;
  }

  /** What a watcher at `position` is sent next out of the ring; null when it has everything. */
  step(position: number): Step | null {
    const { ring } = this.#feed;
    if (position >= ring.end) return null;
    if (this.#stepsEnd !== ring.end) {
      this.#steps.clear();
      this.#stepsEnd = ring.end;
    }
    let step = this.#steps.get(position);
    if (step === undefined) {
      const changes = ring.after(position, BATCH_CHANGES);
      step = { batch: this.project(changes), to: changes.at(-1)?.position ?? ring.end };
      this.#steps.set(position, step);
    }
    return step;
  }

  /** What of `changes` is heard here, in order. */
  project(changes: readonly Change[]): WatchBatch {
    const items: WatchItem[] = [];
    for (const change of changes) {
      const view = viewOf(change, this.filter);
      if (view !== null) items.push(itemOf(change, view));
    }
    return items;
  }

  bookmark(revision: number): WatchItem {
    if (this.#bookmark?.event.revision !== revision) this.#bookmark = bookmarkItem(revision);
    return this.#bookmark;
  }
}
