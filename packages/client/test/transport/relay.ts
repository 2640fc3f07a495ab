// What stands between a client and a core in tests: it counts connections, cuts them off, and lets WebSockets through or not.
import { type AddressInfo, connect, createServer, type Socket } from 'node:net';
import { onTestFinished } from 'vitest';

export interface Relay {
  readonly url: string;
  /** Connections that have begun with a request for a WebSocket, and those that have not. */
  readonly begun: { webSockets: number; others: number };
  /** Whether a request for a WebSocket is answered by the core. Default true. */
  takesWebSockets: boolean;
  /** Cuts every connection off. */
  cut(): void;
}

/** Ends with the test. */
export async function relayTo(port: number): Promise<Relay> {
  const open = new Set<Socket>();
  const server = createServer((socket) => {
    const core = connect(port, '127.0.0.1');
    for (const [one, other] of [
      [socket, core],
      [core, socket],
    ] as const) {
      open.add(one);
      one.on('error', () => other.destroy());
      one.on('close', () => {
        open.delete(one);
        other.destroy();
      });
    }
    socket.once('data', (head) => {
      const isWebSocket = /\r\nupgrade: websocket\r\n/i.test(head.toString('latin1'));
      relay.begun[isWebSocket ? 'webSockets' : 'others'] += 1;
      if (isWebSocket && !relay.takesWebSockets) {
        socket.end('HTTP/1.1 400 Bad Request\r\ncontent-length: 0\r\nconnection: close\r\n\r\n');
        return;
      }
      core.write(head);
      socket.pipe(core).pipe(socket);
    });
  });
  const cut = () => {
    for (const socket of open) socket.destroy();
  };
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  onTestFinished(async () => {
    cut();
    await new Promise((resolve) => server.close(resolve));
  });
  const relay: Relay = {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    begun: { webSockets: 0, others: 0 },
    takesWebSockets: true,
    cut,
  };
  return relay;
}
