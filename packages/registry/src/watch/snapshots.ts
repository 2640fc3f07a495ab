// Snapshots for beginning watchers, read once for all that ask for the same thing at about the same time.
import type { Clock } from '@hypercode/clock';
import type { AgentFilter } from '@hypercode/contracts';
import type { Kysely } from 'kysely';
import { filterKey } from '../agents/agent-filter.ts';
import type { Schema } from '../schema.ts';
import { snapshotItem, type WatchItem } from './project.ts';
import { readSnapshot } from './queries/read-snapshot.ts';

export interface Snapshot {
  revision: number;
  /** At least one chunk, however many agents there are. */
  chunks: WatchItem[];
}

/** Snapshots read at the same time; more would only compete for the same store. */
const MAX_READS = 2;
/** How long a snapshot is kept for others to use after it was read. */
const KEPT_MS = 1000;

export class Snapshots {
  readonly #db: Kysely<Schema>;
  readonly #clock: Pick<Clock, 'schedule'>;
  readonly #current = new Map<string, Promise<Snapshot>>();
  /** What cancels each. */
  readonly #expiries = new Set<() => void>();
  readonly #waiting: (() => void)[] = [];
  #reads = 0;
  #closed = false;

  constructor(db: Kysely<Schema>, clock: Pick<Clock, 'schedule'>) {
    this.#db = db;
    this.#clock = clock;
  }

  /**
   * A snapshot at `revision` or later, where `revision` is the store's head as the caller has just read it: so a
   * watcher sees everything that was true when it asked. `reset` marks chunks that replace what the watcher knew.
   */
  async get(namespace: string, filter: AgentFilter, revision: number, reset: boolean): Promise<Snapshot> {
    const key = JSON.stringify([namespace, filterKey(filter), reset]);
    for (;;) {
      const current = this.#current.get(key);
      if (current === undefined) return this.#start(key, namespace, filter, reset);
      const snapshot = await current.catch(() => null);
      if (snapshot !== null && snapshot.revision >= revision) return snapshot;
      if (this.#current.get(key) === current) return this.#start(key, namespace, filter, reset);
    }
  }

  close(): void {
    this.#closed = true;
    for (const cancel of this.#expiries) cancel();
    this.#expiries.clear();
  }

  #start(key: string, namespace: string, filter: AgentFilter, reset: boolean): Promise<Snapshot> {
    const started = this.#read(namespace, filter, reset);
    this.#current.set(key, started);
    const forget = () => {
      if (this.#current.get(key) === started) this.#current.delete(key);
    };
    started.then(({ revision }) => {
      // Nobody has written to the namespace: nothing is kept of it.
      if (revision === 0) return forget();
      if (this.#closed) return;
      const cancel = this.#clock.schedule(KEPT_MS, () => {
        this.#expiries.delete(cancel);
        forget();
      });
      this.#expiries.add(cancel);
    }, forget);
    return started;
  }

  async #read(namespace: string, filter: AgentFilter, reset: boolean): Promise<Snapshot> {
    while (this.#reads >= MAX_READS) await new Promise<void>((resolve) => this.#waiting.push(resolve));
    this.#reads += 1;
    try {
      const { revision, chunks } = await readSnapshot(this.#db, namespace, filter);
      return { revision, chunks: chunks.map((agents) => snapshotItem(revision, agents, reset)) };
    } finally {
      this.#reads -= 1;
      this.#waiting.shift()?.();
    }
  }
}
