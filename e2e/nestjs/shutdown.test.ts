// How a process ends: by a signal, and because another has taken its agent's name.
import { connectAgent, createSwarmClient, type SwarmClient } from '@hypercode/client';
import { type SpawnedCore, waitFor } from '@hypercode/testkit';
import { fileURLToPath } from 'node:url';
import { afterAll, afterEach, beforeAll, expect, test } from 'vitest';
import { spawnCore } from '../fixtures/spawn-core.ts';

const PROGRAM = fileURLToPath(new URL('agent-process.ts', import.meta.url));

let core: SpawnedCore;
let admin: SwarmClient;
let application: SpawnedCore | undefined;

beforeAll(async () => {
  core = await spawnCore({ env: { SWARM_LEASE_MS: '600' } });
  admin = createSwarmClient({ url: core.url, token: core.adminToken });
});

afterEach(() => application?.close());

afterAll(async () => {
  await admin?.close();
  await core?.close();
});

async function start(): Promise<SpawnedCore> {
  const env = { CORE_URL: core.url, CORE_JOIN_TOKEN: core.joinToken };
  application = await spawnCore({ entry: PROGRAM, env });
  return application;
}

test('SIGTERM shows draining, lets the handler finish, and then the agent is gone', async () => {
  const { kill, output, exited } = await start();
  const directory = admin.directory();
  await directory.ready;
  const seen: string[] = [];
  directory.on('changed', ({ status }) => seen.push(status.activity));
  directory.on('removed', () => seen.push('gone'));
  await admin.publish('agent.greeter.inbox.greet', null);
  await waitFor(() => output().includes('greeting'), { what: 'the handler to run' });
  kill('SIGTERM');
  await waitFor(() => seen.includes('draining'), { what: 'the agent to be draining' });
  await admin.publish('agent.greeter.inbox.go', null);
  expect(await exited).toEqual({ code: null, signal: 'SIGTERM' });
  expect(output()).toContain('greeted');
  await waitFor(() => seen.includes('gone'), { what: 'the agent to be gone' });
  expect(seen.filter((word) => word !== 'ready')).toEqual(['draining', 'gone']);
  await directory.stop();
});

test('a process whose name is taken ends in order', async () => {
  const { output, exited } = await start();
  const { url, joinToken: token } = core;
  const later = await connectAgent({ url, token, name: 'greeter', role: 'guest', version: '1.0.0' });
  expect(await exited).toEqual({ code: null, signal: 'SIGTERM' });
  expect(output()).toContain('has ended for good: FENCED');
  expect((await admin.registry.get({ name: 'greeter' })).incarnation).toBe(later.incarnation);
  await later.stop();
});
