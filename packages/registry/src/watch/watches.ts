// The live watch: a snapshot, then every change after it, in order, none missing, none twice.
import { type AgentFilter, SNAPSHOT_ID, SwarmError } from '@hypercode/contracts';
import { unavailable } from '@hypercode/stores';
import { Broadcast, type Projection, type StreamBatch } from '@hypercode/feed';
import type { Kysely } from 'kysely';
import type { Change } from '../changes/change.ts';
import type { ChangeFeed, ChangeLog } from '../changes/change-log.ts';
import type { Schema } from '../schema.ts';
import { bookmarkItem, projectionOf, syncedItem, type WatchItem } from './project.ts';
import { Snapshots } from './snapshots.ts';

/** How often a watcher that has everything is told so; it keeps its cursor young and its connection alive. */
export const BOOKMARK_INTERVAL_MS = 15_000;

export interface WatchRequest {
  namespace: string;
  filter: AgentFilter;
  /** Go on after this cursor: the tracked id of the last value seen, or a revision. Absent: begin with a snapshot. */
  cursor: string | number | undefined;
}

export interface WatchesOptions {
  db: Kysely<Schema>;
  changes: ChangeLog;
  bookmarkIntervalMs?: number;
}

/** One watch while it is open. */
interface Session {
  readonly namespace: string;
  readonly filter: AgentFilter;
  readonly broadcast: ChangeBroadcast;
  readonly projection: Projection<Change, WatchItem>;
  readonly signal: AbortSignal;
  /** The store's head when the watch began: once the cursor is there, the watcher is told that it is in step. */
  readonly syncAt: number;
  synced: boolean;
}

type ChangeBroadcast = Broadcast<number, Change, WatchItem>;
type Batches<R> = AsyncGenerator<StreamBatch<WatchItem>, R, undefined>;

/**
 * Phases of one watch:
 * - snapshot: the matching agents at one revision, then `synced`. Entered at the beginning, and again (as a reset) when
 *   the cursor cannot be continued: it is behind the horizon, or ahead of the store's head.
 * - live: the cursor stands in the feed's ring; every step is shared with all watchers of the same filter. Left when the ring
 *   no longer reaches the cursor, or was begun anew.
 * - catching up: changes are read from the log, a page at a time, until the ring reaches the cursor again.
 *
 * A watch is pulled. One that is not pulled costs its cursor and nothing else.
 */
export class Watches {
  readonly #changes: ChangeLog;
  readonly #snapshots: Snapshots;
  readonly #broadcasts = new Map<ChangeFeed, ChangeBroadcast>();
  readonly #bookmarks: NodeJS.Timeout;
  #bookmarkTick = 0;
  #lastBookmark: StreamBatch<WatchItem> | null = null;

