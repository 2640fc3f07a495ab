// Readiness while a store is slow to answer: one check serves every request that waits for it.
import Fastify from 'fastify';
import { expect, it } from 'vitest';
import { systemClock } from '@hypercode/clock';
import type { Core } from './context.ts';
import { healthSurface } from './health.ts';

it('requests for readiness that arrive together share one check of the stores, and a later one checks again', async () => {
  const app = Fastify();
  let asked = 0;
  let store = Promise.withResolvers<string | null>();
  const checks = { store: () => ((asked += 1), store.promise) };
  const core = { clock: systemClock, draining: new AbortController().signal } as Core;
  healthSurface(checks)(app, { core, onUpgrade: () => {} });
  const ready = () => app.inject({ url: '/readyz' });

  const first = [ready(), ready(), ready()];
  await app.inject({ url: '/healthz' });
  store.resolve('slow today');
  for (const answer of await Promise.all(first)) {
    expect(answer.statusCode).toBe(200);
    expect(answer.json()).toMatchObject({ checks: { store: 'ok' }, warnings: ['store: slow today'] });
  }
  expect(asked).toBe(1);

  store = Promise.withResolvers();
  const later = ready();
  await app.inject({ url: '/healthz' });
  store.reject(new Error('away'));
  expect((await later).statusCode).toBe(503);
  expect(asked).toBe(2);
  await app.close();
});
