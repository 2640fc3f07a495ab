// The embedded database: what survives kill -9, that it leaves the event loop alone, and who may have the data folder.
import {
  accepted,
  allAgents,
  call,
  callBatch,
  faultOf,
  holeIn,
  readChangeLog,
  refusalCode,
  registration,
  send,
  TRANSPORTS,
  Watcher,
} from '@hypercode/core-runtime/testing';
import { type SpawnedCore, waitFor } from '@hypercode/testkit';
import { afterAll, afterEach, beforeAll, expect, test } from 'vitest';
import { spawnCore } from '../fixtures/spawn-core.ts';

const PATIENCE = { timeoutMs: 90_000 };

let core: SpawnedCore;
const watchers: Watcher[] = [];

beforeAll(async () => {
  core = await spawnCore({ env: { SWARM_RATE_REGISTER: '0' } });
});
afterEach(() => {
  for (const watcher of watchers.splice(0)) watcher.close();
});
afterAll(async () => {
  core?.kill('SIGCONT');
  await core?.close();
});

async function watch(where: SpawnedCore, namespace: string): Promise<void> {
  watchers.push(...TRANSPORTS.map((transport) => new Watcher({ core: where, transport, namespace })));
  await waitFor(() => watchers.every(({ synced }) => synced > 0), { what: 'watchers in step', ...PATIENCE });
}

test('kill -9 in the middle of 1,000 registrations loses none that was acknowledged', async () => {
  const namespace = 'killed';
  await watch(core, namespace);
  const names = Array.from({ length: 1000 }, (_, i) => `agent-${i}`);
  const register = (name: string) => call(core, 'registry.register', registration(name, { namespace }));

  const acknowledged: { name: string; revision: number; token: string }[] = [];
  let calls = 0;
  const lane = async () => {
    for (let name = names[calls++]; name !== undefined; name = names[calls++]) {
      const outcome = await register(name);
      if (outcome.ok) {
        const { agent, token = '' } = outcome.data;
        acknowledged.push({ name, revision: agent.revision, token });
      } else expect(outcome.code).toBe('BROKEN');
      if (acknowledged.length === 300) core.kill('SIGKILL');
    }
  };
  await Promise.all(Array.from({ length: 50 }, lane));
  expect(await core.exited).toEqual({ code: null, signal: 'SIGKILL' });
  expect(acknowledged.length).toBeGreaterThanOrEqual(300);
  expect(acknowledged.length).toBeLessThan(1000);

  await core.restart();
  const log = await readChangeLog(core, { namespace });
  expect(holeIn(log, 0)).toBeNull();
  const agents = new Map((await allAgents(core, namespace)).map((agent) => [agent.name, agent]));
  expect(acknowledged.filter(({ name, revision }) => agents.get(name)?.revision !== revision)).toEqual([]);
  expect(acknowledged.filter(({ name, revision }) => log[revision - 1]?.agent.name !== name)).toEqual([]);
  for (const { token } of acknowledged.slice(-10)) {
    expect(refusalCode(await call(core, 'registry.heartbeat', { namespace }, { token }))).toBeNull();
  }

  const again = names.values();
  const laneAgain = async () => {
    for (const name of again) accepted(await register(name));
  };
  await Promise.all(Array.from({ length: 50 }, laneAgain));
  const whole = await readChangeLog(core, { namespace });
  // The heartbeats above made their agents healthy.
  expect(whole.filter(({ change }) => change === 'registered')).toHaveLength(names.length);
  await waitFor(() => watchers.every(({ position }) => position >= names.length), {
    what: 'all watchers to resume',
    ...PATIENCE,
  });
  expect(watchers.map((watcher) => faultOf(watcher, {}, whole))).toEqual(watchers.map(() => null));
  for (const { ends } of watchers) expect(ends).toBeGreaterThan(0);
}, 300_000);

test('slow work in the database does not stop the event loop', async () => {
  const namespace = 'busy';
  const text = Array.from({ length: 300 }, (_, i) => `word${i * 7919}`).join(' ');
  const batchOf = (batch: number) =>
    Array.from({ length: 64 }, (_, i) =>
      registration(`agent-${batch}-${i}`, { namespace, description: `${text} ${batch}` }),
    );
  // Each of these waits for the others: the embedded database does one thing at a time.
  let isBusy = true;
  const began = performance.now();
  const work = Promise.all(
    Array.from({ length: 16 }, async (_, batch) => {
      await callBatch(core, 'registry.register', batchOf(batch));
      accepted(await call(core, 'registry.query', { namespace, text: 'word7919 word15838', limit: 1 }));
    }),
  ).finally(() => (isBusy = false));

  const latenciesMs: number[] = [];
  while (isBusy) {
    const asked = performance.now();
    expect(await send(core, { method: 'GET', path: '/healthz' })).toMatchObject({ ok: true, status: 200 });
    latenciesMs.push(performance.now() - asked);
  }
  await work;
  const workedMs = performance.now() - began;
  const longestMs = Math.max(...latenciesMs);
  expect(latenciesMs.length, `${latenciesMs.length} answers in ${workedMs} ms`).toBeGreaterThan(20);
  expect(longestMs, `of ${workedMs} ms`).toBeLessThan(workedMs / 3);
}, 300_000);

test('one core at a time has a data folder', async () => {
  const namespace = 'folder';
  const register = async (name: string) =>
    accepted(await call(core, 'registry.register', registration(name, { namespace })));
  const another = () => spawnCore({ dataDir: core.dataDir });
  const expectRefusal = async () => {
    const refused = another().then((unexpected) => unexpected.close());
    await expect(refused).rejects.toThrow(
      new RegExp(`ended with 1 before it listened:\\n[^\\n]*${core.dataDir}[^\\n]*process ${core.pid} on [^\\n]*\\n$`),
    );
  };

  await register('before');
  await expectRefusal();
  await register('between');
  core.kill('SIGSTOP');
  await expectRefusal();
  core.kill('SIGCONT');
  await register('after');
  expect(holeIn(await readChangeLog(core, { namespace }), 0)).toBeNull();

  // The next one comes in within its patience, whatever became of the first.
  const waiting = another();
  core.kill('SIGKILL');
  const successor = await waiting;
  try {
    const names = (await allAgents(successor, namespace)).map(({ name }) => name);
    expect(names).toEqual(['after', 'before', 'between']);
    await watch(successor, namespace);
    successor.kill('SIGTERM');
    expect(await successor.exited).toEqual({ code: 0, signal: null });
    expect(successor.output()).toContain('stopped');
  } finally {
    await successor.close();
  }
}, 300_000);
