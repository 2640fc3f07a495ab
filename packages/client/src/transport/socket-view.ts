// One subscription over the WebSocket that all of a client's share.
//
//   waiting ──> open ──> stopped ──> open …   its reader is slow: the subscription is stopped, and what has arrived is kept. When
//      │          │         │                 the reader has taken that, the stream is opened again after the last of it
//      └──────────┴─────────┴──> ended        by `close`, by a refusal of the core, or with the connection
//
// Messages are taken off the WebSocket as they come, so a slow reader of one stream holds up no other. A stream that cannot be
// resumed where it stands, such as one within a snapshot, is not stopped: what it has is bounded by the namespace, or by maxInFlight.
import { SwarmError } from '@hypercode/contracts';
import { carriesEvents, exactOf } from './exact-json.ts';
import { isRecord } from './json.ts';
import type { LiveRequest, LiveStream, LiveValue } from './live-stream.ts';
import { onAbort } from './on-abort.ts';
import { unreadable } from './refusal.ts';

/** How much may wait for the reader of a stream before its subscription is stopped, in characters of JSON. */
export const MAX_WAITING_LENGTH = 4 * 1024 * 1024;

/** The connection, as its views see it. */
export interface ViewSocket {
  /** Begins the view's subscription after the value `lastEventId`, or at its beginning; gives the id of its messages. */
  begin(view: SocketView, lastEventId: string | undefined): number;
  /** Tells the core to end it. No message of it is handed on any more. */
  stop(id: number): void;
  /** The view needs the connection no longer. */
  leave(view: SocketView): void;
}

export class SocketView implements LiveStream {
  readonly request: LiveRequest;
  readonly #socket: ViewSocket;
  readonly #release: () => void;
  #queue: { readonly value: LiveValue; readonly length: number }[] = [];
  /** Of what is queued, in characters. */
  #length = 0;
  #lastEventId: string | undefined;
  /** Of its messages; undefined before it has begun, and while it is stopped. */
  #id: number | undefined;
  #isStopped = false;
  #end: SwarmError | undefined;
  /** The reader, when it waits. */
  #reader: PromiseWithResolvers<LiveValue | null> | undefined;

  constructor(socket: ViewSocket, request: LiveRequest) {
    this.#socket = socket;
    this.request = request;
    this.#lastEventId = request.lastEventId;
    this.#release = onAbort(request.signal, () => this.close());
  }

  /** Called when the connection is open. */
  begin(): void {
    this.#isStopped = false;
    this.#id = this.#socket.begin(this, this.#lastEventId);
  }

  /** Takes the data of a message: a tracked value. `text` is the JSON of the message, `json` what `JSON.parse` makes of it. */
  take(json: unknown, text: string): void {
    const exact = (carriesEvents(this.request.path) ? exactOf(text) : undefined) ?? json;
    const result = isRecord(exact) ? exact['result'] : undefined;
    const data = isRecord(result) ? result['data'] : undefined;
    if (!isRecord(data) || !('data' in data)) return this.fail(unreadable(new TypeError('not a tracked value')));
    const id = typeof data['id'] === 'string' ? data['id'] : undefined;
    const value: LiveValue = { id, json: data['data'] };
    if (id !== undefined) this.#lastEventId = id;
    if (this.#reader !== undefined) {
      this.#reader.resolve(value);
      this.#reader = undefined;
      return;
    }
    this.#queue.push({ value, length: text.length });
    this.#length += text.length;
    if (this.#length > MAX_WAITING_LENGTH && id !== undefined && this.request.resumesAfter(id)) this.#stop();
  }

  /** Ends it once the reader has taken what has come. */
  fail(error: SwarmError): void {
    if (this.#end !== undefined) return;
    this.#end = error;
    this.#release();
    if (this.#id !== undefined) this.#socket.stop(this.#id);
    this.#socket.leave(this);
    this.#reader?.reject(error);
    this.#reader = undefined;
  }

  next(): Promise<LiveValue | null> {
    const first = this.#queue.shift();
    if (first !== undefined) {
      this.#length -= first.length;
      return Promise.resolve(first.value);
    }
    if (this.#end !== undefined) return Promise.reject(this.#end);
    if (this.#isStopped) this.begin();
    this.#reader = Promise.withResolvers();
    return this.#reader.promise;
  }

  close(): void {
    this.#queue = [];
    this.fail(new SwarmError('UNAVAILABLE', 'the stream was closed'));
  }

  #stop(): void {
    if (this.#id !== undefined) this.#socket.stop(this.#id);
    this.#id = undefined;
    this.#isStopped = true;
  }
}
