// Following an append-only log live: a ring of recent entries, any number of cursors, signals that wake.
export { Alarm } from './alarm.ts';
export { Broadcast, type Follower, type Projection } from './broadcast.ts';
export { Feed, type FeedOptions, type Log } from './feed.ts';
export { coalesce } from './loader.ts';
export type { Entry } from './ring.ts';
export { createLocalSignal } from './local-signal.ts';
export type { Signal, SignalOptions } from './signal.ts';
export { asError, createReport, createSignalListeners } from './signal-listeners.ts';
export { type StreamBatch, type StreamItem, ValueItem } from './stream-item.ts';
