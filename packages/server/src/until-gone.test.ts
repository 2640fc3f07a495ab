// That a caller who is gone is known to be gone, whenever that is asked.
import Fastify, { type FastifyReply } from 'fastify';
import { once } from 'node:events';
import { type AddressInfo, connect } from 'node:net';
import { expect, it } from 'vitest';
import { untilGone } from './until-gone.ts';

it('says so of a caller who went before it was asked', async () => {
  const app = Fastify();
  // In a list, as a promise would take a reply for another promise and wait for it.
  const arrived = Promise.withResolvers<[FastifyReply]>();
  app.get('/', (_request, reply) => arrived.resolve([reply]));
  await app.listen({ host: '127.0.0.1', port: 0 });
  const socket = connect((app.server.address() as AddressInfo).port, '127.0.0.1');
  socket.write('GET / HTTP/1.1\r\nhost: a\r\n\r\n');

  const [reply] = await arrived.promise;
  expect(untilGone(reply).aborted).toBe(false);
  socket.destroy();
  await once(reply.raw, 'close');
  expect(untilGone(reply).aborted).toBe(true);
  await app.close();
});
