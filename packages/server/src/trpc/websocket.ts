// tRPC over WebSocket, through tRPC's own adapter: its frames carry each request's id, so none can be shared.
import { invalidField, SwarmError } from '@hypercode/contracts';
import type { Identity } from '@hypercode/registry';
import { applyWSSHandler } from '@trpc/server/adapters/ws';
import { once } from 'node:events';
import type { Socket } from 'node:net';
import { type WebSocket, WebSocketServer } from 'ws';
import { type Core, createCallContext } from '../context.ts';
import { recognise } from '../intake/authenticate.ts';
import { shareOf } from '../intake/body-budget.ts';
import { endConnection } from '../intake/end-connection.ts';
import { readJson } from '../intake/json-text.ts';
import { countMessages } from '../intake/websocket-bytes.ts';
import { guardWebSocket } from '../intake/websocket-gate.ts';
import { FREE, type Outgoing } from '../outgoing/outgoing.ts';
import { SocketOutgoing } from '../outgoing/socket-outgoing.ts';
import { toErrorShape, toRefusal } from '../refusals.ts';
import { ignoredNamesFor } from '../procedures/unknown-fields.ts';
import { rawProblem } from '../rest/problem.ts';
import type { Upgrade } from '../surface.ts';
import { appRouter } from './app-router.ts';
import { encodeMessage } from './json-text.ts';

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
        // For each call: one context serves them all, and the token can end between two of them.
        identify: () => recognise(core, { headers: req.headers, params: info.connectionParams }),
        bodyBytes: null,
        outgoing: outgoingOf(res),
        ignoredNames: ignoredNamesFor(req.headers) ?? ignoredNamesFor(info.connectionParams),
        socket: transports.get(res),
        drained: () => drained(transports.get(res)),
      }),
    onError: ({ error, path }) => core.onRefusal(toRefusal(error), { path }),
    experimental_encoder: FAITHFUL_JSON,
  });

  /** Without an identity, the first message of the connection names it. */
  const accept = (identity: Identity | null, ...[request, socket, head]: Parameters<Upgrade>): void =>
    sockets.handleUpgrade(request, socket, head, (client) => {
      const open = ({ principal }: Identity) => {
        core.connections.markAuthenticated(socket);
        countMessages({ bodies: core.bodies, clock: core.clock, client, socket, caller: shareOf(principal) });
        sockets.emit('connection', client, request);
      };
      transports.set(client, socket);
      client.on('error', () => client.terminate());
      if (identity === null) guardWebSocket({ core, client, socket, headers: request.headers, open, refusalOf });
      else open(identity);
    });
  const upgrade: Upgrade = (request, socket, head) => {
    // Node.js has released the socket, so its errors are ours to handle.
    socket.on('error', () => socket.destroy());
    const refuse = (thrown: unknown): void => {
      const refusal = toRefusal(thrown);
      core.onRefusal(refusal, { address: socket.remoteAddress });
      endConnection(core.clock, socket, { last: rawProblem(refusal), resets: false });
    };
    const { url = '/', headers } = request;
    if (core.draining.aborted) return refuse(new SwarmError('UNAVAILABLE', 'the core is shutting down'));
    // tRPC's adapter makes a URL of it, and what it throws otherwise would be caught nowhere.
    const address = URL.parse(url, `http://${headers.host}`);
    if (address === null) return refuse(invalidField('', 'the host header is not valid'));
    if (headers.authorization === undefined && address.searchParams.get('connectionParams') === '1')
      return accept(null, request, socket, head);
    recognise(core, { headers }).then((identity) => accept(identity, request, socket, head), refuse);
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

const refusalOf = (id: number | string, refusal: SwarmError): string =>
  JSON.stringify({ id, error: toErrorShape(refusal, undefined) });

/** What tRPC uses by default, but for what reading would change, and for values of streams that are JSON already. */
const FAITHFUL_JSON = {
  encode: encodeMessage,
  decode: (message: unknown): unknown => {
    if (typeof message !== 'string') throw new TypeError('a message must be text');
    return readJson(message);
  },
};

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