  constructor({ db, changes, bookmarkIntervalMs = BOOKMARK_INTERVAL_MS }: WatchesOptions) {
    this.#changes = changes;
    this.#snapshots = new Snapshots(db);
    this.#bookmarks = setInterval(() => {
      this.#bookmarkTick += 1;
      for (const broadcast of this.#broadcasts.values()) broadcast.tick();
    }, bookmarkIntervalMs);
  }

  /** How many watches follow the log. */
  get size(): number {
    return [...this.#broadcasts.values()].reduce((sum, { size }) => sum + size, 0);
  }

  /**
   * The values of a watch, in batches. It ends when `signal` aborts: silently, or by throwing the signal's reason if
   * that is a SwarmError. Throws INVALID_INPUT for a cursor that is none, and UNAVAILABLE when it needs the store and
   * the store does not answer; the last value's id resumes it.
   */
  async *open({ namespace, filter, cursor }: WatchRequest, signal: AbortSignal): Batches<void> {
    const since = parseCursor(cursor);
    const [feed, head] = await Promise.all([this.#changes.feed(namespace), this.#changes.head(namespace)]);
    if (feed.end < head.revision) feed.wake();

    const session: Session = {
      namespace,
      filter,
      broadcast: this.#broadcastOf(feed),
      projection: projectionOf(filter),
      signal,
      syncAt: head.revision,
      synced: false,
    };
    let position: number;
    if (typeof since === 'number' && since >= head.horizon && since <= head.revision) position = since;
    else position = yield* this.#snapshot(session, head.revision, since !== null);
    while (!ended(signal)) {
      position = yield* this.#live(session, position);
      if (ended(signal)) return;
      if (feed.closed) throw unavailable('the core is shutting down');
      const caughtUp = yield* this.#catchUp(session, position);
      if (caughtUp !== null) position = caughtUp;
      else position = yield* this.#snapshot(session, (await this.#changes.head(namespace)).revision, true);
    }
  }

  close(): void {
    clearInterval(this.#bookmarks);
    this.#snapshots.close();
  }

  async *#snapshot(session: Session, revision: number, reset: boolean): Batches<number> {
    const snapshot = await this.#snapshots.get(session.namespace, session.filter, revision, reset);
    for (const chunk of snapshot.chunks) {
      if (ended(session.signal)) return snapshot.revision;
      yield [chunk];
    }
    session.synced = true;
    yield [syncedItem(snapshot.revision)];
    return snapshot.revision;
  }

  #live(session: Session, from: number): Batches<number> {
    const { broadcast, projection, signal } = session;
    let tick = this.#bookmarkTick;
    const idle = (position: number): StreamBatch<WatchItem> | null => {
      if (!session.synced && position >= session.syncAt) {
        session.synced = true;
        return [syncedItem(position)];
      }
      if (tick === this.#bookmarkTick) return null;
      tick = this.#bookmarkTick;
      return this.#bookmark(position);
    };
    return broadcast.follow(projection, from, { signal, idle });
  }

  /** Null when the log cannot tell what follows the cursor. */
  async *#catchUp(session: Session, from: number): Batches<number | null> {
    const { namespace, broadcast, projection, signal } = session;
    let position = from;
    do {
      const changes = await this.#changes.read(namespace, position);
      if (changes === null) return null;
      position = changes.at(-1)?.position ?? position;
      const batch = changes.map((change) => projection.project(change)).filter((item) => item !== null);
      if (batch.length > 0) yield batch;
    } while (!ended(signal) && !broadcast.feed.ring.reaches(position));
    return position;
  }

  #broadcastOf(feed: ChangeFeed): ChangeBroadcast {
    let broadcast = this.#broadcasts.get(feed);
    if (broadcast === undefined) this.#broadcasts.set(feed, (broadcast = new Broadcast(feed)));
    return broadcast;
  }

  /** Watchers who stand at the same revision are sent the same object. */
  #bookmark(revision: number): StreamBatch<WatchItem> {
    let bookmark = this.#lastBookmark;
    if (bookmark?.[0]?.id !== String(revision)) this.#lastBookmark = bookmark = [bookmarkItem(revision)];
    return bookmark;
  }
}

/** Whether the watch is over. Throws the reason when that is a refusal. */
function ended(signal: AbortSignal): boolean {
  if (signal.aborted && signal.reason instanceof SwarmError) throw signal.reason;
  return signal.aborted;
}

/** A revision, `snapshot` for a cursor inside one, or null to begin. */
function parseCursor(cursor: string | number | undefined): number | typeof SNAPSHOT_ID | null {
  if (cursor === undefined || cursor === '') return null;
  if (cursor === SNAPSHOT_ID) return SNAPSHOT_ID;
  const revision = typeof cursor === 'number' ? cursor : /^\d{1,16}$/.test(cursor) ? Number(cursor) : Number.NaN;
  if (Number.isSafeInteger(revision)) return revision;
  throw new SwarmError('INVALID_INPUT', 'invalid input: lastEventId: is not a cursor of a watch', {
    details: [{ path: 'lastEventId', reason: 'is not a cursor of a watch' }],
  });
}
