// Calls as signs of life, on every transport: a call counts when it begins, granted or refused, and a stream counts once.
import { Agent, RegisterResult } from '@hypercode/contracts';
import type { AppRouter } from '@hypercode/server';
import { createTRPCClient, createWSClient, wsLink } from '@trpc/client';
import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, expect, onTestFinished, test, vi } from 'vitest';
import { WebSocket } from 'ws';
import { START_TIMEOUT_MS, startTestCore, type TestCore } from '../testing/core.ts';

let core: TestCore;

beforeAll(async () => {
  // Signs of life are written ten times a second.
  core = await startTestCore({ leaseMs: 600, ratePublish: 1 });
}, START_TIMEOUT_MS);
afterAll(() => core.close());

/** A topic to which every worker may publish. */
const ALLOWED = 'agent.eve.inbox.note';

interface Joined {
  readonly name: string;
  readonly token: string;
}

/** An agent whose lease outlives the test, so that nothing but its calls moves the time when it was last seen. */
async function join(fields: object = {}): Promise<Joined> {
  const name = `ada-${randomUUID().slice(0, 8)}`;
  const json = { name, role: 'worker', version: '1.0.0', leaseMs: 600_000, ...fields };
  const answer = await core.fetch('/v1/agents', { method: 'POST', token: core.joinToken, json });
  return { name, token: RegisterResult.parse(await answer.json()).token ?? '' };
}

const statusOf = async (name: string): Promise<Agent['status']> =>
  Agent.parse(await (await core.fetch(`/v1/agents/${name}`)).json()).status;
const seenAt = async (name: string): Promise<number> => Date.parse((await statusOf(name)).lastSeenAt ?? '');

/** Waits until the agent was seen again. */
async function isSeenAgain(name: string, call: () => Promise<unknown>): Promise<void> {
  const before = await seenAt(name);
  await vi.waitFor(async () => expect(await call().then(() => seenAt(name))).toBeGreaterThan(before), 5000);
}

const statusAfter = async (path: string, options: Parameters<TestCore['fetch']>[1]): Promise<number> => {
  const answer = await core.fetch(path, options);
  await answer.body?.cancel();
  return answer.status;
};
const publish = ({ token }: Joined, topic: string) =>
  statusAfter('/v1/events', { method: 'POST', token, json: { topic, data: null } });

test.each<[string, (agent: Joined) => Promise<number>, number]>([
  ['a heartbeat', ({ name, token }) => statusAfter(`/v1/agents/${name}/heartbeat`, { method: 'POST', token }), 200],
  ['a read', ({ token }) => statusAfter('/v1/whoami', { token }), 200],
  ['a read of what is not there', ({ token }) => statusAfter('/v1/agents/nobody', { token }), 404],
  ['an input that is not valid', ({ token }) => statusAfter('/v1/agents?limit=0', { token }), 400],
  ['a publish', (agent) => publish(agent, ALLOWED), 200],
  ['a publish that the policy denies', (agent) => publish(agent, 'plan.created'), 403],
  ['a call that is not for agents', ({ token }) => statusAfter('/v1/tokens', { token }), 403],
  ['a call of tRPC', ({ token }) => statusAfter('/trpc/whoami', { token }), 200],
  ['a watch', ({ token }) => statusAfter('/v1/agents/watch', { token }), 200],
  ['a subscription of tRPC', ({ token }) => statusAfter('/trpc/registry.watch', { token }), 200],
])('%s is a sign of life', async (_, call, expected) => {
  const agent = await join();
  const statuses: number[] = [];
  await isSeenAgain(agent.name, async () => {
    if (statuses.length === 0) statuses.push(await call(agent));
  });
  expect(statuses).toEqual([expected]);
  await vi.waitFor(async () => expect(await statusOf(agent.name)).toMatchObject({ health: 'healthy' }), 5000);
});

test('a publish that is refused by a rate, or by an open circuit, is a sign of life', async () => {
  const agent = await join();
  await vi.waitFor(async () => expect(await publish(agent, ALLOWED)).toBe(429), 5000);
  await isSeenAgain(agent.name, () => publish(agent, ALLOWED));
  await core.registry.circuits.trip({ namespace: 'default', name: agent.name });
  await isSeenAgain(agent.name, async () => expect(await publish(agent, ALLOWED)).toBe(503));
});

test('each call over a WebSocket is a sign of life, and so is its opening', async () => {
  const agent = await join();
  const socket = createWSClient({
    url: `${core.url.replace('http', 'ws')}/trpc`,
    WebSocket: WebSocket as never,
    connectionParams: { token: agent.token },
  });
  onTestFinished(() => socket.close());
  const client = createTRPCClient<AppRouter>({ links: [wsLink({ client: socket })] });
  await isSeenAgain(agent.name, () => client.whoami.query());
  await isSeenAgain(agent.name, () => client.whoami.query());
});

test('an open stream counts once, at its beginning', async () => {
  const [silent, calling] = [await join(), await join()];
  const ending = new AbortController();
  onTestFinished(() => ending.abort());
  const before = await seenAt(silent.name);
  const { status } = await core.fetch('/v1/agents/watch', { token: silent.token, signal: ending.signal });
  expect(status).toBe(200);
  await vi.waitFor(async () => expect(await seenAt(silent.name)).toBeGreaterThan(before), 5000);
  const nextBatch = () => isSeenAgain(calling.name, () => core.fetch('/v1/whoami', { token: calling.token }));
  // What was seen before that call is written with it, or before.
  await nextBatch();
  const opened = await seenAt(silent.name);
  // Batches are written after it, and the watch is sent the changes of the other agent.
  for (let batch = 0; batch < 3; batch += 1) await nextBatch();
  expect(await seenAt(silent.name)).toBe(opened);
});

test('a call with a token that is refused is no sign of life', async () => {
  const former = await join({ incarnation: randomUUID() });
  const json = { name: former.name, role: 'worker', version: '1.0.0', leaseMs: 600_000, incarnation: randomUUID() };
  await core.fetch('/v1/agents', { method: 'POST', token: core.joinToken, json });
  const before = await statusOf(former.name);
  const other = await join();
  for (let call = 0; call < 3; call += 1) {
    expect(await statusAfter('/v1/whoami', { token: former.token })).toBe(409);
    await isSeenAgain(other.name, () => core.fetch('/v1/whoami', { token: other.token }));
  }
  expect(await statusOf(former.name)).toEqual(before);
});
