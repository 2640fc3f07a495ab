// What subscribers are sent: events as the text that the log keeps, gaps and bookmarks.
import type { GapReason, SubscriptionEvent, SwarmEvent } from '@hypercode/contracts';
import { type StreamBatch, type StreamItem, ValueItem } from '@hypercode/feed';
import { type EventOrigin, originOf } from '../appending/event-origin.ts';
import type { LogEntry } from '../store/event-log.ts';
import { formatPosition, type LogPosition } from '../store/position.ts';

/** A value on its way to subscribers, with its tracked id. */
export type SubscriptionItem = StreamItem<SubscriptionEvent>;

/** An event. Its text is put into the frame as it is; it is only parsed where a transport wants a value. */
class EventItem implements StreamItem<SubscriptionEvent>, EventOrigin {
  readonly type = 'event';
  readonly #entry: LogEntry;
  #source: string | null = null;

  constructor(entry: LogEntry) {
    this.#entry = entry;
  }

  get id(): string {
    return formatPosition(this.#entry.position);
  }

  get topic(): string {
    return this.#entry.topic;
  }

  get source(): string {
    return (this.#source ??= originOf(this.#entry.text).source);
  }

  get json(): string {
    return `{"type":"event","position":"${this.id}","event":${this.#entry.text}}`;
  }

  get event(): SubscriptionEvent {
    return { type: 'event', position: this.id, event: JSON.parse(this.#entry.text) as SwarmEvent };
  }
}

const items = new WeakMap<LogEntry, EventItem>();

/** All receivers of an event share one item. */
export function itemOf(entry: LogEntry): SubscriptionItem {
  let item = items.get(entry);
  if (item === undefined) items.set(entry, (item = new EventItem(entry)));
  return item;
}

/** The origins of a batch of `itemOf` events: the same array, so that what is made of it can be shared, too. */
export const originsIn = (batch: StreamBatch<SubscriptionItem>): readonly EventOrigin[] =>
  batch as StreamBatch<EventItem>;

export function bookmarkItem(position: LogPosition): SubscriptionItem {
  const id = formatPosition(position);
  return new ValueItem<SubscriptionEvent>(id, { type: 'bookmark', position: id });
}

export function gapItem(after: LogPosition, resumedAt: LogPosition, reason: GapReason): SubscriptionItem {
  const id = formatPosition(resumedAt);
  return new ValueItem<SubscriptionEvent>(id, { type: 'gap', after: formatPosition(after), resumedAt: id, reason });
}
