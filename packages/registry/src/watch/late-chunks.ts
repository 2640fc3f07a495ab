// The chunks of a large snapshot after its first: read when a watcher takes them, so that none holds all agents in memory.
import { LIMITS } from '@hypercode/contracts';
import type { SnapshotItem } from './project.ts';

/** Chunks that are kept for watchers that take the snapshot at about the same pace; others are read again. */
const KEPT = 16;
/** Names that the first read is given. */
const FIRST_NAMES = 8;

export interface ReadChunk {
  readonly item: SnapshotItem;
  /** How many of the names it has. */
  readonly count: number;
}

/** A chunk of agents with the first of these names. */
export type ReadNames = (names: readonly string[], maxBytes: number) => Promise<ReadChunk>;

/** Most bytes that they keep. */
export const LATE_BYTES = KEPT * LIMITS.snapshotChunkBytes;

/** Watchers take chunks in their order, so a chunk begins where the one before it has ended; that stays so when it is read again. */
export class LateChunks {
  readonly #names: readonly string[];
  readonly #read: ReadNames;
  /** Where each chunk begins in the names, as far as is known. */
  readonly #starts = [0];
  /** In the order in which they were read. */
  readonly #kept = new Map<number, Promise<SnapshotItem>>();

  constructor(names: readonly string[], read: ReadNames) {
    this.#names = names;
    this.#read = read;
  }

  /** Null after the last. What reading rejects with; the next call reads again. */
  async chunk(place: number): Promise<SnapshotItem | null> {
    const start = this.#starts[place] ?? this.#names.length;
    if (start >= this.#names.length) return null;
    let kept = this.#kept.get(place);
    if (kept === undefined) {
      kept = this.#readAt(place, start);
      this.#kept.set(place, kept);
      kept.catch(() => this.#kept.delete(place));
      for (const oldest of this.#kept.keys()) {
        if (this.#kept.size <= KEPT) break;
        this.#kept.delete(oldest);
      }
    }
    return kept;
  }

  async #readAt(place: number, start: number): Promise<SnapshotItem> {
    const end = this.#starts[place + 1];
    const names = this.#names.slice(start, end ?? start + this.#likely(place, start));
    const maxBytes = end === undefined ? LIMITS.snapshotChunkBytes : Number.MAX_SAFE_INTEGER;
    const { item, count } = await this.#read(names, maxBytes);
    this.#starts[place + 1] = start + count;
    return item;
  }

  /** The next agents are likely as large as those before. */
  #likely(place: number, start: number): number {
    const before = this.#starts[place - 1];
    return before === undefined ? FIRST_NAMES : Math.min(LIMITS.snapshotChunk, 2 * (start - before));
  }
}
