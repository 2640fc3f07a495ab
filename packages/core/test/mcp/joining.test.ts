// Agents that join by MCP: bound to the token that made them, on every replica, until they leave.
import { RegisterResult } from '@hypercode/contracts';
import { waitFor } from '@hypercode/testkit';
import { randomUUID } from 'node:crypto';
import { beforeAll, expect, test } from 'vitest';
import { sharedCore, START_TIMEOUT_MS, type TestCore } from '../../testing/core.ts';
import { connectMcp } from './mcp-client.ts';

let core: TestCore;

beforeAll(async () => {
  core = await sharedCore();
}, START_TIMEOUT_MS);

const joinToken = async (fields: { roles?: string[]; names?: string[] } = {}): Promise<{ id: string; token: string }> =>
  core.registry.tokens.create(
    { namespace: core.namespace, kind: 'join', name: `join-${randomUUID()}`, roles: '*', ...fields },
    { name: 'test' },
  );

const registered = async (token: string, fields: object): Promise<RegisterResult> => {
  const json = { role: 'worker', version: '1.0.0', ...fields };
  return RegisterResult.parse(await (await core.fetch('/v1/agents', { method: 'POST', token, json })).json());
};

const codeOf = ({ data }: { data: { error?: { code: string } } }): string | undefined => data.error?.code;

test('an agent that joins acts in its own name, with a lease that fits it, and no answer has a token', async () => {
  const { call } = await connectMcp(core, core.joinToken);
  expect(codeOf(await call('publish', { topic: 'a', data: 1, as: 'guest' }))).toBe('FORBIDDEN');
  const joined = await call('join', { name: 'guest', role: 'worker', capabilities: ['code.write'] });
  expect(joined).toMatchObject({
    isError: false,
    data: { outcome: 'created', leaseMs: 900_000, untrusted: { as: 'guest', role: 'worker' } },
  });
  expect(JSON.stringify(joined)).not.toContain('"token"');
  const topic = 'agent.guest.inbox.note';
  const { data } = await call('publish', { topic, data: 1, as: 'guest' });
  expect(await call('read_events', { at: data.position, as: 'guest' })).toMatchObject({
    data: { untrusted: { events: [{ event: { source: `/agents/${core.namespace}/guest` } }] } },
  });
  expect(await call('whoami', { as: 'guest' })).toMatchObject({
    data: { kind: 'agent', untrusted: { agent: 'guest' } },
  });
  expect(await call('join', { name: 'guest', role: 'worker', capabilities: ['code.write'] })).toMatchObject({
    data: { outcome: 'unchanged' },
  });
});

test('a call without a name, and one in the name of an agent of another token, are refused with what to do', async () => {
  const [one, other] = await Promise.all([joinToken(), joinToken()]);
  const [first, second] = [await connectMcp(core, one.token), await connectMcp(core, other.token)];
  await first.call('join', { name: 'mine', role: 'worker' });
  for (const args of [{}, { as: 'mine' }, { as: 'nobody' }]) {
    const refused = await second.call('find_agents', args);
    expect(codeOf(refused)).toBe('FORBIDDEN');
    expect(refused.text).toContain('call `join` first');
  }
  const taken = await second.call('join', { name: 'mine', role: 'worker' });
  expect(codeOf(taken)).toBe('FORBIDDEN');
  expect(taken.text).toContain('Choose another name');
  const own = await registered(one.token, { name: 'with-token' });
  const agent = await connectMcp(core, own.token ?? '');
  expect(codeOf(await agent.call('whoami', { as: 'mine' }))).toBe('FORBIDDEN');
  expect(await agent.call('whoami', { as: 'with-token' })).toMatchObject({ isError: false });
});

test('a token that is limited joins within its limits alone', async () => {
  const { token } = await joinToken({ roles: ['worker'], names: ['ci-*'] });
  const { call } = await connectMcp(core, token);
  expect(codeOf(await call('join', { name: 'ci-1', role: 'coder' }))).toBe('FORBIDDEN');
  expect(codeOf(await call('join', { name: 'other', role: 'worker' }))).toBe('FORBIDDEN');
  expect(await call('join', { name: 'ci-1', role: 'worker' })).toMatchObject({ data: { outcome: 'created' } });
});

test('an agent that leaves acts no more, and can join again', async () => {
  const { call } = await connectMcp(core, core.joinToken);
  await call('join', { name: 'leaver', role: 'worker' });
  expect(await call('leave', { as: 'leaver', reason: 'done' })).toMatchObject({ isError: false });
  expect(codeOf(await call('whoami', { as: 'leaver' }))).toBe('FORBIDDEN');
  expect(await call('join', { name: 'leaver', role: 'coder' })).toMatchObject({ data: { outcome: 'created' } });
  expect(await call('whoami', { as: 'leaver' })).toMatchObject({ data: { untrusted: { role: 'coder' } } });
});

test('a process that takes the name over fences the agent that joined, and one that has the name cannot be joined', async () => {
  const { token } = await joinToken();
  const { call } = await connectMcp(core, token);
  await call('join', { name: 'both', role: 'worker' });
  await call('whoami', { as: 'both' });
  await registered(token, { name: 'both', incarnation: randomUUID() });
  expect(codeOf(await call('whoami', { as: 'both' }))).toBe('FENCED');
  const refused = await call('join', { name: 'both', role: 'worker' });
  expect(codeOf(refused)).toBe('FENCED');
  expect(refused.text).toContain('Join under another name');
  await core.fetch('/v1/agents/both', { method: 'DELETE' });
  expect(await call('join', { name: 'both', role: 'worker' })).toMatchObject({ data: { outcome: 'created' } });
  expect(await call('whoami', { as: 'both' })).toMatchObject({ isError: false });
});

test('with its token revoked, an agent ends at once, in the middle of a wait too', async () => {
  const { id, token } = await joinToken();
  const { call } = await connectMcp(core, token);
  await call('join', { name: 'revoked', role: 'worker' });
  const waiting = call('wait_for_events', { as: 'revoked', topics: ['agent.revoked.inbox.>'], waitMs: 25_000 });
  waiting.catch(() => undefined);
  await waitFor(() => core.openStreams() === 1, { what: 'the wait' });
  await core.fetch(`/v1/tokens/${id}`, { method: 'DELETE' });
  expect(codeOf(await waiting)).toBe('UNAUTHENTICATED');
  await expect(call('whoami', { as: 'revoked' })).rejects.toThrow();
});
