// The change logs of all namespaces that this replica follows, each as one feed.
import type { Clock } from '@hypercode/clock';
import type { WatchEvent } from '@hypercode/contracts';
import { Broadcast, type Feed, FollowedLogs, type Signal, type StreamItem } from '@hypercode/feed';
import type { Kysely } from 'kysely';
import type { Schema } from '../schema.ts';
import type { Change } from './change.ts';
import { findBeginning } from './queries/find-beginning.ts';
import { readChanges } from './queries/read-changes.ts';
import { type Head, readHeads } from './queries/read-heads.ts';

/** What a replica keeps in memory of each namespace's log. */
const RING_LIMITS = { maxEntries: 4096, maxBytes: 16 * 1024 * 1024 };
/** Changes read at a time. */
const READ_LIMIT = 500;
/** A page of at least so many bytes, as `estimateBytes` has them, may have been cut short: far less than where `readChanges` cuts. */
const READ_BYTES = 64 * 1024;
export type ChangeFeed = Feed<number, Change>;

const broadcastsOf = (feed: ChangeFeed) => ({ watchers: new Broadcast<number, Change, StreamItem<WatchEvent>>(feed) });
type ChangeBroadcasts = ReturnType<typeof broadcastsOf>;

/** One followed namespace. */
export type FollowedChanges = Awaited<ReturnType<ChangeLog['follow']>>;

export interface ChangeLogOptions {
  db: Kysely<Schema>;
  signal: Signal;
  clock: Pick<Clock, 'schedule'>;
  /** The lease of agents that asked for none, in milliseconds. */
  leaseMs: number;
  onError: (error: unknown) => void;
}

/** Positions are revisions. A read is null when the log was compacted after the position, or has never reached it. */
export class ChangeLog extends FollowedLogs<number, Change, Head, null, ChangeBroadcasts> {
  constructor({ db, leaseMs, ...options }: ChangeLogOptions) {
    super({
      logs: {
        channelOf: (namespace) => `registry:${namespace}`,
        read: (namespace, revision, limit) =>
          readChanges(db, namespace, { after: revision, limit, coreLeaseMs: leaseMs }),
        heads: (namespaces) => readHeads(db, namespaces),
        beginAt: (head, namespace) => findBeginning(db, namespace, head),
        isAt: ({ revision }, end) => revision === end,
        isBlank: (end) => end === 0,
        keyOf: String,
        compare: (a, b) => a - b,
        sizeOf: estimateBytes,
      },
      broadcasts: broadcastsOf,
      limits: RING_LIMITS,
      readLimit: READ_LIMIT,
      readBytes: READ_BYTES,
      ...options,
    });
  }

  /** Takes changes that this replica has committed, and wakes the others. */
  committed(namespace: string, changes: readonly Change[]): void {
    this.offer(namespace, changes, (end, { position }) => position === end + 1);
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
