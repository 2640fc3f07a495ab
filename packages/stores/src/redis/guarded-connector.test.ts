// Sockets of Redis that fail more than once.
import { once } from 'node:events';
import { type AddressInfo, createServer, type Server } from 'node:net';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { GuardedConnector } from './guarded-connector.ts';

let server: Server;
beforeEach(async () => {
  server = createServer((socket) => socket.on('error', () => {})).listen(0, '127.0.0.1');
  await once(server, 'listening');
});
afterEach(() => void server.close());

const connectorTo = (more: object = {}) => {
  const { port } = server.address() as AddressInfo;
  return new GuardedConnector({ host: '127.0.0.1', port, disconnectTimeout: 100, ...more });
};

test.each([
  ['a plain socket', {}],
  ['a TLS socket', { tls: {} }],
])('no error of %s ends the process, and the first one is kept', async (_, more) => {
  const connector = connectorTo(more);
  const socket = await connector.connect();
  socket.once('error', () => {});
  const closed = new Promise((resolve) => socket.once('close', resolve));
  socket.destroy(new Error('the certificate is not trusted'));
  await closed;
  expect(() => socket.emit('error', new Error('the alert of the server'))).not.toThrow();
  expect(connector.firstError?.message).toBe('the certificate is not trusted');
});

test('what is disconnected before it has a socket opens none', async () => {
  const connector = connectorTo();
  const connecting = connector.connect();
  connector.disconnect();
  await expect(connecting).rejects.toThrow('closed');
});
