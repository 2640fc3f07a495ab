// Messages of a WebSocket count in the budget of bodies while they come in, as bodies of requests do.
import type { Clock } from '@hypercode/clock';
import { SwarmError } from '@hypercode/contracts';
import type { Socket } from 'node:net';
import type { WebSocket } from 'ws';
import { type BodyBudget, type BodyClaim, UNCOUNTED_BYTES } from './body-budget.ts';
import { LINGER_MS } from './end-connection.ts';

/** RFC 6455, section 7.4.1, and the registry of IANA: the peer may try again later. */
const TRY_AGAIN_LATER = 1013;

export interface CountedSocket {
  readonly bodies: BodyBudget;
  readonly clock: Pick<Clock, 'schedule'>;
  readonly client: WebSocket;
  readonly socket: Socket;
  /** Whose share it is; see `shareOf`. */
  readonly caller: string;
}

/**
 * From now on. A connection whose message is more than the budgets allow is not read any more, and ends a second later: the rest of its
 * frame would have to be kept.
 */
export function countMessages({ bodies, clock, client, socket, caller }: CountedSocket): void {
  let bytes = 0;
  let claim: BodyClaim | null = null;
  const release = (): void => {
    bytes = 0;
    claim?.release();
    claim = null;
  };
  const count = (part: Buffer): void => {
    bytes += part.length;
    if (bytes <= UNCOUNTED_BYTES) return;
    try {
      if (claim === null) claim = bodies.claim(caller, bytes);
      else claim.grow(part.length);
    } catch (thrown) {
      stop();
      client.close(TRY_AGAIN_LATER, SwarmError.from(thrown).code);
      client.pause();
      const cancel = clock.schedule(LINGER_MS, () => client.terminate());
      client.once('close', cancel);
    }
  };
  const stop = (): void => {
    release();
    socket.off('data', count);
    client.off('message', release);
  };
  // ws keeps a frame until it is whole, however large it is.
  socket.on('data', count);
  client.on('message', release).once('close', stop);
}
