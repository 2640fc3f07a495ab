// The overview against a whole core.
import { sharedCore, START_TIMEOUT_MS, type TestCore } from '@hypercode/core-runtime/testing';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { createSwarmClient, type SwarmClient } from '../../src/index.ts';

let core: TestCore;
let admin: SwarmClient;

beforeAll(async () => {
  core = await sharedCore();
  admin = createSwarmClient({ url: core.url, token: core.adminToken, namespace: `${core.namespace}-overview` });
}, START_TIMEOUT_MS);

afterAll(async () => {
  await admin?.close();
});

test('the overview is the whole state at first, and again after a group was made and paused', async () => {
  const states = admin.overview();
  const first = await states.next();
  expect(first.value?.groups).toEqual([]);
  expect(first.value?.cluster.stores.database.ok).toBe(true);
  await admin.bus.claim({ group: 'readers', topics: ['work.>'] });
  await admin.groups.pause({ group: 'readers' });
  for await (const { groups, namespace } of states) {
    if (groups[0]?.paused == null) continue;
    expect(groups[0]).toMatchObject({ group: 'readers', topics: ['work.>'] });
    expect(namespace.groups).toBe(1);
    break;
  }
});
