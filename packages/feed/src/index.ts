// Following an append-only log live: a ring of recent entries, any number of cursors, signals that wake; and writing to it in batches.
export { Alarm } from './alarm.ts';
export type { FailureScope, Job } from './batch-lane.ts';
export { BatchLanes } from './batch-lanes.ts';
export { Bookmarks } from './bookmarks.ts';
export { Broadcast, type Follower, type Projection } from './broadcast.ts';
export { CursorStream } from './cursor-stream.ts';
export { ended } from './ended.ts';
export { Feed, type FeedOptions, type Log } from './feed.ts';
export { type FollowedLog, FollowedLogs, type Logs } from './followed-logs.ts';
export { coalesce } from './loader.ts';
export { Recheck } from './recheck.ts';
export type { Entry } from './ring.ts';
export { createLocalSignal } from './local-signal.ts';
export type { Signal, SignalOptions } from './signal.ts';
export { asError, createReport, createSignalListeners } from './signal-listeners.ts';
export { type StreamBatch, type StreamItem, ValueItem } from './stream-item.ts';
