// tRPC over WebSocket, through tRPC's own adapter: its frames carry each request's id, so none can be shared.
import { applyWSSHandler } from '@trpc/server/adapters/ws';
import { once } from 'node:events';
import type { IncomingMessage, Server } from 'node:http';
import type { Socket } from 'node:net';
import type { Duplex } from 'node:stream';
import { type WebSocket, WebSocketServer } from 'ws';
import { type Core, createCallContext } from './context.ts';
import { appRouter } from './router/app-router.ts';

export interface WebSocketOptions {
  core: Core;
  /** Largest message taken, in bytes. */
  maxMessageBytes: number;
  /** Most calls in a message; of one with more, each is refused. */
  maxBatchCalls: number;
  onError: (error: unknown, path: string | undefined) => void;
}

/** A connection that does not answer a ping within the wait is closed. */
const KEEP_ALIVE = { enabled: true, pingMs: 15_000, pongWaitMs: 10_000 };
/** Bytes that may wait in a connection before its subscriptions wait too. */
const MAX_WAITING_BYTES = 128 * 1024;

/** Serves the upgrades of `server`, which are those of `isWebSocketUpgrade`. Returns what ends every connection. */
export function serveWebSockets(server: Server, options: WebSocketOptions): () => Promise<void> {
  const { core, maxMessageBytes, maxBatchCalls, onError } = options;
  const sockets = new WebSocketServer({ noServer: true, maxPayload: maxMessageBytes, perMessageDeflate: false });
  const transports = new WeakMap<WebSocket, Duplex>();
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
        drained: () => drained(transports.get(res)),
      }),
    onError: ({ error, path }) => onError(error, path),
  });

  const upgrade = (request: IncomingMessage, socket: Socket, head: Buffer) => {
    if (core.draining.aborted) return refuse(socket, '503 Service Unavailable');
    // tRPC's adapter makes a URL of it, and throws to nobody where it is none.
    if (!URL.canParse(`http://${request.headers.host}`)) return refuse(socket, '400 Bad Request');
    sockets.handleUpgrade(request, socket, head, (client) => {
      transports.set(client, socket);
      client.on('error', () => client.terminate());
      sockets.emit('connection', client, request);
    });
  };
  server.on('upgrade', upgrade);

  return async () => {
    server.off('upgrade', upgrade);
    handler.broadcastReconnectNotification();
    for (const client of sockets.clients) client.close(1001, 'the core is shutting down');
    const closed = once(sockets, 'close');
    sockets.close();
    const impatience = setTimeout(() => {
      for (const client of sockets.clients) client.terminate();
    }, 2000);
    await closed;
    clearTimeout(impatience);
  };
}

/** Node.js has let go of the socket, so an error of it is ours to hear. */
function refuse(socket: Socket, status: string): void {
  socket.on('error', () => socket.destroy());
  socket.end(`HTTP/1.1 ${status}\r\nconnection: close\r\ncontent-length: 0\r\n\r\n`);
}

/** Whether a request asks for what `serveWebSockets` serves. */
export const isWebSocketUpgrade = (request: IncomingMessage): boolean =>
  pathOf(request) === '/trpc' && request.headers.upgrade?.toLowerCase() === 'websocket';

const pathOf = ({ url = '/' }: IncomingMessage): string => url.split('?', 1)[0] ?? '/';

/** Settles when the connection has room again, or is gone. */
async function drained(transport: Duplex | undefined): Promise<void> {
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
