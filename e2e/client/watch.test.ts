// Watches and directories of clients whose core is killed and comes back.
import { createSwarmClient, SwarmError, type SwarmClient, type WatchEvent } from '@hypercode/client';
import { type SpawnedCore, waitFor } from '@hypercode/testkit';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { isChangeOf, isSynced, readUntil, registration } from '../../packages/client/test/watching.ts';
import { killAndRestart } from '../fixtures/kill-and-restart.ts';
import { spawnCore } from '../fixtures/spawn-core.ts';

let core: SpawnedCore;
let admin: SwarmClient;

beforeEach(async () => {
  core = await spawnCore({ env: { SWARM_RATE_REGISTER: '0' } });
  admin = createSwarmClient({ url: core.url, token: core.adminToken });
});
afterEach(async () => {
  await admin?.close();
  await core?.close();
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

const isRegistration = (event: WatchEvent): event is Extract<WatchEvent, { type: 'change' }> =>
  event.type === 'change' && event.change === 'registered';

test('a watch has no hole and no repeat while the core is killed and comes back', async () => {
  const all = admin.watch();
  const odd = admin.watch({ labels: { parity: 'odd' } });
  await Promise.all([readUntil(all, isSynced), readUntil(odd, isSynced)]);
  const received = Promise.all([all, odd].map((watch) => readUntil(watch, isChangeOf('last'))));
  for (let index = 0; index < 60; index += 1) {
    const labels = { parity: index % 2 === 1 ? 'odd' : 'even' };
    const registered = insist(() => admin.registry.register(registration(`agent-${index}`, labels)));
    // In the middle of a registration: it may have been taken or not, and is repeated.
    if (index === 30) await killAndRestart(core);
    await registered;
  }
  await insist(() => admin.registry.register(registration('last', { parity: 'odd' })));

  const [changes = [], oddChanges = []] = (await received).map((events) =>
    events.filter(({ type }) => type === 'change'),
  );
  const first = changes[0]?.revision ?? 0;
  expect(changes.map(({ revision }) => revision)).toEqual(changes.map((_, index) => first + index));
  const names = changes.flatMap((event) => (isRegistration(event) ? [event.agent.name] : []));
  expect(names).toEqual([...Array.from({ length: 60 }, (_, index) => `agent-${index}`), 'last']);
  expect(oddChanges.filter(isRegistration)).toHaveLength(31);
});

test('a directory equals the registry after the core was killed', async () => {
  await admin.registry.register(registration('a'));
  await using directory = admin.directory();
  await directory.ready;
  const log: string[] = [];
  directory.on('added', ({ name }) => log.push(`added ${name}`));
  directory.on('changed', ({ name }) => log.push(`changed ${name}`));
  directory.on('removed', ({ name }) => log.push(`removed ${name}`));
  await killAndRestart(core);
  for (let index = 0; index < 20; index += 1)
    await insist(() => admin.registry.register(registration(`late-${index}`)));
  const { agents, revision } = await insist(() => admin.registry.query({ limit: 500 }));
  await waitFor(() => directory.revision >= revision, { what: 'the directory to catch up' });
  expect(directory.size).toBe(21);
  expect(directory.list().toSorted((a, b) => (a.name < b.name ? -1 : 1))).toEqual(agents);
  expect([...directory]).toHaveLength(21);
  expect(directory.get('late-3')?.name).toBe('late-3');
  expect(log).toEqual(Array.from({ length: 20 }, (_, index) => `added late-${index}`));
});
