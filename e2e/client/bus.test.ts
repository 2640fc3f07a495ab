// Publishing, subscribing and consuming by clients whose core is killed and comes back.
import { createSwarmClient, type SwarmClient } from '@hypercode/client';
import { type SpawnedCore, waitFor } from '@hypercode/testkit';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { follow } from '../../packages/client/test/following.ts';
import { killAndRestart } from '../fixtures/kill-and-restart.ts';
import { spawnCore } from '../fixtures/spawn-core.ts';

let core: SpawnedCore;
let client: SwarmClient;

beforeAll(async () => {
  core = await spawnCore({ env: { SWARM_RATE_PUBLISH: '0', SWARM_RATE_PUBLISH_BYTES: '0' } });
  client = createSwarmClient({ url: core.url, token: core.adminToken });
});
afterAll(async () => {
  await client?.close();
  await core?.close();
});

const range = (length: number): number[] => Array.from({ length }, (_, index) => index);

test('publishing outlives a core that is killed, and doubles nothing', async () => {
  const { data, stop } = await follow(client, ['a']);
  let acknowledged = 0;
  const publishing = Promise.all(
    range(8).map(async (publisher) => {
      for (const number of range(60)) {
        await client.publish('a', publisher * 1_000 + number);
        acknowledged += 1;
      }
    }),
  );
  await waitFor(() => acknowledged > 100, { what: 'a hundred events' });
  await killAndRestart(core);
  await publishing;
  await waitFor(() => data().length >= 480, { what: 'all events', timeoutMs: 60_000 });
  expect(data()).toHaveLength(480);
  expect(new Set(data()).size).toBe(480);
  // What each publisher awaited is in its order.
  for (const publisher of range(8)) {
    const own = data().filter((value) => Math.floor(Number(value) / 1_000) === publisher);
    expect(own).toEqual(range(60).map((number) => publisher * 1_000 + number));
  }
  await stop();
});

test('a consumer group goes on after its core was killed', async () => {
  const handled: unknown[] = [];
  const consumer = client.consume({ group: 'g', topics: ['job'], from: 'earliest' }, ({ data }) => {
    handled.push(data);
  });
  await client.publish('job', 1);
  await waitFor(() => handled.length === 1, { what: 'the first event' });
  await killAndRestart(core);
  await client.publish('job', 2);
  await waitFor(() => handled.includes(2), { what: 'the second event', timeoutMs: 60_000 });
  await consumer.stop();
});
