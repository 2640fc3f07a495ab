// Ends a connection so that its peer receives the last answer, and a second later at the latest, whatever the peer does.
import type { Clock } from '@hypercode/clock';
import type { Socket } from 'node:net';

/**
 * How long a peer has to take the last answer and to close its side, in milliseconds. A connection that is closed while bytes
 * of its peer are unread is reset, and a reset can overtake the answer (RFC 9112, section 9.6).
 */
export const LINGER_MS = 1000;

/** Sends `last`, and reads nothing more. */
export function endConnection(clock: Pick<Clock, 'schedule'>, socket: Socket, last: string): void {
  const cancel = clock.schedule(LINGER_MS, () => void socket.destroy());
  socket.once('close', cancel);
  // After an upgrade nobody else handles them.
  socket.on('error', () => socket.destroy());
  socket.pause();
  socket.end(last);
}
