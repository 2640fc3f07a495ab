// A value that is sent to many subscribers.

/** All receivers share one item, so an encoder can cache the bytes for as long as the item lives. */
export interface StreamItem<V extends { readonly type: string } = { readonly type: string }> {
  /** The position to resume after, for a stream whose connection was lost after this value. */
  readonly id: string;
  readonly type: V['type'];
  readonly event: V;
  /** The event as JSON. */
  readonly json: string;
  /** Called when a transport has been handed the item. Only items that are made for one receiver have it, and no batch mixes these with others. */
  sent?(): void;
}

/** Values that are sent together. All receivers share it. */
export type StreamBatch<I extends StreamItem = StreamItem> = readonly I[];

/** An item made from an event; its JSON is computed on access. */
export class ValueItem<V extends { readonly type: string }> implements StreamItem<V> {
  readonly id: string;
  readonly event: V;

  constructor(id: string, event: V) {
    this.id = id;
    this.event = event;
  }

  get type(): V['type'] {
    return this.event.type;
  }

  get json(): string {
    return JSON.stringify(this.event);
  }
}
