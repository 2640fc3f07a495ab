// tRPC over WebSocket, through tRPC's own adapter: its frames carry each request's id, so none can be shared.
import { applyWSSHandler } from '@trpc/server/adapters/ws';
import { once } from 'node:events';
import type { Socket } from 'node:net';
import { type WebSocket, WebSocketServer } from 'ws';
import { type Core, createCallContext } from '../context.ts';
import { FREE, type Outgoing } from '../outgoing/outgoing.ts';
import { SocketOutgoing } from '../outgoing/socket-outgoing.ts';
import { toRefusal } from '../refusals.ts';
import type { Upgrade } from '../surface.ts';
import { appRouter } from './app-router.ts';

export interface WebSocketOptions {
  core: Core;
  /** Largest message taken, in bytes. */
  maxMessageBytes: number;
  /** Most calls in a message; of one with more, each is refused. */
  maxBatchCalls: number;
}

export interface WebSockets {
  readonly upgrade: Upgrade;
  /** Ends every connection. */
  readonly close: () => Promise<void>;
}

/** A connection that does not answer a ping within the wait is closed. */
const KEEP_ALIVE = { enabled: true, pingMs: 15_000, pongWaitMs: 10_000 };
/** Bytes that may wait in a connection before its subscriptions wait too. */
const MAX_WAITING_BYTES = 128 * 1024;

/** How long clients have to close their connections when the core drains, in milliseconds. */
const CLOSE_WAIT_MS = 2000;

export function serveWebSockets({ core, maxMessageBytes, maxBatchCalls }: WebSocketOptions): WebSockets {
  const sockets = new WebSocketServer({ noServer: true, maxPayload: maxMessageBytes, perMessageDeflate: false });
  const transports = new WeakMap<WebSocket, Socket>();
  const outgoingOf = (client: WebSocket): Outgoing => {
    const transport = transports.get(client);
    if (transport === undefined) return FREE;
    return new SocketOutgoing({
      gate: core.gate,
      transport,
      pause: () => client.pause(),
      resume: () => client.resume(),
    });
  };
  const handler = applyWSSHandler({
    wss: sockets,
    router: appRouter,
    keepAlive: KEEP_ALIVE,
    maxBatchSize: maxBatchCalls,
    createContext: ({ req, res, info }) =>
      createCallContext({
        core,
        authorization: req.headers.authorization,
        connectionToken: info.connectionParams?.['token'],
        bodyBytes: null,
        outgoing: outgoingOf(res),
        socket: transports.get(res),
        drained: () => drained(transports.get(res)),
      }),
    onError: ({ error, path }) => core.onRefusal(toRefusal(error), { path }),
  });

  const upgrade: Upgrade = (request, socket, head) => {
    if (core.draining.aborted) return refuse(socket, '503 Service Unavailable');
    // tRPC's adapter makes a URL of it, and what it throws otherwise would be caught nowhere.
    if (!URL.canParse(`http://${request.headers.host}`)) return refuse(socket, '400 Bad Request');
    sockets.handleUpgrade(request, socket, head, (client) => {
      transports.set(client, socket);
      client.on('error', () => client.terminate());
      sockets.emit('connection', client, request);
    });
  };
  const close = async () => {
    handler.broadcastReconnectNotification();
    for (const client of sockets.clients) client.close(1001, 'the core is shutting down');
    const closed = once(sockets, 'close');
    sockets.close();
    const cancel = core.clock.schedule(CLOSE_WAIT_MS, () => {
      for (const client of sockets.clients) client.terminate();
    });
    await closed;
    cancel();
  };
  return { upgrade, close };
}

/** Node.js has released the socket, so its errors are ours to handle. */
function refuse(socket: Socket, status: string): void {
  socket.on('error', () => socket.destroy());
  socket.end(`HTTP/1.1 ${status}\r\nconnection: close\r\ncontent-length: 0\r\n\r\n`);
}

/** Settles when the connection has room again, or is closed. */
async function drained(transport: Socket | undefined): Promise<void> {
  if (transport === undefined || transport.destroyed || transport.writableLength < MAX_WAITING_BYTES) return;
  await new Promise<void>((resolve) => {
    const done = () => {
      transport.off('drain', done);
      transport.off('close', done);
      resolve();
    };
    transport.on('drain', done);
    transport.on('close', done);
  });
}
