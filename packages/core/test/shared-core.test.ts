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

test('calls of a file that checks for leaks leave none', async () => {
  const call = async () => {
    const answers = await Promise.all(Array.from({ length: 8 }, () => one.fetch('/v1/agents')));
    expect(answers.map(({ status }) => status)).toEqual(answers.map(() => 200));
    const gone = new AbortController();
    expect((await one.fetch('/v1/agents/watch', { signal: gone.signal })).status).toBe(200);
    gone.abort();
  };
  // From the first call on, the core follows the namespace, with timers of its own.
  await call();
  const leaks = trackLeaks();
  await call();
  await leaks.check(20_000);
});
