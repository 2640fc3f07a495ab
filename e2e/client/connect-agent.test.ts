// The life of agents whose core is killed, or is not there yet.
import { createSwarmClient, type SwarmClient, type SwarmError } from '@hypercode/client';
import { type SpawnedCore, waitFor } from '@hypercode/testkit';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { connectorTo } from '../../packages/client/test/connecting.ts';
import { spawnCore } from '../fixtures/spawn-core.ts';

let core: SpawnedCore;
let admin: SwarmClient;
let connect: ReturnType<typeof connectorTo>;

beforeAll(async () => {
  core = await spawnCore({ env: { SWARM_LEASE_MS: '600' } });
  connect = connectorTo(core);
  admin = createSwarmClient({ url: core.url, token: core.adminToken });
});
afterAll(async () => {
  await admin?.close();
  await core?.close();
});

test('a connected agent goes on when the core was killed and came back', async () => {
  const { agent, beats } = await connect('survivor');
  const errors: SwarmError[] = [];
  agent.on('error', (error) => errors.push(error));
  core.kill('SIGKILL');
  await core.exited;
  await waitFor(() => errors.length > 0, { what: 'a heartbeat in vain' });
  await core.restart();
  const before = beats.length;
  await waitFor(() => beats.slice(before).some(({ status }) => status === 200), {
    what: 'a heartbeat',
    timeoutMs: 30_000,
  });
  expect(errors.every(({ code }) => code === 'UNAVAILABLE')).toBe(true);
  expect((await admin.registry.get({ name: 'survivor' })).id).toBe(agent.agent.id);
  await agent.stop();
});

test('connecting waits for a core that is not there yet', async () => {
  core.kill('SIGKILL');
  await core.exited;
  const errors: SwarmError[] = [];
  const connecting = connect('early-bird', { onError: (error) => errors.push(error) });
  await waitFor(() => errors.length >= 2, { what: 'two registrations in vain' });
  await core.restart();
  const { agent } = await connecting;
  expect(agent.agent.name).toBe('early-bird');
  await agent.stop();
});
