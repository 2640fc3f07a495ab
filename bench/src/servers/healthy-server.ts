// What healthUrls stand for: answers every GET at once, on every address of this machine, and says at /asked how often it was asked.
import { createServer } from 'node:http';

let asked = 0;
const server = createServer(({ url }, response) => {
  response.setHeader('content-type', 'application/json');
  if (url === '/asked') {
    response.end(JSON.stringify({ asked }));
    return;
  }
  asked += 1;
  response.end('{"status":"ready"}');
});
// Probes of one agent are far apart.
server.keepAliveTimeout = 60_000;
server.listen(Number(process.env['SWARM_PORT']), '0.0.0.0', () => {
  console.log(`listening on http://127.0.0.1:${process.env['SWARM_PORT']} `);
});
process.on('SIGTERM', () => {
  server.closeAllConnections();
  server.close();
});
