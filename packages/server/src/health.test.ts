// Readiness while a store is slow to answer: asked once for all who want to know.
import Fastify from 'fastify';
import { expect, it } from 'vitest';
import { addHealthRoutes } from './health.ts';

it('asks the stores once for all who ask at a time, and again for who comes later', async () => {
  const app = Fastify();
  let asked = 0;
  let store = Promise.withResolvers<string | null>();
  const checks = { store: () => ((asked += 1), store.promise) };
  addHealthRoutes(app, checks, new AbortController().signal);
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
