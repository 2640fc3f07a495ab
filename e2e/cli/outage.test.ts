// A core that is killed in the middle of a command that goes on: it says so, waits, and loses nothing.
import { createSwarmClient, type SwarmClient } from '@hypercode/client';
import { type SpawnedCore, waitFor } from '@hypercode/testkit';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { killAndRestart } from '../fixtures/kill-and-restart.ts';
import { spawnCore } from '../fixtures/spawn-core.ts';
import { startSwarm, swarm } from './swarm-process.ts';

let core: SpawnedCore;
let client: SwarmClient;
let env: Record<string, string>;

beforeAll(async () => {
  core = await spawnCore();
  client = createSwarmClient({ url: core.url, token: core.adminToken });
  env = { SWARM_URL: core.url, SWARM_TOKEN: core.adminToken };
});
afterAll(async () => {
  await client.close();
  await core.close();
});

test('the tail goes on after its position when the core has died and is back', async () => {
  const child = startSwarm(['events', 'tail', '--follow', '--last', '0', '--json', 'numbers.*'], env);
  let stdout = '';
  let stderr = '';
  child.stdout?.on('data', (chunk: Buffer) => (stdout += chunk.toString()));
  child.stderr?.on('data', (chunk: Buffer) => (stderr += chunk.toString()));
  const numbers = (): number[] =>
    stdout
      .split('\n')
      .slice(0, -1)
      .map((line) => (JSON.parse(line) as { event: { data: number } }).event.data);
  // The tail is attached when an event has come.
  let next = 0;
  await waitFor(
    async () => {
      await client.publish('numbers.counted', (next += 1));
      return numbers().length > 0;
    },
    { what: 'the tail to attach', timeoutMs: 30_000, intervalMs: 200 },
  );
  const first = numbers()[0] ?? 0;
  for (let deaths = 1; deaths <= 2; deaths += 1) {
    const publishing = (async () => {
      for (let count = 0; count < 50; count += 1) await client.publish('numbers.counted', (next += 1));
    })();
    await killAndRestart(core);
    await publishing;
    await waitFor(() => numbers().at(-1) === next, { what: `the last event after death ${deaths}`, timeoutMs: 60_000 });
  }
  expect(numbers()).toEqual(Array.from({ length: next - first + 1 }, (_, index) => first + index));
  expect(stderr).toContain('waiting for the core');
  expect(stderr).toContain('the core answers again; going on after');
  child.kill('SIGINT');
  expect(await new Promise((resolve) => child.on('close', resolve))).toBe(130);
});

test('without a core at the beginning, nothing waits', async () => {
  const nowhere = { ...env, SWARM_URL: 'http://127.0.0.1:1' };
  for (const words of [
    ['events', 'tail', '-f'],
    ['events', 'req', 'a.b'],
    ['plans', 'watch', '0190f1d2-0000-7000-8000-000000000001'],
  ]) {
    const end = await swarm(words, nowhere);
    expect(end).toMatchObject({ code: 3, stdout: '' });
    expect(end.stderr).toContain('http://127.0.0.1:1');
  }
});
