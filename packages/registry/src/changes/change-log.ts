// The change logs of all namespaces that this replica follows, each as one feed.
import { coalesce, Feed, type Log, type Signal } from '@hypercode/feed';
import type { Kysely } from 'kysely';
import type { Schema } from '../schema.ts';
import type { Change } from './change.ts';
import { readChanges } from './queries/read-changes.ts';
import { type Head, readHeads } from './queries/read-heads.ts';

/** What a replica keeps in memory of each namespace's log. */
const RING_LIMITS = { maxEntries: 4096, maxBytes: 16 * 1024 * 1024 };
/** Changes read at a time. */
const READ_LIMIT = 500;
/** Changes that a starting replica reads back, so that watchers of its predecessor resume from memory. */
const PRELOADED_CHANGES = 2000;
/** How long a lost wake-up can delay a watcher. */
const POLL_INTERVAL_MS = 1000;

export type ChangeFeed = Feed<number, Change>;

export interface ChangeLogOptions {
  db: Kysely<Schema>;
  signal: Signal;
  onError: (error: unknown) => void;
}

const channelOf = (namespace: string): string => `registry:${namespace}`;

/**
 * Wake-ups come from the signal; once a second the heads of all followed namespaces are read in one statement, so a
 * wake-up that was lost only costs time.
 */
export class ChangeLog {
  readonly #options: ChangeLogOptions;
  readonly #feeds = new Map<string, Promise<ChangeFeed>>();
  /** What wakes each feed. */
  readonly #wakers = new Map<string, () => void>();
  readonly #unsubscribes: (() => void)[] = [];
  readonly #freshHead: (namespace: string) => Promise<Head | undefined>;
  #poll: NodeJS.Timeout | null = null;
  #polling: Promise<void> = Promise.resolve();
  #closed = false;

  constructor(options: ChangeLogOptions) {
    this.#options = options;
    this.#freshHead = coalesce((namespaces) => readHeads(options.db, namespaces));
    this.#schedulePoll();
  }

  /** The feed of a namespace; it is followed from the first call on. Fails when the store does not answer. */
  feed(namespace: string): Promise<ChangeFeed> {
    const followed = this.#feeds.get(namespace);
    if (followed !== undefined) return followed;
    const started = this.#follow(namespace);
    this.#feeds.set(namespace, started);
    started.catch(() => this.#feeds.delete(namespace));
    return started;
  }

  /** Where the log of a namespace stands in the store now, not earlier than this call. */
  async head(namespace: string): Promise<Head> {
    return (await this.#freshHead(namespace)) ?? { revision: 0, horizon: 0 };
  }

  /** Changes after `position`, straight from the store; null when the log cannot tell. */
  read(namespace: string, position: number): Promise<Change[] | null> {
    return readChanges(this.#options.db, namespace, position, READ_LIMIT);
  }

  /** Takes changes that this replica has committed, and wakes the others. */
  committed(namespace: string, changes: Change[]): void {
    // First, so that the wake-up finds them in the feed already.
    this.#feeds.get(namespace)?.then(
      (running) => running.offer(changes, (end, change) => change.position === end + 1),
      () => undefined,
    );
    this.#options.signal.notify(channelOf(namespace), this.#wakers.get(namespace));
  }

  async close(): Promise<void> {
    this.#closed = true;
    if (this.#poll !== null) clearTimeout(this.#poll);
    for (const unsubscribe of this.#unsubscribes) unsubscribe();
    await this.#polling;
    await Promise.all(
      [...this.#feeds.values()].map((feed) =>
        feed.then(
          (running) => running.close(),
          () => undefined,
        ),
      ),
    );
  }

  async #follow(namespace: string): Promise<ChangeFeed> {
    const { db, signal, onError } = this.#options;
    const log: Log<number, Change> = {
      read: (position, limit) => readChanges(db, namespace, position, limit),
      begin: async () => {
        const { revision, horizon } = await this.head(namespace);
        return Math.max(horizon, revision - PRELOADED_CHANGES);
      },
      compare: (a, b) => a - b,
      sizeOf: estimateBytes,
    };
    const feed = await Feed.follow(log, { limits: RING_LIMITS, readLimit: READ_LIMIT, onError });
    const wake = () => feed.wake();
    this.#wakers.set(namespace, wake);
    this.#unsubscribes.push(signal.subscribe(channelOf(namespace), wake));
    return feed;
  }

  #schedulePoll(): void {
    if (this.#closed) return;
    this.#poll = setTimeout(() => {
      this.#polling = this.#wakeWhoIsBehind()
        .catch(this.#options.onError)
        .finally(() => this.#schedulePoll());
    }, POLL_INTERVAL_MS);
  }

  async #wakeWhoIsBehind(): Promise<void> {
    const feeds = await Promise.all(
      [...this.#feeds].map(async ([namespace, feed]) => [namespace, await feed.catch(() => null)] as const),
    );
    if (feeds.length === 0) return;
    const heads = await readHeads(
      this.#options.db,
      feeds.map(([namespace]) => namespace),
    );
    for (const [namespace, feed] of feeds) if (heads.get(namespace)?.revision !== feed?.end) feed?.wake();
  }
}

/** About what a change weighs, from its free-sized parts; exact sizes would cost an encoding. */
function estimateBytes({ before, after }: Change): number {
  let bytes = 1024;
  for (const agent of [before, after]) {
    if (agent === null) continue;
    bytes += 512 + (agent.description?.length ?? 0);
    for (const pattern of agent.topics.publishes) bytes += pattern.length + 24;
    for (const pattern of agent.topics.subscribes) bytes += pattern.length + 24;
    for (const [key, value] of Object.entries(agent.labels)) bytes += key.length + value.length + 48;
    for (const capability of agent.capabilities) {
      bytes += 128 + (capability.description?.length ?? 0);
      if (capability.inputSchema !== undefined) bytes += JSON.stringify(capability.inputSchema).length * 2;
      if (capability.outputSchema !== undefined) bytes += JSON.stringify(capability.outputSchema).length * 2;
    }
  }
  return bytes;
}
