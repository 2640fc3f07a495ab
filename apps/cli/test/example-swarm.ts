// A core in which every example of the command line has what it names: agents, groups, dead letters, tokens, files.
import { createSwarmClient, type SwarmClient } from '@hypercode/client';
import { startTestCore, type TestCore } from '@hypercode/core-runtime/testing';
import { waitFor } from '@hypercode/testkit';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

export interface ExampleSwarm {
  readonly core: TestCore;
  readonly client: SwarmClient;
  /** With the files that examples name. */
  readonly folder: string;
  close(): Promise<void>;
}

/** The goal that examples cancel, follow and so on. */
const GOAL_ID = '00000000-0000-4000-8000-000000000001';

/** The question that examples answer. */
const QUESTION_ID = '00000000-0000-4000-8000-000000000002';

export async function startExampleSwarm(): Promise<ExampleSwarm> {
  const core = await startTestCore({ bookmarkIntervalMs: 200 });
  const client = createSwarmClient({ url: core.url, token: core.adminToken, logger: false });
  const folder = await mkdtemp(join(tmpdir(), 'swarm-examples-'));
  let token = '';
  for (const name of ['ada', 'mallory']) {
    const joined = await client.registry.register({ name, role: 'worker', version: '1.0.0', labels: { team: 'a' } });
    if (name === 'ada') token = joined.token ?? '';
  }
  const policy = await client.policy.get({});
  const wider = {
    ...policy,
    roles: { ...policy.roles, worker: { ...policy.default, publish: ['orders.>', 'question.{name}.asked'] } },
  };
  const { effect: _, ...put } = await client.policy.put({ policy: wider });
  const files = {
    'policy.json': { ...put, roles: { ...put.roles, reviewer: put.default } },
    'agent.json': { name: 'linus', role: 'worker', version: '1.0.0' },
    'goal.json': { title: 'Translate the notes', steps: [{ id: 'read', title: 'Read them', capability: 'read' }] },
    'events.jsonl': { topic: 'notes.written', data: { lines: 3 } },
  };
  for (const [name, content] of Object.entries(files)) {
    await writeFile(join(folder, name), JSON.stringify(content));
  }
  await writeFile(join(folder, 'admin.token'), `${core.adminToken}\n`);
  for (const group of ['orders', 'trial']) {
    await client.bus.claim({ group, topics: ['orders.>'], maxDeliveries: 1, waitMs: 0 });
  }
  await deadLetter(client, 'orders');
  const ada = createSwarmClient({ url: core.url, token, logger: false });
  const options = [{ id: 'yes', label: 'Yes' }];
  await ada.publish('question.ada.asked', { questionId: QUESTION_ID, text: 'Deploy?', options });
  await ada.close();
  await waitFor(async () => (await client.questions.list({})).questions[0], { what: 'the question of an example' });
  await client.goals.submit({ goalId: GOAL_ID, title: 'Release notes' });
  return {
    core,
    client,
    folder,
    async close() {
      await client.close();
      await core.close();
      await rm(folder, { recursive: true });
    },
  };
}

/** Publishes an event, and lets its only attempt fail in the group. */
export async function deadLetter(client: SwarmClient, group: string, reason = 'no paper'): Promise<void> {
  await client.bus.publish({ topic: 'orders.created', data: { total: 42 } });
  const { deliveries } = await client.bus.claim({ group, waitMs: 5_000 });
  await client.bus.nack({ group, deliveryIds: deliveries.map(({ deliveryId }) => deliveryId), reason });
}
