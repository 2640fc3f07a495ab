// Ends a connection so that its peer receives the last answer, and a second later at the latest, whatever the peer does.
import type { Clock } from '@hypercode/clock';
import type { Socket } from 'node:net';

/**
 * How long a peer has to take the last answer and to close its side, in milliseconds. A connection that is closed while bytes
 * of its peer are unread is reset, and a reset can overtake the answer (RFC 9112, section 9.6).
 */
export const LINGER_MS = 1000;

export interface LastWords {
  /** What is sent last; it says where it ends. */
  last: string;
  /**
   * Whether the peer, which has been slow, may be reset in place of reading the end of the stream. A system resets no connection of
   * which one side is closed, so without a reset a peer can keep its own side open, though no longer the core's.
   */
  resets: boolean;
}

const ending = new WeakSet<Socket>();

/** Sends what is last, and reads nothing more. A second later the core has no part of the connection any more. */
export function endConnection(clock: Pick<Clock, 'schedule'>, socket: Socket, { last, resets }: LastWords): void {
  // Node.js reports a slow connection again as long as it is there.
  if (ending.has(socket)) return;
  ending.add(socket);
  const cancel = clock.schedule(LINGER_MS, () => void (resets ? socket.resetAndDestroy() : socket.destroy()));
  socket.once('close', cancel);
  // After an upgrade nobody else handles them.
  socket.on('error', () => socket.destroy());
  socket.pause();
  if (resets) socket.write(last);
  else socket.end(last);
}
