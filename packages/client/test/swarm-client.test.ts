// Procedures against a whole core.
import { sharedCore, START_TIMEOUT_MS, type TestCore } from '@hypercode/core-runtime/testing';
import { waitFor } from '@hypercode/testkit';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { createSwarmClient, type SwarmClient, SwarmError } from '../src/index.ts';

let core: TestCore;
let admin: SwarmClient;
let namespace: string;

beforeAll(async () => {
  core = await sharedCore();
  ({ namespace } = core);
  admin = createSwarmClient({ url: core.url, token: core.adminToken, namespace });
}, START_TIMEOUT_MS);

afterAll(async () => {
  await admin?.close();
});

const registration = (name: string) => ({ name, role: 'worker', version: '1.0.0' });

describe('an agent', () => {
  test('is registered, found, changed and removed', async () => {
    const join = createSwarmClient({ url: core.url, namespace, token: core.joinToken });
    const created = await join.registry.register({
      ...registration('ada'),
      capabilities: ['count'],
      labels: { zone: 'a' },
    });
    expect(created).toMatchObject({ outcome: 'created', agent: { name: 'ada', capabilities: [{ id: 'count' }] } });
    const again = await join.registry.register({
      ...registration('ada'),
      capabilities: ['count'],
      labels: { zone: 'a' },
    });
    expect(again).toMatchObject({ outcome: 'unchanged', agent: { revision: created.agent.revision } });

    const ada = createSwarmClient({ url: core.url, namespace, token: created.token ?? '' });
    const { agent } = await ada.registry.update({ name: 'ada', set: { labels: { zone: 'b' } } });
    expect(agent.labels).toEqual({ zone: 'b' });
    expect(await ada.registry.heartbeat({ activity: 'busy' })).toHaveProperty('leaseExpiresAt');
    expect(await admin.registry.get({ name: 'ada' })).toMatchObject({ labels: { zone: 'b' } });
    const found = await admin.registry.query({ capability: 'count', labels: { zone: 'b' } });
    expect(found.agents.map(({ name }) => name)).toEqual(['ada']);

    await ada.registry.deregister({ name: 'ada', reason: 'done' });
    await expect(admin.registry.get({ name: 'ada' })).rejects.toMatchObject({ name: 'SwarmError', code: 'NOT_FOUND' });
    const { changes } = await admin.registry.history({ name: 'ada' });
    expect(changes.map(({ change }) => change).filter((change) => change !== 'status')).toEqual([
      'deregistered',
      'updated',
      'registered',
    ]);
    await expect(ada.registry.query()).rejects.toMatchObject({ code: 'UNAUTHENTICATED' });
    await Promise.all([join.close(), ada.close()]);
  });
});

describe('a batch', () => {
  test('carries what is called at the same time, and large inputs apart', async () => {
    const requests: string[] = [];
    const counting: typeof fetch = (input, init) => {
      requests.push(input instanceof Request ? input.url : new URL(input).href);
      return fetch(input, init);
    };
    const client = createSwarmClient({ url: core.url, namespace, token: core.adminToken, fetch: counting });
    const names = Array.from({ length: 60 }, (_, index) => `batched-${index}`);
    const results = await Promise.all(names.map((name) => client.registry.register(registration(name))));
    expect(results.map(({ agent }) => agent.name)).toEqual(names);
    expect(requests).toHaveLength(1);

    requests.length = 0;
    const [agents] = await Promise.all([
      Promise.all(names.map((name) => client.registry.get({ name }))),
      client.registry.register({ ...registration('large'), description: 'x'.repeat(4_096) }),
    ]);
    expect(agents.map(({ name }) => name)).toEqual(names);
    expect(requests.length).toBeLessThanOrEqual(4);
    await client.close();
  });

  test('of two thousand calls arrives whole', { timeout: 60_000 }, async () => {
    const client = createSwarmClient({ url: core.url, namespace, token: core.adminToken, timeoutMs: 50_000 });
    const names = Array.from({ length: 2_000 }, (_, index) => `one-of-many-${index}`);
    const results = await Promise.all(names.map((name) => client.registry.register(registration(name))));
    expect(new Set(results.map(({ agent }) => agent.revision)).size).toBe(names.length);
    await client.close();
  });

  test('has a refusal for the one that earned it', async () => {
    const results = await Promise.allSettled([
      admin.registry.register(registration('good')),
      admin.registry.register(registration('Bad Name')),
      admin.registry.register({ ...registration('odd'), version: 'latest' }),
      admin.registry.get({ name: 'nobody' }),
    ]);
    expect(results).toMatchObject([
      { status: 'fulfilled', value: { agent: { name: 'good' } } },
      { status: 'rejected', reason: { name: 'SwarmError', code: 'INVALID_INPUT', details: [{ path: 'name' }] } },
      { status: 'rejected', reason: { name: 'SwarmError', code: 'INVALID_INPUT', details: [{ path: 'version' }] } },
      { status: 'rejected', reason: { name: 'SwarmError', code: 'NOT_FOUND' } },
    ]);
  });
});

