// tRPC's own subscription path: one async generator for each subscriber, fed by an emitter in memory.
import { initTRPC, tracked } from '@trpc/server';
import { createHTTPHandler } from '@trpc/server/adapters/standalone';
import { EventEmitter, on } from 'node:events';
import { createServer } from 'node:http';
import { type EmitOrder, takeOrder } from './emit-order.ts';

const emitter = new EventEmitter().setMaxListeners(0);
const t = initTRPC.create({ isDev: false });
const router = t.router({
  watch: t.procedure.subscription(async function* ({ signal }) {
    for await (const [value] of on(emitter, 'value', signal === undefined ? {} : { signal })) {
      const { revision } = value as EmitOrder['value'];
      yield tracked(String(revision), value as EmitOrder['value']);
    }
  }),
});
const handler = createHTTPHandler({ router, basePath: '/trpc/' });

const server = createServer((request, response) => {
  if (!takeOrder(request, response, emit)) handler(request, response);
});
server.listen(Number(process.env['SWARM_PORT']), '127.0.0.1', () => {
  console.log(`listening on http://127.0.0.1:${process.env['SWARM_PORT']} `);
});
process.on('SIGTERM', () => {
  server.closeAllConnections();
  server.close();
});

async function emit({ value, count }: EmitOrder): Promise<void> {
  for (let revision = 1; revision <= count; revision++) {
    emitter.emit('value', { ...value, revision });
    await new Promise((resolve) => setImmediate(resolve));
  }
}
