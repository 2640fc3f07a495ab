// The embedded database: what survives kill -9, who may have the data folder, and that it leaves the event loop alone.
import { type SpawnedCore, spawnCore, type TemporaryFolder, temporaryFolder, waitFor } from '@hypercode/testkit';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { accepted, allAgents, call, callBatch, refusalCode, registration, send } from './e2e/call.ts';
import { faultOf, holeIn, readChangeLog } from './e2e/change-record.ts';
import { TRANSPORTS } from './e2e/connections.ts';
import { Watcher } from './e2e/watcher.ts';

const PATIENCE = { timeoutMs: 60_000 };

let folder: TemporaryFolder;
let core: SpawnedCore;
const watchers: Watcher[] = [];

beforeAll(() => {
  folder = temporaryFolder('embedded-e2e');
});
afterAll(() => folder?.remove());
beforeEach(async () => {
  core = await spawnCore({ env: { SWARM_RATE_REGISTER: '0' }, startTimeoutMs: 90_000 });
});
afterEach(async () => {
  for (const watcher of watchers.splice(0)) watcher.close();
  core.kill('SIGCONT');
  await core.close();
});

test('kill -9 in the middle of 1,000 registrations loses none that was acknowledged', async () => {
  for (const transport of TRANSPORTS) watchers.push(new Watcher({ core, transport }));
  await waitFor(() => watchers.every(({ synced }) => synced > 0), { what: 'all watchers in step', ...PATIENCE });

  const names = Array.from({ length: 1000 }, (_, i) => `agent-${i}`);
  const acknowledged: { name: string; revision: number; token: string }[] = [];
  let calls = 0;
  const attempt = async () => {
    for (let name = names[calls++]; name !== undefined; name = names[calls++]) {
      const outcome = await call(core, 'registry.register', registration(name));
      if (outcome.ok)
        acknowledged.push({ name, revision: outcome.data.agent.revision, token: outcome.data.token ?? '' });
      else expect(outcome.code).toBe('BROKEN');
      if (acknowledged.length === 300) core.kill('SIGKILL');
    }
  };
  await Promise.all(Array.from({ length: 50 }, attempt));
  await core.exited;
  expect(acknowledged.length).toBeGreaterThanOrEqual(300);
  expect(acknowledged.length).toBeLessThan(1000);

  await core.restart();
  const log = await readChangeLog(core);
  expect(holeIn(log, 0)).toBeNull();
  const agents = new Map((await allAgents(core, 'default')).map((agent) => [agent.name, agent]));
  expect(acknowledged.filter(({ name, revision }) => agents.get(name)?.revision !== revision)).toEqual([]);
  expect(acknowledged.filter(({ name, revision }) => log[revision - 1]?.agent.name !== name)).toEqual([]);
  for (const { token } of acknowledged.slice(0, 10)) {
    expect(refusalCode(await call(core, 'registry.heartbeat', {}, { token }))).toBeNull();
  }

  await Promise.all(names.map(async (name) => accepted(await call(core, 'registry.register', registration(name)))));
  const whole = await readChangeLog(core);
  expect(whole).toHaveLength(1000);
  await waitFor(() => watchers.every(({ position }) => position >= 1000), {
    what: 'all watchers to resume',
    ...PATIENCE,
  });
  expect(watchers.map((watcher) => faultOf(watcher, {}, whole))).toEqual(watchers.map(() => null));
  for (const { ends } of watchers) expect(ends).toBeGreaterThan(0);
});

describe('a second core on the same data folder', () => {
  const second = () => spawnCore({ dataDir: core.dataDir, startTimeoutMs: 90_000 });

  /** How the start of a second core failed. */
  async function failureOf(start: Promise<SpawnedCore>): Promise<string> {
    const outcome = await start.catch((error: unknown) => error);
    if (outcome instanceof Error) return outcome.message;
    await (outcome as SpawnedCore).close();
    throw new Error('the second core has started');
  }

  test("ends with the holder's pid, and the first goes on, also after it was stopped for a while", async () => {
    const before = accepted(await call(core, 'registry.register', registration('before')));
    expect(await failureOf(second())).toMatch(
      new RegExp(`ended with 1 before it listened:\\n.*process ${core.pid} on .*\\n$`),
    );
    accepted(await call(core, 'registry.register', registration('between')));

    core.kill('SIGSTOP');
    expect(await failureOf(second())).toContain(`process ${core.pid} on `);
    core.kill('SIGCONT');

    accepted(await call(core, 'registry.register', registration('after')));
    expect(accepted(await call(core, 'registry.get', { name: 'before' }))).toMatchObject({ id: before.agent.id });
    expect(holeIn(await readChangeLog(core), 0)).toBeNull();
    await core.restart();
    const names = (await allAgents(core, 'default')).map(({ name }) => name);
    expect(names).toEqual(['after', 'before', 'between']);
  });

  test('starts once the first has ended within its patience', async () => {
    accepted(await call(core, 'registry.register', registration('kept')));
    const successor = second();
    core.kill('SIGKILL');
    const next = await successor;
    try {
      expect(accepted(await call(next, 'registry.get', { name: 'kept' })).name).toBe('kept');
    } finally {
      await next.close();
    }
  });
});

test('slow work in the database does not stop the event loop', async () => {
  const text = Array.from({ length: 300 }, (_, i) => `word${i * 7919}`).join(' ');
  const batchOf = (batch: number) =>
    Array.from({ length: 64 }, (_, i) => registration(`agent-${batch}-${i}`, { description: `${text} ${batch}` }));
  // Each of these waits for the others: the embedded database does one thing at a time.
  let isBusy = true;
  const began = performance.now();
  const work = Promise.all(
    Array.from({ length: 40 }, async (_, batch) => {
      await callBatch(core, 'registry.register', batchOf(batch));
      accepted(await call(core, 'registry.query', { text: 'word7919 word15838', limit: 1 }));
    }),
  ).finally(() => (isBusy = false));

  const latencies: number[] = [];
  while (isBusy) {
    const asked = performance.now();
    const answer = await send(core, { method: 'GET', path: '/healthz' });
    expect(answer).toMatchObject({ ok: true, status: 200 });
    latencies.push(performance.now() - asked);
  }
  await work;
  const workedMs = performance.now() - began;
  const sorted = latencies.toSorted((x, y) => x - y);
  const median = sorted[Math.floor(sorted.length / 2)] ?? Number.NaN;
  expect({ workedMs, count: sorted.length, median, longest: sorted.at(-1) }).toSatisfy(
    () => sorted.length > 20 && median < 100 && (sorted.at(-1) ?? 0) < workedMs / 3,
  );
});
