// The connections of the server, checked once a second: those that take nothing of what was written to them, and those that send no
// next request, are ended; streams on which nothing was written are given a sign of life.
import { type Clock, repeat } from '@hypercode/clock';
import type { IncomingMessage, Server, ServerResponse } from 'node:http';
import type { Socket } from 'node:net';

/** How often connections are checked, in milliseconds. */
const CHECK_INTERVAL_MS = 1000;
/** How long a connection may take nothing of what was written to it, in milliseconds, unless it was limited to less. */
const MAX_STALL_MS = 30_000;
/** How long one on which no valid token was sent may, in milliseconds. */
const UNAUTHENTICATED_STALL_MS = 5000;
/**
 * How long a connection may be there after an answer without the whole head of the next request, in milliseconds. Node.js measures
 * since the last byte, so that an empty line now and then would keep a connection for ever, and since the first byte of a head.
 */
const MAX_IDLE_MS = 30_000;
/** How long nothing may be written to a stream, in milliseconds. Most streams are sent bookmarks as often, and need no sign. */
const MAX_SILENCE_MS = 15_000;

/**
 * A connection to a peer that is no longer there, or that has stopped reading, accepts what the kernel buffers and then nothing.
 * It is ended after the limit, and with it the stream or the answer. A peer that reads, however slowly, is never ended.
 * Nothing is done when something is written: each check compares with the one before.
 *
 * States of a connection: silent (no request yet) → in use ⇄ idle → ended. Silent ones are ended when the server drains, since Node.js
 * takes them for busy and would wait for them; idle ones after 30 s, whatever they send. Upgraded ones are never idle.
 */
export class Connections {
  readonly #clock: Clock;
  readonly #sockets = new Map<Socket, Connection>();
  readonly #silent = new Set<Socket>();
  readonly #streams = new Map<ServerResponse, Stream>();
  readonly #endChecks: () => void;
  #checkedAtMs: number;

  constructor(clock: Clock) {
    this.#clock = clock;
    this.#checkedAtMs = clock.monotonicMs();
    this.#endChecks = repeat(clock, CHECK_INTERVAL_MS, () => this.#check());
  }

  /** Watches every connection of `server` from now on. */
  track(server: Server): void {
    server.on('connection', (socket: Socket) => {
      this.#sockets.set(socket, {
        limitMs: MAX_STALL_MS,
        isAuthenticated: false,
        waiting: 0,
        taken: 0,
        queued: 0,
        stalledMs: 0,
        answer: null,
        idleMs: null,
      });
      this.#silent.add(socket);
      socket.once('close', () => {
        this.#sockets.delete(socket);
        this.#silent.delete(socket);
      });
    });
    server.on('request', ({ socket }: IncomingMessage, response: ServerResponse) => {
      this.#silent.delete(socket);
      this.#setAnswer(socket, response);
    });
    server.on('upgrade', ({ socket }: IncomingMessage) => this.#setAnswer(socket, null));
  }

  /** Notes that a valid token was sent on the connection. */
  markAuthenticated(socket: Socket): void {
    const connection = this.#sockets.get(socket);
    if (connection !== undefined) connection.isAuthenticated = true;
  }

  /** Ends the connection when it takes nothing for so many milliseconds; the least of its limits holds, and it never rises. */
  limitStall(socket: Socket | undefined, limitMs: number): void {
    const connection = socket === undefined ? undefined : this.#sockets.get(socket);
    if (connection !== undefined) connection.limitMs = Math.min(connection.limitMs, limitMs);
  }

  /** Writes `sign` when nothing was written to the stream for 15 s, until its connection has ended. */
  keepAlive(response: ServerResponse, sign: string): void {
    const { socket } = response;
    if (socket === null || socket.destroyed) return;
    this.#streams.set(response, { sign, socket, written: socket.bytesWritten, writtenAtMs: this.#clock.monotonicMs() });
    response.once('close', () => this.#streams.delete(response));
  }

  /** Ends the connections without a request. */
  endSilent(): void {
    for (const socket of this.#silent) socket.destroy();
  }

  /** Ends the checks. */
  close(): void {
    this.#endChecks();
  }

  #setAnswer(socket: Socket, answer: ServerResponse | null): void {
    const connection = this.#sockets.get(socket);
    if (connection === undefined) return;
    connection.answer = answer;
    connection.idleMs = null;
  }

  #check(): void {
    const now = this.#clock.monotonicMs();
    // While the process was stopped, no peer could show that it reads.
    const elapsedMs = Math.min(now - this.#checkedAtMs, 2 * CHECK_INTERVAL_MS);
    this.#checkedAtMs = now;
    for (const [socket, connection] of this.#sockets) {
      connection.stalledMs = hasTaken(socket, connection) ? 0 : connection.stalledMs + elapsedMs;
      if (connection.stalledMs >= limitOf(connection)) socket.destroy();
      if (connection.idleMs !== null) connection.idleMs += elapsedMs;
      else if (connection.answer?.writableFinished === true) {
        connection.answer = null;
        connection.idleMs = 0;
      }
      if (connection.idleMs !== null && connection.idleMs >= MAX_IDLE_MS) socket.resetAndDestroy();
    }
    for (const [response, stream] of this.#streams) {
      const { bytesWritten, writableLength, destroyed } = stream.socket;
      if (bytesWritten !== stream.written) {
        stream.written = bytesWritten;
        stream.writtenAtMs = now;
      } else if (now - stream.writtenAtMs >= MAX_SILENCE_MS && writableLength === 0) {
        if (!destroyed && !response.writableEnded) response.write(stream.sign);
      }
    }
  }
}

interface Connection {
  limitMs: number;
  /** Whether a valid token was ever sent on it. */
  isAuthenticated: boolean;
  /** At the last check: bytes that were written and not taken as a whole. */
  waiting: number;
  /** And those that were. */
  taken: number;
  /** And those that the system had yet to take of the write that was under way. */
  queued: number;
  /** For how long it has taken none of what there was to take, in milliseconds. */
  stalledMs: number;
  /** The answer to its newest request, which is the last to be sent; null once that was sent. */
  answer: ServerResponse | null;
  /** For how long all its requests have been answered, in milliseconds; null while one is not, and before the first. */
  idleMs: number | null;
}

const limitOf = ({ isAuthenticated, limitMs }: Connection): number =>
  isAuthenticated ? limitMs : Math.min(limitMs, UNAUTHENTICATED_STALL_MS);

interface Stream {
  readonly sign: string;
  readonly socket: Socket;
  /** Bytes ever written to the connection, at the last check. */
  written: number;
  writtenAtMs: number;
}

/**
 * Whether the system has taken some of what there was to take at the last check, or there was nothing; notes what there is now.
 */
function hasTaken(socket: Socket, connection: Connection): boolean {
  const { waiting, taken, queued } = connection;
  connection.waiting = socket.writableLength;
  connection.taken = connection.waiting === 0 ? 0 : socket.bytesWritten - connection.waiting;
  connection.queued = connection.waiting === 0 ? 0 : queuedOf(socket);
  return waiting === 0 || connection.waiting === 0 || connection.taken !== taken || connection.queued < queued;
}

/**
 * Bytes of the write under way that the system has not taken. `writableLength` counts such a write until all of it is taken, which
 * for a peer that reads slowly is minutes. Node.js compares the same number for `socket.setTimeout`, and has no name for it.
 */
function queuedOf(socket: Socket): number {
  const { _handle: handle } = socket as { _handle?: { writeQueueSize?: number } | null };
  return handle?.writeQueueSize ?? 0;
}
