// Snapshots for beginning watchers, read once for all that ask for the same thing at about the same time.
import type { Clock } from '@hypercode/clock';
import type { Kysely } from 'kysely';
import type { Schema } from '../schema.ts';
import { SnapshotItem, type Wanted, wantedKey, type WatchItem } from './project.ts';
import { LATE_BYTES, LateChunks, type ReadNames } from './late-chunks.ts';
import { readAgentsAt, takenTooSlowly } from './queries/read-agents-at.ts';
import { type ReadSnapshot, readSnapshot } from './queries/read-snapshot.ts';

/**
 * A snapshot in memory: as long as others may still use it, and until the last watcher has taken it. It is dropped before that when
 * there are too many bytes of newer ones; watchers that are in the middle of it then begin again. A large one has only its beginning in
 * memory, and some of the chunks after it.
 */
export class Snapshot {
  readonly revision: number;
  readonly bytes: number;
  #chunks: readonly SnapshotItem[];
  readonly #late: LateChunks | null;
  #isDropped = false;
  /** Watchers that take it, and the time in which others may use it. */
  #users = 0;
  readonly #onUnused: () => void;

  constructor({ revision, chunks, rest }: ReadSnapshot, readNames: ReadNames, onUnused: () => void) {
    this.revision = revision;
    this.#chunks = chunks;
    this.#late = rest.length === 0 ? null : new LateChunks(rest, readNames);
    this.bytes = chunks.reduce((sum, { size }) => sum + size, this.#late === null ? 0 : LATE_BYTES);
    this.#onUnused = onUnused;
  }

  /** Keeps it until the returned function is called, once. */
  use(): () => void {
    this.#users += 1;
    return () => {
      this.#users -= 1;
      if (this.#users === 0) this.#onUnused();
    };
  }

  /** The chunk at a place; null after the last. There is at least one. UNAVAILABLE when it was dropped. */
  async chunk(place: number): Promise<WatchItem | null> {
    if (this.#isDropped) throw takenTooSlowly();
    return this.#chunks[place] ?? (await this.#late?.chunk(place - this.#chunks.length)) ?? null;
  }

  drop(): void {
    this.#isDropped = true;
    this.#chunks = [];
  }
}

/** Snapshots read at the same time; more would only compete for the same store. */
const MAX_READS = 2;
/** How long a snapshot is kept for others to use after it was read. */
const KEPT_MS = 1000;
/** Of all snapshots in memory. The oldest are dropped when there are more, but never the newest. */
const MAX_BYTES = 128 * 1024 * 1024;

export class Snapshots {
  readonly #db: Kysely<Schema>;
  readonly #clock: Pick<Clock, 'schedule'>;
  readonly #leaseMs: number;
  readonly #current = new Map<string, Promise<Snapshot>>();
  /** What cancels each. */
  readonly #expiries = new Set<() => void>();
  readonly #waiting: (() => void)[] = [];
  /** In the order in which they were read. */
  readonly #inMemory = new Set<Snapshot>();
  readonly #maxBytes: number;
  #bytes = 0;
  #reads = 0;
  #closed = false;

  constructor(
    db: Kysely<Schema>,
    clock: Pick<Clock, 'schedule'>,
    { leaseMs, maxBytes = MAX_BYTES }: { leaseMs: number; maxBytes?: number },
  ) {
    this.#leaseMs = leaseMs;
    this.#db = db;
    this.#clock = clock;
    this.#maxBytes = maxBytes;
  }

  /**
   * A snapshot at `revision` or later, where `revision` is the store's head as the caller has just read it: so a
   * watcher sees everything that was true when it asked. `reset` marks chunks that replace what the watcher knew.
   */
  async get(namespace: string, wanted: Wanted, revision: number, reset: boolean): Promise<Snapshot> {
    const key = JSON.stringify([namespace, wantedKey(wanted), reset]);
    for (;;) {
      const current = this.#current.get(key);
      if (current === undefined) return this.#start(key, namespace, wanted, reset);
      const snapshot = await current.catch(() => null);
      if (snapshot !== null && this.#inMemory.has(snapshot) && snapshot.revision >= revision) return snapshot;
      if (this.#current.get(key) === current) return this.#start(key, namespace, wanted, reset);
    }
  }

  close(): void {
    this.#closed = true;
    for (const cancel of this.#expiries) cancel();
    this.#expiries.clear();
  }

  #start(key: string, namespace: string, wanted: Wanted, reset: boolean): Promise<Snapshot> {
    const started = this.#read(namespace, wanted, reset);
    this.#current.set(key, started);
    const forget = () => {
      if (this.#current.get(key) === started) this.#current.delete(key);
    };
    started.then((snapshot) => {
      // Nobody has written to the namespace: nothing is kept of it.
      const release = snapshot.use();
      if (snapshot.revision === 0) {
        forget();
        release();
        return;
      }
      if (this.#closed) return;
      const cancel = this.#clock.schedule(KEPT_MS, () => {
        this.#expiries.delete(cancel);
        forget();
        release();
      });
      this.#expiries.add(cancel);
    }, forget);
    return started;
  }

  async #read(namespace: string, wanted: Wanted, reset: boolean): Promise<Snapshot> {
    const coreLeaseMs = this.#leaseMs;
    const read = await this.#inTurn(() => readSnapshot(this.#db, { namespace, ...wanted, reset, coreLeaseMs }));
    const { view } = wanted;
    const { revision } = read;
    const readNames: ReadNames = (names, maxBytes) =>
      this.#inTurn(async () => {
        const rows = await readAgentsAt(this.#db, { namespace, view, names, revision, maxBytes });
        return { item: new SnapshotItem(revision, rows, { view, reset, coreLeaseMs }), count: rows.length };
      });
    const snapshot: Snapshot = new Snapshot(read, readNames, () => this.#remove(snapshot));
    this.#add(snapshot);
    return snapshot;
  }

  async #inTurn<T>(read: () => Promise<T>): Promise<T> {
    while (this.#reads >= MAX_READS) await new Promise<void>((resolve) => this.#waiting.push(resolve));
    this.#reads += 1;
    try {
      return await read();
    } finally {
      this.#reads -= 1;
      this.#waiting.shift()?.();
    }
  }

  #add(snapshot: Snapshot): void {
    this.#inMemory.add(snapshot);
    this.#bytes += snapshot.bytes;
    for (const oldest of this.#inMemory) {
      if (this.#bytes <= this.#maxBytes || oldest === snapshot) return;
      oldest.drop();
      this.#remove(oldest);
    }
  }

  #remove(snapshot: Snapshot): void {
    if (this.#inMemory.delete(snapshot)) this.#bytes -= snapshot.bytes;
  }
}
