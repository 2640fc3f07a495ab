// What a watcher may be told: no change twice or out of order, and no snapshot begun anew without saying so.
import type { WatchEvent } from '@hypercode/contracts';

export interface WatchProgress {
  /** Everything up to this revision has been told. */
  readonly revision: number;
  /** Whether anything has been told yet. */
  readonly started: boolean;
  /** The snapshot that is being told: the connection it comes over, and whether it replaces what was told before. */
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
