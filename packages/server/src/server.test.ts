// How the server ends: whatever clients hold open, it does not wait for them for ever.
import { once } from 'node:events';
import { connect } from 'node:net';
import { expect, test } from 'vitest';
import { START_TIMEOUT_MS, startTestCore } from './test-core.ts';

test('closing ends streams, and connections that never asked for anything', { timeout: START_TIMEOUT_MS }, async () => {
  const core = await startTestCore();
  const silent = connect(core.port, '127.0.0.1');
  await once(silent, 'connect');
  const stream = await core.fetch('/trpc/registry.watch');
  const idle = await core.fetch('/healthz');
  expect(idle.status).toBe(200);
  const text = stream.text();
  const ended = once(silent, 'close');

  const startedAt = performance.now();
  await core.close();
  await ended;
  expect(await text).not.toContain('event: return');
  // Far below what Node would wait for a silent connection, far above what closing takes.
  expect(performance.now() - startedAt).toBeLessThan(30_000);
});
