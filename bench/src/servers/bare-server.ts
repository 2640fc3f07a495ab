// The least that can be done: node:http, and the same bytes written to every connection. Also answers any other POST.
import { once } from 'node:events';
import { createServer, type ServerResponse } from 'node:http';
import { type EmitOrder, takeOrder } from './emit-order.ts';

const watchers = new Set<ServerResponse>();
const answer = JSON.stringify({ leaseExpiresAt: new Date().toISOString(), leaseMs: 30_000, revision: 1 });

const server = createServer((request, response) => {
  if (takeOrder(request, response, broadcast)) return;
  if (request.method === 'POST') {
    request.resume();
    request.on('end', () => {
      response.setHeader('content-type', 'application/json');
      response.end(answer);
    });
    return;
  }
  response.writeHead(200, { 'content-type': 'text/event-stream', 'cache-control': 'no-cache, no-transform' });
  response.write('event: connected\ndata: {}\n\n\n');
  watchers.add(response);
  response.on('close', () => watchers.delete(response));
});
server.listen(Number(process.env['SWARM_PORT']), '127.0.0.1', () => {
  console.log(`listening on http://127.0.0.1:${process.env['SWARM_PORT']} `);
});
process.on('SIGTERM', () => {
  server.closeAllConnections();
  server.close();
});

/** As fast as the connections take it: the next write waits for those that are full. */
async function broadcast({ value, count, group }: EmitOrder): Promise<void> {
  for (let sent = 0; sent < count; sent += group) {
    const frames: string[] = [];
    for (let revision = sent + 1; revision <= Math.min(count, sent + group); revision++) {
      frames.push(`data: ${JSON.stringify({ ...value, revision })}\nid: ${revision}\n\n\n`);
    }
    const bytes = Buffer.from(frames.join(''));
    const full: ServerResponse[] = [];
    for (const watcher of watchers) if (!watcher.write(bytes)) full.push(watcher);
    await Promise.all(
      full.filter(({ writableNeedDrain }) => writableNeedDrain).map((watcher) => once(watcher, 'drain')),
    );
    await new Promise((resolve) => setImmediate(resolve));
  }
}
