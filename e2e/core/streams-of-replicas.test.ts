// Streams of one core as another sees them: in traces, and as receivers of mandatory events. On PostgreSQL and Redis.
import { connectAgent, createSwarmClient, SwarmError } from '@hypercode/client';
import { freshDatabase, startRedis, waitFor } from '@hypercode/testkit';
import { expect, onTestFinished, test } from 'vitest';
import { spawnCore } from '../fixtures/spawn-core.ts';

const ADMIN = 'the-same-admin-token-on-both';
/** A report comes every five seconds, and an answer is given again for one. */
const REPORTED = { timeoutMs: 30_000 };

test('a stream on one core is known to the other, and no longer when it has ended', { timeout: 120_000 }, async () => {
  const redis = await startRedis();
  onTestFinished(() => redis.close());
  const env = { DATABASE_URL: await freshDatabase(), REDIS_URL: redis.url, SWARM_ADMIN_TOKEN: ADMIN };
  const [one, two] = await Promise.all([spawnCore({ env }), spawnCore({ env })]);
  onTestFinished(async () => {
    await Promise.all([one.close(), two.close()]);
  });
  const operator = createSwarmClient({ url: one.url, token: ADMIN });
  onTestFinished(() => operator.close());
  const agent = await connectAgent({ url: two.url, token: ADMIN, name: 'ada', role: 'worker', version: '1.0.0' });
  onTestFinished(() => agent.stop());

  const mandatory = () =>
    operator.publish('task.ada.note', 1, { mandatory: true }).then(
      ({ id }) => id,
      (error: unknown) => SwarmError.from(error).code,
    );
  expect(await mandatory()).toBe('UNROUTABLE');
  const listener = agent.client.on('task.ada.>', () => undefined);
  const id = await waitFor(
    async () => {
      const answer = await mandatory();
      return answer === 'UNROUTABLE' ? null : answer;
    },
    { what: 'the stream to be reported', ...REPORTED },
  );

  const trace = await waitFor(
    async () => {
      const found = await operator.bus.trace({ id });
      return found.streams.list.some(({ state }) => state === 'passed') ? found : null;
    },
    { what: 'the cursor to be reported', ...REPORTED },
  );
  const { replicas } = await operator.cluster.status();
  const [stream] = trace.streams.list;
  expect(stream).toMatchObject({ caller: '/agents/default/ada', topics: ['task.ada.>'] });
  expect(replicas.map((replica) => replica.id)).toContain(stream?.replica);
  expect(Date.parse(trace.streams.asOf)).toBeLessThan(Date.now() + 5000);

  listener.stop();
  await waitFor(async () => (await mandatory()) === 'UNROUTABLE', { what: 'the stream to be gone', ...REPORTED });
});
