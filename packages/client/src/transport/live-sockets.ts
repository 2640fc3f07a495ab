// Which WebSocket serves a live stream of a client, and when there is none.
import type { Connection } from './connection.ts';
import { LiveSocket } from './live-socket.ts';
import type { LiveRequest } from './live-stream.ts';
import { abortError, bounded } from './bounded.ts';
import type { SocketView } from './socket-view.ts';

/** How long no WebSocket is tried after one could not be opened although the core answered, in milliseconds. */
const GIVE_UP_MS = 300_000;

/** One WebSocket for each token that is in use: one, but for the moment in which a token is renewed. */
export class LiveSockets {
  readonly #connection: Connection;
  readonly #open: (url: URL) => WebSocket;
  #current: LiveSocket | null = null;
  #hasConnected = false;
  /** On the monotonic clock. */
  #givenUpUntilMs = -Infinity;

  constructor(connection: Connection, open: (url: URL) => WebSocket) {
    this.#connection = connection;
    this.#open = open;
  }

  /**
   * A view over the shared WebSocket; null where none can be opened, and none ever could. Later on, a WebSocket that cannot be opened
   * means that the core is away, and the view rejects with that.
   */
  async open(request: LiveRequest): Promise<SocketView | null> {
    const { clock } = this.#connection;
    const { signal } = request;
    if (signal.aborted) throw abortError(signal);
    if (clock.monotonicMs() < this.#givenUpUntilMs) return null;
    const socket = this.#socketFor(request.token);
    const view = socket.add(request);
    const isConnected = await bounded(clock, { timeoutMs: Infinity, signals: [signal] }, () => socket.connected);
    this.#hasConnected ||= isConnected;
    return this.#hasConnected ? view : null;
  }

  /** The core has answered in another way although no WebSocket could be opened. */
  giveUp(): void {
    const { clock, logger } = this.#connection;
    if (clock.monotonicMs() < this.#givenUpUntilMs) return;
    this.#givenUpUntilMs = clock.monotonicMs() + GIVE_UP_MS;
    const message =
      'no WebSocket can be opened, so each watch, subscription and consumer has a connection of its own; over HTTP/1.1 a browser has six';
    logger.warn({ url: this.#connection.endpoint('trpc').href }, message);
  }

  #socketFor(token: string): LiveSocket {
    if (this.#current?.token === token && !this.#current.hasEnded) return this.#current;
    return (this.#current = new LiveSocket(this.#connection, { open: this.#open, token }));
  }
}

const known = new WeakMap<Connection, LiveSockets>();

/** Those of the connection; null where its transport has no WebSocket. */
export function socketsOf(connection: Connection): LiveSockets | null {
  const { openSocket } = connection.transport;
  if (openSocket === null) return null;
  let sockets = known.get(connection);
  if (sockets === undefined) known.set(connection, (sockets = new LiveSockets(connection, openSocket)));
  return sockets;
}
