// A value on its way to many subscribers.

/** Shared by all who are sent it: whoever encodes it can keep the bytes as long as the item lives. */
export interface StreamItem<V extends { readonly type: string } = { readonly type: string }> {
  /** What a stream that was lost behind this value resumes after. */
  readonly id: string;
  readonly type: V['type'];
  readonly event: V;
  /** The event as JSON. */
  readonly json: string;
}

/** Values that are sent together. Shared, too. */
export type StreamBatch<I extends StreamItem = StreamItem> = readonly I[];

/** An item of which the event is at hand; its JSON is made when it is asked for. */
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
