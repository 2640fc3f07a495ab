// The live watch: a snapshot, then every change after it, in order, none missing, none twice.
import { type AgentFilter, SNAPSHOT_ID, SwarmError } from '@hypercode/contracts';
import { unavailable } from '@hypercode/database';
import { Alarm } from '@hypercode/feed';
import type { Kysely } from 'kysely';
import { filterKey } from '../agents/agent-filter.ts';
import type { ChangeFeed, ChangeLog } from '../changes/change-log.ts';
import type { Schema } from '../schema.ts';
import { Audience, type WatchBatch } from './audience.ts';
import { syncedItem } from './project.ts';
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
  readonly feed: ChangeFeed;
  readonly audience: Audience;
  readonly alarm: Alarm;
  readonly signal: AbortSignal;
  /** The store's head when the watch began: once the cursor is there, the watcher is told that it is in step. */
  readonly syncAt: number;
  synced: boolean;
}

type Batches<R> = AsyncGenerator<WatchBatch, R, undefined>;

/**
 * Phases of one watch:
 * - snapshot: the matching agents at one revision, then `synced`. Entered at the beginning, and again (as a reset) when
 *   the cursor cannot be continued: it is behind the horizon, or ahead of the store's head.
 * - live: the cursor stands in the feed's ring; every step comes out of it, shared with all watchers of the same
 *   filter. Left when the ring no longer reaches the cursor, or was begun anew.
 * - catching up: changes are read from the log, a page at a time, until the ring reaches the cursor again.
 *
 * A watch is pulled. One that is not pulled costs its cursor and nothing else.
 */
export class Watches {
  readonly #changes: ChangeLog;
  readonly #snapshots: Snapshots;
  readonly #audiences = new Map<string, { audience: Audience; feed: ChangeFeed; watchers: number }>();
  readonly #alarms = new Set<Alarm>();
  readonly #bookmarks: NodeJS.Timeout;
  #bookmarkTick = 0;

  constructor({ db, changes, bookmarkIntervalMs = BOOKMARK_INTERVAL_MS }: WatchesOptions) {
    this.#changes = changes;
    this.#snapshots = new Snapshots(db);
    this.#bookmarks = setInterval(() => {
      this.#bookmarkTick += 1;
      for (const alarm of this.#alarms) alarm.ring();
    }, bookmarkIntervalMs);
  }

  /** How many watches are open. */
  get size(): number {
    return this.#alarms.size;
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

    const { audience, leave } = this.#join(namespace, filter, feed);
    const alarm = new Alarm();
    const ring = () => alarm.ring();
    const detach = feed.attach(alarm);
    this.#alarms.add(alarm);
    signal.addEventListener('abort', ring);
    const session: Session = { namespace, feed, audience, alarm, signal, syncAt: head.revision, synced: false };
    try {
      let position: number;
      if (typeof since === 'number' && since >= head.horizon && since <= head.revision) position = since;
      else position = yield* this.#snapshot(session, head.revision, since !== null);
      while (!ended(signal)) {
        position = yield* this.#live(session, position);
        if (ended(signal)) return;
        const caughtUp = yield* this.#catchUp(session, position);
        if (caughtUp !== null) position = caughtUp;
        else position = yield* this.#snapshot(session, (await this.#changes.head(namespace)).revision, true);
      }
    } finally {
      signal.removeEventListener('abort', ring);
      this.#alarms.delete(alarm);
      detach();
      leave();
    }
  }

  close(): void {
    clearInterval(this.#bookmarks);
    this.#snapshots.close();
  }

  async *#snapshot(session: Session, revision: number, reset: boolean): Batches<number> {
    const snapshot = await this.#snapshots.get(session.namespace, session.audience.filter, revision, reset);
    for (const chunk of snapshot.chunks) {
      if (ended(session.signal)) return snapshot.revision;
      yield [chunk];
    }
    session.synced = true;
    yield [syncedItem(snapshot.revision)];
    return snapshot.revision;
  }

  async *#live(session: Session, from: number): Batches<number> {
    const { feed, audience, alarm, signal } = session;
    const { ring } = feed;
    let position = from;
    let tick = this.#bookmarkTick;
    while (!ended(signal) && feed.ring === ring && ring.reaches(position)) {
      const step = audience.step(position);
      if (step !== null) {
        position = step.to;
        if (step.batch.length > 0) yield step.batch;
      } else if (!session.synced && position >= session.syncAt) {
        session.synced = true;
        yield [syncedItem(position)];
      } else if (tick !== this.#bookmarkTick) {
        tick = this.#bookmarkTick;
        yield [audience.bookmark(position)];
      } else if (feed.closed) {
        throw unavailable('the core is shutting down');
      } else {
        await alarm.wait();
      }
    }
    return position;
  }

  /** Null when the log cannot tell what follows the cursor. */
  async *#catchUp(session: Session, from: number): Batches<number | null> {
    const { namespace, feed, audience, signal } = session;
    let position = from;
    do {
      const changes = await this.#changes.read(namespace, position);
      if (changes === null) return null;
      position = changes.at(-1)?.position ?? position;
      const batch = audience.project(changes);
      if (batch.length > 0) yield batch;
    } while (!ended(signal) && !feed.ring.reaches(position));
    return position;
  }

  /** Watchers of the same namespace and filter share an audience while there is one of them. */
  #join(namespace: string, filter: AgentFilter, feed: ChangeFeed): { audience: Audience; leave: () => void } {
    const key = `${namespace} ${filterKey(filter)}`;
    let shared = this.#audiences.get(key);
    if (shared === undefined || shared.feed !== feed) {
      shared = { audience: new Audience(feed, filter), feed, watchers: 0 };
      this.#audiences.set(key, shared);
    }
    const joined = shared;
    joined.watchers += 1;
    const leave = () => {
      joined.watchers -= 1;
      if (joined.watchers === 0 && this.#audiences.get(key) === joined) this.#audiences.delete(key);
    };
    return { audience: joined.audience, leave };
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
  throw new SwarmError('INVALID_INPUT', 'invalid input: lastEventId: is no cursor of a watch', {
    details: [{ path: 'lastEventId', reason: 'is no cursor of a watch' }],
  });
}