describe('a refusal', () => {
  test('names the immutable field that was changed', async () => {
    await admin.registry.register(registration('fixed'));
    await expect(admin.registry.register({ ...registration('fixed'), role: 'boss' })).rejects.toMatchObject({
      code: 'IMMUTABLE_FIELD',
      details: { field: 'role' },
    });
  });

  test('refuses an unknown token and a token without the right differently', async () => {
    const stranger = createSwarmClient({ url: core.url, namespace, token: 'nonsense' });
    await expect(stranger.registry.query()).rejects.toMatchObject({ code: 'UNAUTHENTICATED' });
    const join = createSwarmClient({ url: core.url, namespace, token: core.joinToken });
    await expect(join.tokens.list()).rejects.toMatchObject({ code: 'FORBIDDEN' });
    await Promise.all([stranger.close(), join.close()]);
  });

  test('of a registration that is too large has its limit', async () => {
    const schema = { text: 'x'.repeat(530_000) };
    const large = { ...registration('huge'), capabilities: [{ id: 'a', inputSchema: schema }] };
    await expect(admin.registry.register(large)).rejects.toMatchObject({
      code: 'PAYLOAD_TOO_LARGE',
      details: { limit: 524_288 },
    });
  });
});

test('the namespace of the client is that of its calls, unless they name another', async () => {
  const elsewhere = `${namespace}-2`;
  const client = createSwarmClient({ url: core.url, token: core.adminToken, namespace: elsewhere });
  const { agent } = await client.registry.register(registration('expat'));
  expect(agent.namespace).toBe(elsewhere);
  await expect(client.registry.get({ name: 'expat', namespace })).rejects.toMatchObject({
    code: 'NOT_FOUND',
  });
  expect((await client.registry.query()).agents.map(({ name }) => name)).toEqual(['expat']);
  await client.close();
});

test('tokens are made, listed and revoked', async () => {
  const { id, token } = await admin.tokens.create({ kind: 'viewer', name: 'wall display' });
  const viewer = createSwarmClient({ url: core.url, namespace, token });
  await viewer.registry.query();
  await expect(viewer.registry.register(registration('x'))).rejects.toMatchObject({ code: 'FORBIDDEN' });
  expect((await admin.tokens.list()).tokens.map(({ name }) => name)).toContain('wall display');
  await admin.tokens.revoke({ id });
  // A revocation reaches every replica within a second.
  const refusal = await waitFor(
    () =>
      viewer.registry.query().then(
        () => null,
        (error: unknown) => SwarmError.from(error),
      ),
    { what: 'a refusal' },
  );
  expect(refusal.code).toBe('UNAUTHENTICATED');
  await viewer.close();
});

test('a token function is asked again when its token was refused', async () => {
  const { id, token: first } = await admin.tokens.create({ kind: 'viewer', name: 'first' });
  const { token: second } = await admin.tokens.create({ kind: 'viewer', name: 'second' });
  const client = createSwarmClient({
    url: core.url,
    namespace,
    token: (refused) => (refused === undefined ? current : (current = second)),
  });
  let current = first;
  await client.registry.query();
  await admin.tokens.revoke({ id });
  await waitFor(() => client.registry.query().then(() => current === second), { what: 'the second token to be used' });
  expect(await client.registry.query()).toHaveProperty('agents');
  await client.close();
});
