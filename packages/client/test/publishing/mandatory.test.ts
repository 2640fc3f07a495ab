// Mandatory events of the client on a real core: a refusal comes at once, and holds up no other event.
import { sharedCore, START_TIMEOUT_MS, type TestCore } from '@hypercode/core-runtime/testing';
import { beforeAll, expect, onTestFinished, test } from 'vitest';
import { createSwarmClient, SwarmError } from '../../src/index.ts';

let core: TestCore;
beforeAll(async () => {
  core = await sharedCore();
}, START_TIMEOUT_MS);

test('a mandatory event without a receiver rejects with UNROUTABLE, and the events beside it are published', async () => {
  const client = createSwarmClient({ url: core.url, token: core.adminToken, namespace: core.namespace });
  onTestFinished(() => client.close());
  const answers = await Promise.allSettled([
    client.publish('build.started', 1),
    client.publish('build.lost', 2, { mandatory: true }),
    client.publish('build.finished', 3),
  ]);
  const codes = answers.map((answer) =>
    answer.status === 'fulfilled' ? answer.value.duplicate : SwarmError.from(answer.reason).code,
  );
  expect(codes).toEqual([false, 'UNROUTABLE', false]);
  const { events } = await client.bus.read({ topics: ['build.>'] });
  expect(events.map(({ event }) => event.data)).toEqual([1, 3]);

  const { because, similar } = await client.bus.preview({ topic: 'build.finishd' });
  expect(similar).toEqual(['build.finished']);
  expect(because).toContain('did you mean "build.finished"?');
  const { id } = await client.publish('build.tested', 4, { causationId: events[0]?.event.id });
  const trace = await client.bus.trace({ id });
  expect(trace.causes.map(({ event }) => event.id)).toEqual([events[0]?.event.id]);
});
