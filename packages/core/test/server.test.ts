// How the server ends, and whose pages it answers.
import { once } from 'node:events';
import { connect } from 'node:net';
import { expect, test } from 'vitest';
import { START_TIMEOUT_MS, startTestCore } from '../testing/core.ts';

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

test(
  'pages of an origin that is allowed may call everything, others nothing',
  { timeout: START_TIMEOUT_MS },
  async () => {
    const page = 'https://dashboard.example.com';
    const core = await startTestCore({ corsOrigins: [page] });
    const asks = (origin: string, method: string, path: string) =>
      core.fetch(path, {
        method: 'OPTIONS',
        token: null,
        headers: {
          origin,
          'access-control-request-method': method,
          'access-control-request-headers': 'authorization,content-type',
        },
      });
    const calls: [string, string][] = [
      ['POST', '/trpc/bus.publish'],
      ['PATCH', '/v1/agents/a'],
      ['PUT', '/v1/policy'],
      ['DELETE', '/v1/tokens/a'],
    ];
    for (const [method, path] of calls) {
      const { headers } = await asks(page, method, path);
      expect(headers.get('access-control-allow-origin')).toBe(page);
      expect(headers.get('access-control-allow-methods')?.split(/, */)).toContain(method);
      expect(headers.get('access-control-allow-headers')).toContain('authorization');
      expect(
        (await asks('https://elsewhere.example.com', method, path)).headers.has('access-control-allow-origin'),
      ).toBe(false);
    }
    for (const path of [
      '/v1/agents',
      '/v1/agents/watch',
      '/trpc/registry.watch',
      '/trpc/registry.query',
      '/v1/agents/no',
    ]) {
      const gone = new AbortController();
      const { headers } = await core.fetch(path, { headers: { origin: page }, signal: gone.signal });
      expect(headers.get('access-control-allow-origin')).toBe(page);
      gone.abort();
    }
    await core.close();
  },
);
