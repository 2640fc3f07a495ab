// Watches and directories against a whole core.
import { sharedCore, START_TIMEOUT_MS, type TestCore } from '@hypercode/core-runtime/testing';
import { trackLeaks, waitFor } from '@hypercode/testkit';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { createSwarmClient, type SwarmClient, type SwarmError } from '../../src/index.ts';
import { isChangeOf, isSynced, readUntil, registration } from '../watching.ts';

let core: TestCore;
let admin: SwarmClient;
/** Tests do not see each other's agents. */
let namespace: string;
let count = 0;

beforeAll(async () => {
  core = await sharedCore();
}, START_TIMEOUT_MS);

afterAll(async () => {
  await admin?.close();
});

beforeEach(async () => {
  await admin?.close();
  count += 1;
  namespace = `${core.namespace}-${count}`;
  admin = createSwarmClient({ url: core.url, token: core.adminToken, namespace });
});

describe('a watch', () => {
  test('is a snapshot and every change after it', async () => {
    for (const name of ['a', 'b', 'c']) await admin.registry.register(registration(name));
    const watch = admin.watch();
    const before = await readUntil(watch, isSynced);
    const known = before.flatMap((event) => (event.type === 'snapshot' ? event.agents : []));
    expect(known.map(({ name }) => name)).toEqual(['a', 'b', 'c']);

    await admin.registry.register(registration('d'));
    await admin.registry.update({ name: 'a', set: { labels: { zone: 'x' } } });
    await admin.registry.register(registration('d'));
    await admin.registry.deregister({ name: 'b' });
    await admin.registry.register(registration('last'));
    const after = await readUntil(watch, isChangeOf('last'));
    const changes = after.filter((event) => event.type === 'change');
    expect(changes.map(({ change, agent }) => `${change} ${agent.name}`)).toEqual([
      'registered d',
      'updated a',
      'deregistered b',
      'registered last',
    ]);
    const first = changes[0]?.revision ?? 0;
    expect(changes.map(({ revision }) => revision)).toEqual([first, first + 1, first + 2, first + 3]);
  });

  test('with a filter receives agents that begin and cease to match', async () => {
    await admin.registry.register(registration('in', { zone: 'a' }));
    const watch = admin.watch({ labels: { zone: 'a' } });
    await readUntil(watch, isSynced);
    await admin.registry.register(registration('out', { zone: 'b' }));
    await admin.registry.update({ name: 'out', set: { labels: { zone: 'a' } } });
    await admin.registry.update({ name: 'in', set: { labels: { zone: 'b' } } });
    const events = await readUntil(watch, (event) => event.type === 'change' && event.change === 'left');
    const changes = events.filter((event) => event.type === 'change');
    expect(changes.map(({ change, agent }) => `${change} ${agent.name}`)).toEqual(['updated out', 'left in']);
  });

  test('goes on after a revision', async () => {
    const { agent } = await admin.registry.register(registration('a'));
    await admin.registry.register(registration('b'));
    const events = await readUntil(admin.watch({ since: agent.revision }), isSynced);
    expect(events.map(({ type }) => type)).toEqual(['change', 'synced']);
  });

  test('ahead of the log is reset', async () => {
    await admin.registry.register(registration('a'));
    const events = await readUntil(admin.watch({ since: 1_000_000 }), isSynced);
    expect(events[0]).toMatchObject({ type: 'snapshot', reset: true, agents: [{ name: 'a' }] });
  });

  test('without the right to read is refused', async () => {
    const join = createSwarmClient({ url: core.url, token: core.joinToken });
    await expect(join.watch().next()).rejects.toMatchObject({ name: 'SwarmError', code: 'FORBIDDEN' });
    await expect(admin.watch({ role: 'Not A Role' }).next()).rejects.toMatchObject({ code: 'INVALID_INPUT' });
    const stranger = createSwarmClient({ url: core.url, token: 'nonsense' });
    await expect(stranger.watch().next()).rejects.toMatchObject({ code: 'UNAUTHENTICATED' });
    await Promise.all([join.close(), stranger.close()]);
  });

  test('leaves no socket or timer', async () => {
    const leaks = trackLeaks();
    const client = createSwarmClient({ url: core.url, token: core.adminToken, namespace });
    await readUntil(client.watch(), isSynced);
    const watches = Array.from({ length: 20 }, () => client.watch());
    await Promise.all(watches.map((watch) => watch.next()));
    await client.directory().ready;
    await client.close();
    await expect(leaks.check()).resolves.toBeUndefined();
  });
});

describe('a directory', () => {
  test('equals the registry', async () => {
    await using directory = admin.directory();
    const log: string[] = [];
    directory.on('added', ({ name }) => log.push(`added ${name}`));
    directory.on('changed', ({ name }) => log.push(`changed ${name}`));
    directory.on('removed', ({ name }) => log.push(`removed ${name}`));
    await admin.registry.register(registration('a'));
    await directory.ready;
    await directory.waitFor(({ name }) => name === 'a');
    await admin.registry.register(registration('b'));
    await admin.registry.update({ name: 'a', set: { labels: { zone: 'x' } } });
    await admin.registry.deregister({ name: 'b' });
    await waitFor(() => log.length === 4, { what: 'four differences' });
    expect(log).toEqual(['added a', 'added b', 'changed a', 'removed b']);
  });

  test('with more agents than a chunk holds is whole', async () => {
    const names = Array.from({ length: 1_201 }, (_, index) => `agent-${index}`);
    await Promise.all(names.map((name) => admin.registry.register(registration(name), { timeoutMs: 60_000 })));
    await using directory = admin.directory({ role: 'worker' });
    await directory.ready;
    expect(directory.size).toBe(names.length);
  });

  test('reports why it cannot become whole', async () => {
    const stranger = createSwarmClient({ url: core.url, token: 'nonsense' });
    const directory = stranger.directory();
    const errors: SwarmError[] = [];
    directory.on('error', (error) => errors.push(error));
    await expect(directory.ready).rejects.toMatchObject({ code: 'UNAUTHENTICATED' });
    await expect(directory.waitFor(() => true)).rejects.toMatchObject({ code: 'UNAUTHENTICATED' });
    await directory.stop();
    expect(errors).toHaveLength(1);
    await stranger.close();
  });

  test('waits no longer than timeoutMs', async () => {
    await using directory = admin.directory();
    await expect(directory.waitFor(() => false, { timeoutMs: 20 })).rejects.toMatchObject({ code: 'UNAVAILABLE' });
    const waiting = directory.waitFor(() => false);
    await Promise.all([
      expect(waiting).rejects.toMatchObject({ message: 'the directory was stopped' }),
      directory.stop(),
    ]);
  });
});
