// Answers that are not sent yet, each until its connection has taken it or has closed.
import type { ServerResponse } from 'node:http';
import type { Socket } from 'node:net';

/** Node.js reports the end of a connection to the answer that is being sent, and not to those of pipelined requests after it. */
export class OpenAnswers {
  readonly #bySocket = new WeakMap<Socket, Set<() => void>>();

  /** Calls `done` once, when the answer was taken, or will never be. */
  add(response: ServerResponse, socket: Socket, done: () => void): void {
    if (response.closed || socket.destroyed) return done();
    const open = this.#of(socket);
    const settle = () => {
      if (open.delete(settle)) done();
    };
    open.add(settle);
    response.once('close', settle);
  }

  /** Resolves when the answers to the requests before this one were sent; false when the connection has closed. */
  async turnOf(response: ServerResponse, socket: Socket): Promise<boolean> {
    if (response.socket === null && !response.closed && !socket.destroyed) {
      const open = this.#of(socket);
      await new Promise<void>((resolve) => {
        const settle = () => {
          open.delete(settle);
          resolve();
        };
        open.add(settle);
        response.once('socket', settle);
      });
    }
    return !socket.destroyed;
  }

  #of(socket: Socket): Set<() => void> {
    let open = this.#bySocket.get(socket);
    if (open === undefined) {
      const made = (open = new Set());
      this.#bySocket.set(socket, made);
      socket.once('close', () => {
        for (const settle of made) settle();
      });
    }
    return open;
  }
}
