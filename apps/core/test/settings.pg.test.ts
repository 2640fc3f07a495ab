// Variables of the environment reach what they set. Those whose effect other tests need are tested there.
import { PublishManyResult } from '@hypercode/contracts';
import {
  accepted,
  call,
  HealthEndpoint,
  registration,
  send,
  START_TIMEOUT_MS,
  startTestCore,
  type TestCore,
} from '@hypercode/core-runtime/testing';
import { freshDatabase, waitFor } from '@hypercode/testkit';
import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { parseConfig } from '../src/config/parse-config.ts';

const ORIGIN = 'https://dashboard.example.com';

let core: TestCore;
beforeAll(async () => {
  const config = parseConfig({
    DATABASE_URL: await freshDatabase(),
    SWARM_PORT: '0',
    SWARM_ADMIN_TOKEN: 'an-admin-token-of-the-test',
    SWARM_LEASE_MS: '60000',
    SWARM_PROBE_ALLOW: '127.0.0.0/8',
    SWARM_PROBE_INTERVAL_MS: '60000',
    SWARM_PROBE_TIMEOUT_MS: '123',
    SWARM_CIRCUIT_THRESHOLD: '0',
    SWARM_DEDUP_WINDOW_MS: '500',
    SWARM_EVENTS_MAX: '1001',
    SWARM_EVENTS_MAX_BYTES: '1000002',
    SWARM_EVENTS_MAX_AGE_MS: '3600003',
    SWARM_RATE_REGISTER: '0',
    SWARM_RATE_PUBLISH: '50',
    SWARM_RATE_PUBLISH_BYTES: '0',
    SWARM_CORS_ORIGINS: ORIGIN,
  });
  core = await startTestCore(config);
}, START_TIMEOUT_MS);
afterAll(() => core?.close());

const publish = (input: object) => call(core, 'bus.publish', { topic: 'work.done', data: null, ...input });

test('of leases', async () => {
  const { token = '' } = accepted(await call(core, 'registry.register', registration('beating')));
  const answer = await send(core, { method: 'POST', path: '/v1/agents/beating/heartbeat', token, body: '{}' });
  expect(answer).toMatchObject({ ok: true, status: 200, body: expect.stringContaining('"leaseMs":60000') });
});

test('of probes and circuits: one probe without an answer opens a circuit that takes no failure', async () => {
  const there = await HealthEndpoint.open();
  there.holding = true;
  try {
    accepted(await call(core, 'registry.register', registration('silent', { healthUrl: there.urlOf('silent') })));
    const { status } = await waitFor(
      async () => {
        const agent = accepted(await call(core, 'registry.get', { name: 'silent' }));
        return agent.status.circuit === 'open' ? agent : null;
      },
      { what: 'the circuit to open', timeoutMs: 30_000 },
    );
    expect(status).toMatchObject({ consecutiveFailures: 1, reason: expect.stringContaining('within 123 ms') });
    expect(there.probesOf('silent')).toHaveLength(1);
  } finally {
    await there.close();
  }
});

test('of events: retention and deduplication', async () => {
  const topics = await send(core, { method: 'GET', path: '/v1/topics', token: core.adminToken });
  if (!topics.ok) throw new Error(topics.message);
  expect(JSON.parse(topics.body)).toMatchObject({
    log: { retention: { maxEvents: 1001, maxBytes: 1_000_002, maxAgeMs: 3_600_003 } },
  });
  const id = randomUUID();
  accepted(await publish({ id }));
  await waitFor(async () => !accepted(await publish({ id })).duplicate, { what: 'the window to end', intervalMs: 100 });
});

test('of rates', async () => {
  const events = Array.from({ length: 1000 }, (_, data) => ({ topic: 'work.many', data }));
  const body = JSON.stringify(events);
  const answer = await send(core, { method: 'POST', path: '/v1/events', token: core.adminToken, body });
  if (!answer.ok) throw new Error(answer.message);
  const { results } = PublishManyResult.parse(JSON.parse(answer.body));
  expect(results.at(-1)).toMatchObject({ error: { code: 'RATE_LIMITED' } });
  expect(results.some((result) => 'position' in result)).toBe(true);
});

test('of browsers', async () => {
  const answer = await fetch(`${core.url}/healthz`, { headers: { origin: ORIGIN } });
  expect(answer.headers.get('access-control-allow-origin')).toBe(ORIGIN);
});
