// The answers to probes, over HTTP.
import { trackLeaks, waitFor } from '@hypercode/testkit';
import { afterEach, expect, test } from 'vitest';
import type { AgentEvents, AgentHealth } from '../../src/presence/connected-agent.ts';
import { Emitter } from '../../src/transport/emitter.ts';
import { type HealthServer, serveHealth } from '../../src/node.ts';

const servers: HealthServer[] = [];
afterEach(() => Promise.all(servers.splice(0).map((server) => server.close())));

const well: AgentHealth = { status: 'ok', activity: 'ready', circuit: 'closed', registered: true, denied: [] };

async function serve() {
  const emitter = new Emitter<AgentEvents>();
  const state = { health: well };
  const agent = { health: () => state.health, on: emitter.on.bind(emitter) };
  const server = await serveHealth(agent, { port: 0 });
  servers.push(server);
  return { agent, emitter, state, server, url: `http://127.0.0.1:${server.port}/health` };
}

test.each<[number, AgentHealth]>([
  [200, well],
  [200, { ...well, activity: 'busy', circuit: 'open' }],
  [200, { ...well, status: 'draining', activity: 'draining' }],
  [503, { ...well, status: 'denied' }],
  [503, { ...well, status: 'unregistered', registered: false }],
  [503, { ...well, status: 'fenced', registered: false }],
  [503, { ...well, status: 'stopped', registered: false }],
])('%i for %o', async (status, health) => {
  const { state, url } = await serve();
  state.health = health;
  const answer = await fetch(`${url}?from=core`);
  expect(answer.status).toBe(status);
  expect(answer.headers.get('content-type')).toBe('application/json');
  expect(answer.headers.get('cache-control')).toBe('no-store');
  expect(await answer.json()).toEqual(health);
});

test('answers nothing else', async () => {
  const { url, server } = await serve();
  const head = await fetch(url, { method: 'HEAD' });
  expect([head.status, await head.text()]).toEqual([200, '']);
  const post = await fetch(url, { method: 'POST', body: 'x' });
  expect([post.status, post.headers.get('allow')]).toEqual([405, 'GET, HEAD']);
  expect((await fetch(`http://127.0.0.1:${server.port}/`)).status).toBe(404);
  expect((await fetch(`http://127.0.0.1:${server.port}/health/more`)).status).toBe(404);
});

test('ends with the agent, and leaves no socket or timer', async () => {
  const leaks = trackLeaks();
  const { emitter, url } = await serve();
  expect((await fetch(url)).status).toBe(200);
  emitter.emit('stopped');
  const isGone = () =>
    fetch(url).then(
      () => false,
      () => true,
    );
  await waitFor(isGone, { what: 'the server to be gone' });
  await Promise.all(servers.map((server) => server.close()));
  await leaks.check();
});

test('does not outlive an agent that has stopped before it listens', async () => {
  const leaks = trackLeaks();
  const emitter = new Emitter<AgentEvents>();
  let health = well;
  const serving = serveHealth({ health: () => health, on: emitter.on.bind(emitter) }, { port: 0 });
  health = { ...well, status: 'stopped', registered: false };
  emitter.emit('stopped');
  const { port } = await serving;
  await expect(fetch(`http://127.0.0.1:${port}/health`)).rejects.toThrow();
  await leaks.check();
});

test('rejects where it can not listen', async () => {
  const { agent, server } = await serve();
  await expect(serveHealth(agent, { port: server.port })).rejects.toMatchObject({ code: 'EADDRINUSE' });
});
