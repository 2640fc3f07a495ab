// A swarm of a test is a real one: its parts work, swarms share nothing, and nothing is left of one.
import { SwarmError } from '@hypercode/client';
import { type LeakTracker, trackLeaks } from '@hypercode/testkit';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { startSwarm } from '../src/index.ts';

let leaks: LeakTracker;

beforeEach(() => {
  leaks = trackLeaks();
});

afterEach(() => leaks.check());

const NOTHING = { publish: [], subscribe: [] };

it('an event goes from one agent to another', async () => {
  await using swarm = await startSwarm({
    policy: { roles: { worker: { publish: ['greeting.>'], subscribe: ['greeting.>'] } }, default: NOTHING },
  });
  const ada = await swarm.connectAgent({ name: 'ada', role: 'worker', version: '1.0.0' });
  const bob = await swarm.connectAgent({ name: 'bob', role: 'worker', version: '1.0.0' });
  await ada.client.publish('greeting.morning', { text: 'hello' });
  for await (const value of bob.client.subscribe({ topics: ['greeting.*'], from: 'earliest' })) {
    if (value.type !== 'event') continue;
    expect(value.event).toMatchObject({ source: '/agents/default/ada', data: { text: 'hello' } });
    break;
  }
  const { agents } = await swarm.admin.registry.query();
  expect(agents.map(({ name, status }) => [name, status.health])).toEqual([
    ['ada', 'healthy'],
    ['bob', 'healthy'],
  ]);
});

it('two swarms share neither agents nor tokens', async () => {
  await using one = await startSwarm();
  await using other = await startSwarm();
  await one.connectAgent({ name: 'ada', role: 'worker', version: '1.0.0' });
  expect((await other.admin.registry.query()).agents).toEqual([]);
  const stranger = other.client({ token: one.adminToken });
  await expect(stranger.registry.query()).rejects.toMatchObject({ code: 'UNAUTHENTICATED' });
});

it('a policy that is refused ends the swarm with the refusal', async () => {
  const policy = { roles: { 'No Role': NOTHING }, default: NOTHING };
  await expect(startSwarm({ policy })).rejects.toBeInstanceOf(SwarmError);
});

it('a swarm that was closed answers nothing, and closes once', async () => {
  const swarm = await startSwarm();
  await swarm.close();
  await swarm.close();
  await expect(fetch(`${swarm.url}/healthz`)).rejects.toThrow('fetch failed');
});
