// What a watcher receives: no change twice or out of order, and no new snapshot without `reset`.
import type { WatchEvent } from '@hypercode/contracts';

export interface WatchProgress {
  /** The watcher has received everything up to this revision. */
  readonly revision: number;
  /** Whether the watcher has received anything yet. */
  readonly started: boolean;
  /** The snapshot under way: its connection, and whether it replaces what the watcher has received. */
  readonly snapshot: { readonly connection: number; readonly reset: boolean } | null;
}

export interface WatchStep {
  readonly progress: WatchProgress;
  /** The event as the watcher gets it; null when it has had it already. */
  readonly event: WatchEvent | null;
}

/** Before the first event of a watch that goes on after revision `since`, or begins with a snapshot. */
export const watchStart = (since: number | undefined): WatchProgress => ({
  revision: since ?? -1,
  started: false,
  snapshot: null,
});

/** What becomes of `event`, which came over the connection of that number. */
export function admitWatchEvent(progress: WatchProgress, event: WatchEvent, connection: number): WatchStep {
  switch (event.type) {
    case 'snapshot': {
      const goesOn = progress.snapshot?.connection === connection;
      const reset = event.reset || (goesOn ? (progress.snapshot?.reset ?? false) : progress.started);
      return {
        progress: { revision: event.revision, started: true, snapshot: { connection, reset } },
        event: reset === event.reset ? event : { ...event, reset },
      };
    }
    case 'change':
      if (event.revision <= progress.revision) return { progress, event: null };
      return { progress: { revision: event.revision, started: true, snapshot: null }, event };
    case 'synced':
    case 'bookmark':
      return {
        progress: {
          revision: Math.max(progress.revision, event.revision),
          started: true,
          snapshot: null,
        },
        event,
      };
  }
}
