// The values of one subscription of the core for as long as its connection lives, and the way that they take.
import type { Connection } from './connection.ts';
import { socketsOf } from './live-sockets.ts';
import { openServerSentValues } from './server-sent-values.ts';

export interface LiveRequest {
  /** The procedure, such as `registry.watch`. */
  readonly path: string;
  /** As JSON. */
  readonly input: string;
  readonly token: string;
  /** The id of the last value that was received; undefined at the beginning. */
  readonly lastEventId: string | undefined;
  /** Whether the stream can be stopped after the value with this id and opened again there, with nothing missing and nothing anew. */
  readonly resumesAfter: (id: string) => boolean;
  /** Ends the stream. */
  readonly signal: AbortSignal;
}

export interface LiveValue {
  /** The tracked id, at which a lost stream is resumed. */
  readonly id: string | undefined;
  readonly json: unknown;
}

export interface LiveStream {
  /**
   * The next value; null when there is none to come. Rejects with a SwarmError: UNAVAILABLE when the connection broke or fell
   * silent, otherwise the refusal that ended the stream.
   */
  next(): Promise<LiveValue | null>;
  close(): void;
}

/**
 * Opens a stream over the WebSocket that all of the client's streams share. Where the transport has none, or none can be opened, the
 * stream is a request of its own.
 */
export async function openLiveStream(connection: Connection, request: LiveRequest): Promise<LiveStream> {
  const sockets = socketsOf(connection);
  if (sockets === null) return openServerSentValues(connection, request);
  const view = await sockets.open(request);
  if (view !== null) return view;
  // If this fails, too, the core is away, and the error reports why: a browser shows no reason for what became of a WebSocket.
  const stream = await openServerSentValues(connection, request);
  sockets.giveUp();
  return stream;
}
