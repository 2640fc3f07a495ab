// Why an event did not arrive, as `events trace` and `events preview` say it on a real core: the six usual causes.
import { startTestCore, START_TIMEOUT_MS, type TestCore } from '@hypercode/core-runtime/testing';
import { createSwarmClient, type SwarmClient } from '@hypercode/client';
import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest';
import { swarm, type SwarmEnd } from './swarm-process.ts';

let core: TestCore;
let client: SwarmClient;
let env: Record<string, string>;

beforeAll(async () => {
  core = await startTestCore();
}, START_TIMEOUT_MS);
afterAll(async () => {
  await client?.close();
  await core.close();
});
beforeEach(async () => {
  await client?.close();
  const namespace = core.freshNamespace();
  client = createSwarmClient({ url: core.url, token: core.adminToken, namespace });
  env = { SWARM_URL: core.url, SWARM_TOKEN: core.adminToken, SWARM_NAMESPACE: namespace };
});

const trace = (event: string): Promise<SwarmEnd> => swarm(['events', 'trace', event], env);
const preview = (topic: string, more: string[] = []): Promise<SwarmEnd> =>
  swarm(['events', 'preview', topic, ...more], env);

test('no group takes it', async () => {
  const { id, position } = await client.bus.publish({ topic: 'build.requested', data: 1 });
  const byId = await trace(id);
  expect(byId).toMatchObject({ code: 0, stderr: '' });
  expect(byId.stdout).toContain('what to do: no group and no stream takes build.requested');
  expect((await trace(position)).stdout).toContain(id);
  expect(await preview('build.requested')).toMatchObject({
    code: 1,
    stdout: expect.stringContaining('no group takes it'),
  });
  expect(await trace('0190f1d2-0000-7000-8000-000000000001')).toMatchObject({ code: 1, stdout: '' });
});

test('the topic is wrong by one letter', async () => {
  await client.bus.claim({ group: 'builders', topics: ['build.requested'] });
  const end = await preview('build.reqeusted');
  expect(end.code).toBe(1);
  expect(end.stdout).toContain('what to do: check the name: did you mean build.requested?');
  const { id } = await client.bus.publish({ topic: 'build.reqeusted', data: 1 });
  expect((await trace(id)).stdout).toContain('takes build.reqeusted: did you mean build.requested?');
});

test('the policy does not allow it', async () => {
  const { token = '' } = await client.registry.register({ name: 'eve', role: 'observer', version: '1.0.0' });
  await client.bus.claim({ group: 'builders', topics: ['build.*'] });
  expect(await preview('build.requested', ['--as', 'eve'])).toMatchObject({
    code: 1,
    stdout: expect.stringMatching(/would be refused[^]*what to do: allow the topic in the policy/),
  });
  expect(await swarm(['events', 'pub', 'build.requested'], { ...env, SWARM_TOKEN: token })).toMatchObject({
    code: 4,
    stderr: expect.stringContaining('swarm policy explain eve publish build.requested'),
  });
});

test('the circuit of the agent is open', async () => {
  await client.registry.register({ name: 'ada', role: 'worker', version: '1.0.0' });
  await client.circuit.trip({ name: 'ada', reason: 'too many failures' });
  const end = await preview('build.requested', ['--as', 'ada']);
  expect(end).toMatchObject({ code: 1, stdout: expect.stringContaining('the circuit of the agent is open') });
});

test('the group is paused', async () => {
  await client.bus.claim({ group: 'builders', topics: ['build.*'] });
  await client.groups.pause({ group: 'builders', reason: 'upgrade' });
  const { id } = await client.bus.publish({ topic: 'build.requested', data: 1 });
  const { stdout } = await trace(id);
  expect(stdout).toContain('unread: the group has yet to come to it');
  expect(stdout).toContain(
    'what to do: builders is paused by /operators/admin: upgrade; let it go on: swarm groups resume builders',
  );
  const before = await preview('build.requested');
  expect(before.code).toBe(0);
  expect(before.stdout).toMatch(
    /builders {2}paused by [^]*what to do: let builders go on: swarm groups resume builders/,
  );
});

test('it is a dead letter, and in flight again when it is redriven', async () => {
  await client.bus.claim({ group: 'builders', topics: ['build.*'], maxDeliveries: 1 });
  const { id } = await client.bus.publish({ topic: 'build.requested', data: 1 });
  const claim = async (): Promise<string[]> => {
    const { deliveries } = await client.bus.claim({ group: 'builders', waitMs: 10_000, consumer: 'worker-1' });
    return deliveries.map(({ deliveryId }) => deliveryId);
  };
  await client.bus.nack({ group: 'builders', deliveryIds: await claim(), reason: 'no disk' });
  const dead = await trace(id);
  expect(dead.stdout).toMatch(/builders {2}dead letter after 1 attempt: no disk/);
  expect(dead.stdout).toContain('swarm dead redrive builders');
  await client.bus.redrive({ group: 'builders', all: true });
  await claim();
  expect((await trace(id)).stdout).toContain('in flight: worker-1 has it');
});

test('causes stand above, and effects below', async () => {
  const first = await client.bus.publish({ topic: 'a.first', data: 1 });
  const second = await client.bus.publish({ topic: 'a.second', data: 2, causationId: first.id });
  await client.bus.publish({ topic: 'a.third', data: 3, causationId: second.id });
  const { stdout } = await trace(second.id);
  expect(stdout).toMatch(/caused by\n.*a\.first[^]*a\.second[^]*1 event followed from it\n.*a\.third/);
});

test('an event that must arrive is refused when nobody takes it', async () => {
  const end = await swarm(['events', 'pub', 'build.requested', '1', '--mandatory'], env);
  expect(end).toMatchObject({ code: 1, stdout: '', stderr: expect.stringContaining('build.requested') });
});
