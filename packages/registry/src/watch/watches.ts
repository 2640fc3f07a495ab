// The live watch: a snapshot, then every change after it, in order, none missing, none twice.
import type { Clock } from '@hypercode/clock';
import { type AgentFilter, type AgentView, invalidField, SNAPSHOT_ID } from '@hypercode/contracts';
import { Bookmarks, CursorStream, ended, type StreamBatch } from '@hypercode/feed';
import type { Kysely } from 'kysely';
import type { ChangeLog } from '../changes/change-log.ts';
import type { Schema } from '../schema.ts';
import { bookmarkItem, projectionOf, syncedItem, type Wanted, type WatchItem } from './project.ts';
import { Snapshots } from './snapshots.ts';

/** How often a watcher that has everything is sent a bookmark, in milliseconds. */
export const BOOKMARK_INTERVAL_MS = 15_000;

export interface WatchRequest {
  namespace: string;
  filter: AgentFilter;
  view: AgentView;
  /** Go on after this cursor: the tracked id of the last value seen, or a revision. Absent: begin with a snapshot. */
  cursor: string | number | undefined;
}

export interface WatchesOptions {
  db: Kysely<Schema>;
  changes: ChangeLog;
  clock: Pick<Clock, 'schedule'>;
  /** The lease of agents that asked for none, in milliseconds. */
  leaseMs: number;
  bookmarkIntervalMs?: number;
}

/** One watch while it is open. */
interface Session {
  readonly namespace: string;
  readonly wanted: Wanted;
  readonly signal: AbortSignal;
  /** Whether the watcher was sent `synced`. */
  synced: boolean;
}

type Batches<R> = AsyncGenerator<StreamBatch<WatchItem>, R, undefined>;

/**
 * Phases of one watch:
 * - snapshot: the matching agents at one revision, then `synced`. Entered at the beginning, and again (as a reset) when
 *   the cursor cannot be continued: it is before the horizon, or after the store's head.
 * - live and catching up: see `CursorStream`. The first time that the cursor reaches the store's head, `synced` is sent.
 */
export class Watches {
  readonly #changes: ChangeLog;
  readonly #snapshots: Snapshots;
  readonly #bookmarks: Bookmarks<number, WatchItem>;

  constructor({ db, changes, clock, leaseMs, bookmarkIntervalMs = BOOKMARK_INTERVAL_MS }: WatchesOptions) {
    this.#changes = changes;
    this.#snapshots = new Snapshots(db, clock, { leaseMs });
    this.#bookmarks = new Bookmarks({
      clock,
      intervalMs: bookmarkIntervalMs,
      idOf: String,
      make: bookmarkItem,
      onTick: () => changes.tick(),
    });
  }

  /** How many watches follow the log. */
  get size(): number {
    return [...this.#changes.running.values()].reduce((sum, { broadcasts }) => sum + broadcasts.watchers.size, 0);
  }

  /**
   * The values of a watch, in batches. It ends when `signal` aborts: silently, or by throwing the signal's reason if
   * that is a SwarmError. Throws INVALID_INPUT for a cursor that is none, and UNAVAILABLE when it needs the store and
   * the store does not answer; the last value's id resumes it.
   */
  async *open({ namespace, filter, view, cursor }: WatchRequest, signal: AbortSignal): Batches<void> {
    const since = parseCursor(cursor);
    const asked = this.#changes.head(namespace);
    // It is awaited below, unless the log cannot be followed either.
    asked.catch(() => undefined);
    const { followed, release } = await this.#changes.use(namespace);
    try {
      const head = await asked;
      const { feed, broadcasts } = followed;
      if (feed.end < head.revision) feed.wake();
      const session: Session = { namespace, wanted: { filter, view }, signal, synced: false };
      const isCurrent = typeof since === 'number' && since >= head.horizon && since <= head.revision;
      const stream = new CursorStream({
        broadcast: broadcasts.watchers,
        bookmarks: this.#bookmarks,
        from: isCurrent ? since : yield* this.#snapshot(session, head.revision, since !== null),
        isConfirmed: true,
        // A ring that ends before the cursor may be one of a store that went back.
        holds: (revision) => feed.ring.reaches(revision) && revision <= feed.end,
        read: (revision) => this.#changes.read(namespace, revision),
        bridge: () => this.#reset(session),
        ownBatch: (revision) => {
          if (session.synced || revision < head.revision) return null;
          session.synced = true;
          return [syncedItem(revision)];
        },
      });
      yield* stream.run(projectionOf(session.wanted), signal);
    } finally {
      release();
    }
  }

  close(): void {
    this.#bookmarks.close();
    this.#snapshots.close();
  }

  async *#reset(session: Session): Batches<number> {
    const { revision } = await this.#changes.head(session.namespace);
    return yield* this.#snapshot(session, revision, true);
  }

  async *#snapshot(session: Session, revision: number, reset: boolean): Batches<number> {
    const snapshot = await this.#snapshots.get(session.namespace, session.wanted, revision, reset);
    const release = snapshot.use();
    try {
      for (let place = 0; ; place += 1) {
        const chunk = await snapshot.chunk(place);
        if (chunk === null) break;
        if (ended(session.signal)) return snapshot.revision;
        yield [chunk];
      }
    } finally {
      release();
    }
    session.synced = true;
    yield [syncedItem(snapshot.revision)];
    return snapshot.revision;
  }
}

/** A revision, `snapshot` for a cursor inside one, or null to begin. */
function parseCursor(cursor: string | number | undefined): number | typeof SNAPSHOT_ID | null {
  if (cursor === undefined || cursor === '') return null;
  if (cursor === SNAPSHOT_ID) return SNAPSHOT_ID;
  const revision = typeof cursor === 'number' ? cursor : /^\d{1,16}$/.test(cursor) ? Number(cursor) : Number.NaN;
  if (Number.isSafeInteger(revision)) return revision;
  throw invalidField('lastEventId', 'is not a cursor of a watch');
}
