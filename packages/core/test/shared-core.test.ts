// The core that test files share: each has a namespace of its own in it.
import { trackLeaks } from '@hypercode/testkit';
import { beforeAll, expect, test } from 'vitest';
import { sharedCore, START_TIMEOUT_MS, type TestCore } from '../testing/core.ts';

let one: TestCore;
let other: TestCore;
beforeAll(async () => {
  [one, other] = [await sharedCore(), await sharedCore()];
}, START_TIMEOUT_MS);

const REGISTRATION = { name: 'ada', role: 'coder', version: '1.0.0' };

test('an agent that one file registers is not there for another', async () => {
  expect(one.url).toBe(other.url);
  expect((await one.fetch('/v1/agents', { method: 'POST', json: REGISTRATION })).status).toBe(201);
  expect((await one.fetch('/v1/agents/ada')).status).toBe(200);
  expect((await other.fetch('/v1/agents/ada')).status).toBe(404);
});

test("a file's join token registers in its namespace, and in no other", async () => {
  const register = (core: TestCore, token: string) =>
    core.fetch('/v1/agents', { method: 'POST', json: { ...REGISTRATION, name: 'bob' }, token });
  expect((await register(one, other.joinToken)).status).toBe(403);
  expect((await register(one, one.joinToken)).status).toBe(201);
});

test('a leak check that begins after the shared core has started finds nothing of it', async () => {
  const leaks = trackLeaks();
  const answers = await Promise.all(Array.from({ length: 8 }, () => one.fetch('/v1/agents')));
  for (const answer of answers) expect((await answer.json()) as object).toMatchObject({ revision: expect.any(Number) });
  const watch = new AbortController();
  const stream = await one.fetch('/v1/agents/watch', { signal: watch.signal });
  expect(stream.status).toBe(200);
  watch.abort();
  await leaks.check();
});
