// Watches and directories against a whole core, which is killed and comes back.
import { type SpawnedCore, trackLeaks, waitFor } from '@hypercode/testkit';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { createSwarmClient, SwarmError, type SwarmClient, type Watch, type WatchEvent } from '@hypercode/client';
import { spawnCore } from '../fixtures/spawn-core.ts';

let core: SpawnedCore;
let admin: SwarmClient;
/** Tests do not see each other's agents. */
let namespace: string;
let count = 0;

beforeAll(async () => {
  core = await spawnCore({ startTimeoutMs: 90_000, env: { SWARM_RATE_REGISTER: '0' } });
});

afterAll(async () => {
  await admin?.close();
  await core?.close();
});

beforeEach(async () => {
  await admin?.close();
  count += 1;
  namespace = `test-${count}`;
  admin = createSwarmClient({ url: core.url, token: core.adminToken, namespace });
});

const registration = (name: string, labels: Record<string, string> = {}) => ({
  name,
  role: 'worker',
  version: '1.0.0',
  labels,
});

/** Repeats what got no answer, as a caller would: a registration may be repeated. */
async function insist<T>(call: () => Promise<T>): Promise<T> {
  return waitFor(
    async () => {
      try {
        return { value: await call() };
      } catch (error) {
        if (SwarmError.from(error).retryable) return undefined;
        throw error;
      }
    },
    { what: 'an answer of the core', timeoutMs: 60_000 },
  ).then(({ value }) => value);
}

async function killAndRestart(): Promise<void> {
  core.kill('SIGKILL');
  await core.exited;
  await core.restart();
}

/** Reads on, and leaves the watch open. */
async function readUntil(watch: Watch, isLast: (event: WatchEvent) => boolean): Promise<WatchEvent[]> {
  const events: WatchEvent[] = [];
  for (;;) {
    const { done, value } = await watch.next();
    if (done === true) throw new Error('the watch has ended');
    events.push(value);
    if (isLast(value)) return events;
  }
}

const isRegistration = (event: WatchEvent): event is Extract<WatchEvent, { type: 'change' }> =>
  event.type === 'change' && event.change === 'registered';
const isSynced = ({ type }: WatchEvent): boolean => type === 'synced';
const isChangeOf =
  (wanted: string) =>
  (event: WatchEvent): boolean =>
    event.type === 'change' && event.agent.name === wanted;

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

  test('with a filter hears of agents that begin and cease to match', async () => {
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

  test('has no hole and no repeat while the core is killed and comes back', async () => {
    const client = admin;
    const all = client.watch();
    const odd = client.watch({ labels: { parity: 'odd' } });
    await Promise.all([readUntil(all, isSynced), readUntil(odd, isSynced)]);
    const told = Promise.all([all, odd].map((watch) => readUntil(watch, isChangeOf('last'))));
    for (let index = 0; index < 60; index += 1) {
      const labels = { parity: index % 2 === 1 ? 'odd' : 'even' };
      const registered = insist(() => client.registry.register(registration(`agent-${index}`, labels)));
      // In the middle of a registration: it may have been taken or not, and is repeated.
      if (index === 30) await killAndRestart();
      await registered;
    }
    await insist(() => client.registry.register(registration('last', { parity: 'odd' })));

    const [changes = [], oddChanges = []] = (await told).map((events) =>
      events.filter(({ type }) => type === 'change'),
    );
    const first = changes[0]?.revision ?? 0;
    expect(changes.map(({ revision }) => revision)).toEqual(changes.map((_, index) => first + index));
    const names = changes.flatMap((event) => (isRegistration(event) ? [event.agent.name] : []));
    expect(names).toEqual([...Array.from({ length: 60 }, (_, index) => `agent-${index}`), 'last']);
    expect(oddChanges.filter(isRegistration)).toHaveLength(31);
  });

  test('that may not look is refused', async () => {
    const join = createSwarmClient({ url: core.url, token: core.joinToken });
    await expect(join.watch().next()).rejects.toMatchObject({ name: 'SwarmError', code: 'FORBIDDEN' });
    await expect(admin.watch({ role: 'Not A Role' }).next()).rejects.toMatchObject({ code: 'INVALID_INPUT' });
    const stranger = createSwarmClient({ url: core.url, token: 'nonsense' });
    await expect(stranger.watch().next()).rejects.toMatchObject({ code: 'UNAUTHENTICATED' });
    await Promise.all([join.close(), stranger.close()]);
  });

  test('leaves nothing behind', async () => {
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
  test('equals the registry, also after the core was killed', async () => {
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

    await killAndRestart();
    for (let index = 0; index < 20; index += 1)
      await insist(() => admin.registry.register(registration(`late-${index}`)));
    const { agents, revision } = await insist(() => admin.registry.query({ limit: 500 }));
    await waitFor(() => directory.revision >= revision, { what: 'the directory to catch up' });
    expect(directory.size).toBe(21);
    expect(directory.list().toSorted((a, b) => (a.name < b.name ? -1 : 1))).toEqual(agents);
    expect([...directory]).toHaveLength(21);
    expect(directory.get('late-3')?.name).toBe('late-3');
    expect(log.slice(4)).toEqual(Array.from({ length: 20 }, (_, index) => `added late-${index}`));
  });

  test('with more agents than a chunk holds is whole', async () => {
    const names = Array.from({ length: 1_201 }, (_, index) => `agent-${index}`);
    await Promise.all(names.map((name) => admin.registry.register(registration(name), { timeoutMs: 60_000 })));
    await using directory = admin.directory({ role: 'worker' });
    await directory.ready;
    expect(directory.size).toBe(names.length);
  });

  test('tells why it can not be', async () => {
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

  test('waits no longer than it is told', async () => {
    await using directory = admin.directory();
    await expect(directory.waitFor(() => false, { timeoutMs: 20 })).rejects.toMatchObject({ code: 'UNAVAILABLE' });
    const waiting = directory.waitFor(() => false);
    await Promise.all([
      expect(waiting).rejects.toMatchObject({ message: 'the directory was stopped' }),
      directory.stop(),
    ]);
  });
});
