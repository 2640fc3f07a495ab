// Agents that wait cost PostgreSQL nothing: they read from the memory of the core, and from the log in Redis when they begin.
import { RegisterResult } from '@hypercode/contracts';
import { freshDatabase, startRedis } from '@hypercode/testkit';
import pg from 'pg';
import { expect, onTestFinished, test, vi } from 'vitest';
import { startTestCore } from '../../testing/core.ts';
import { connectMcp } from './mcp-client.ts';

/** As many calls as one agent may have in flight, but for one. */
const WAITS = 60;
/** What works in the background meanwhile: the core polls its logs each second. */
const MOST_STATEMENTS = WAITS / 2;

test(`${WAITS} waits begin, last and end without a statement of their own`, async () => {
  const [databaseUrl, redis] = await Promise.all([freshDatabase(), startRedis()]);
  onTestFinished(() => redis.close());
  const core = await startTestCore({ databaseUrl, redisUrl: redis.url, adminToken: 'the-admin-token' });
  onTestFinished(() => core.close());
  const json = { name: 'waiter', role: 'worker', version: '1.0.0' };
  const { token } = RegisterResult.parse(await (await core.fetch('/v1/agents', { method: 'POST', json })).json());
  const { call } = await connectMcp(core, token ?? '');
  const topics = ['agent.waiter.inbox.>'];
  // The token is known, and the log is followed.
  await call('wait_for_events', { topics, waitMs: 0 });
  const statements = vi.spyOn(pg.Client.prototype, 'query');
  onTestFinished(() => statements.mockRestore());
  const waiting = Array.from({ length: WAITS }, () => call('wait_for_events', { topics, waitMs: 25_000 }));
  await vi.waitFor(() => expect(core.openStreams()).toBe(WAITS), { timeout: 20_000 });
  await call('publish', { topic: 'agent.waiter.inbox.note', data: 1 });
  const answers = await Promise.all(waiting);
  expect(answers.map(({ data }) => data.count)).toEqual(answers.map(() => 1));
  expect(statements.mock.calls.length).toBeLessThan(MOST_STATEMENTS);
});
