// The tools of MCP with the official client, in both eras of the protocol.
import { RegisterResult } from '@hypercode/contracts';
import { beforeAll, describe, expect, test } from 'vitest';
import { sharedCore, START_TIMEOUT_MS, type TestCore } from '../../testing/core.ts';
import { connectMcp, ERAS } from './mcp-client.ts';

let core: TestCore;

beforeAll(async () => {
  core = await sharedCore();
}, START_TIMEOUT_MS);

async function agentToken(name: string, fields: object = {}): Promise<string> {
  const json = { name, role: 'worker', version: '1.0.0', ...fields };
  const answer = await core.fetch('/v1/agents', { method: 'POST', json });
  return RegisterResult.parse(await answer.json()).token ?? '';
}

describe.each(ERAS)('in the protocol of %s', (era) => {
  const name = (word: string) => `${word}-${era.slice(0, 4)}`;

  test('an agent learns who it is, finds others and publishes', async () => {
    const { call } = await connectMcp(core, await agentToken(name('teller')), { era });
    expect(await call('whoami')).toMatchObject({
      isError: false,
      data: { kind: 'agent', untrusted: { agent: name('teller'), role: 'worker' } },
    });
    expect(await call('find_agents', { role: 'worker', limit: 1 })).toMatchObject({
      data: { count: 1, untrusted: { agents: [{ role: 'worker' }] } },
    });
    const published = await call('publish', { topic: `agent.${name('teller')}.inbox.note`, data: { a: 1 } });
    expect(published).toMatchObject({ isError: false, data: { duplicate: false } });
    expect(await call('read_events', { at: published.data.position })).toMatchObject({
      data: { count: 1, untrusted: { events: [{ event: { data: { a: 1 } } }] } },
    });
  });

  test('a refusal says what to do, and repeats no word that an agent chose', async () => {
    const { call } = await connectMcp(core, await agentToken(name('denied')), { era });
    const refused = await call('publish', { topic: 'goal.chosen-word', data: 1 });
    expect(refused).toMatchObject({ isError: true, data: { error: { code: 'ACL_DENIED', retryable: false } } });
    expect(refused.text).toMatch(/^ACL_DENIED: .*`explain`/);
    expect(refused.text).not.toContain('chosen-word');
    expect(JSON.stringify(refused.data.untrusted)).toContain('chosen-word');
  });

  test('a field that no tool has is refused with the one that was meant', async () => {
    const { call } = await connectMcp(core, core.viewerToken, { era });
    const refused = await call('find_agents', { namespace: core.namespace, rolle: 'worker' });
    expect(refused).toMatchObject({
      isError: true,
      data: {
        error: { code: 'INVALID_INPUT' },
        untrusted: { details: [{ path: 'rolle', reason: expect.stringContaining('role') }] },
      },
    });
  });

  test('every tool is called, and each refusal is an answer that says what to do', async () => {
    const { call, client } = await connectMcp(core, core.joinToken, { era });
    const as = name('caller');
    const id = '00000000-0000-4000-8000-000000000000';
    const calls: Record<string, object> = {
      whoami: {},
      join: { name: as, role: 'worker' },
      find_agents: { as },
      get_agent: { as, name: as },
      publish: { as, topic: `agent.${as}.inbox.note`, data: 1 },
      read_events: { as },
      wait_for_events: { as, topics: [`agent.${as}.inbox.>`], waitMs: 0 },
      claim_work: { as, waitMs: 0 },
      extend_work: { as, deliveryId: 'none' },
      ack_work: { as, deliveryId: 'none' },
      nack_work: { as, deliveryId: 'none', reason: 'no' },
      ask_agent: { as, to: as, data: 1, waitMs: 0 },
      ask_person: { as, text: 'May I?', waitMs: 0 },
      submit_goal: { as, title: 'A goal' },
      explain: { as, action: 'publish', topic: 'a.b' },
      trace_event: { as, id },
      leave: { as },
    };
    const { tools } = await client.listTools();
    expect(tools.map((tool) => tool.name).toSorted()).toEqual(Object.keys(calls).toSorted());
    for (const [tool, args] of Object.entries(calls)) {
      const { isError, text, data } = await call(tool, { ...args });
      if (isError) expect(text, tool).toMatch(new RegExp(`^${data.error.code}: \\w`));
      expect(text.length, tool).toBeGreaterThan(10);
    }
  });

  test('a tool that there is not is an error of the protocol', async () => {
    const { call } = await connectMcp(core, core.viewerToken, { era });
    await expect(call('launch')).rejects.toThrow('Unknown tool');
  });
});

test('a token is shown the tools that it may use', async () => {
  const shown = async (token: string) => (await connectMcp(core, token)).names();
  const [viewer, agent, join] = await Promise.all([
    shown(core.viewerToken),
    shown(await agentToken('shown')),
    shown(core.joinToken),
  ]);
  expect(viewer).toEqual([
    'whoami',
    'find_agents',
    'get_agent',
    'read_events',
    'wait_for_events',
    'get_plan',
    'explain',
    'trace_event',
  ]);
  expect(agent).toEqual([
    'whoami',
    'leave',
    'find_agents',
    'get_agent',
    'publish',
    'read_events',
    'wait_for_events',
    'claim_work',
    'extend_work',
    'ack_work',
    'nack_work',
    'ask_agent',
    'ask_person',
    'explain',
    'trace_event',
  ]);
  // What a role may do besides is known when an agent is named.
  expect(join).toEqual(['whoami', 'join', ...agent.slice(1, -2), 'submit_goal', ...agent.slice(-2)]);
  const { client } = await connectMcp(core, core.joinToken);
  const { tools, ttlMs, cacheScope } = (await client.listTools()) as Awaited<ReturnType<typeof client.listTools>> & {
    ttlMs?: number;
    cacheScope?: string;
  };
  expect({ ttlMs, cacheScope }).toEqual({ ttlMs: 60_000, cacheScope: 'private' });
  const schemaOf = (wanted: string) => tools.find(({ name }) => name === wanted)?.inputSchema;
  expect(schemaOf('publish')?.required).toEqual(expect.arrayContaining(['topic', 'as']));
  expect(Object.keys(schemaOf('join')?.properties ?? {})).not.toContain('as');
});

test('administration is there for operators who ask for it in the address, and for no agent', async () => {
  const path = '/mcp?admin=true';
  const { token } = await core.registry.tokens.create(
    { namespace: core.namespace, kind: 'operator', name: `administering-${core.namespace}` },
    { name: 'test' },
  );
  const [plain, asking] = [await connectMcp(core, token), await connectMcp(core, token, { path })];
  expect(await plain.names()).not.toContain('trip_circuit');
  expect(await asking.names()).toEqual(
    expect.arrayContaining(['trip_circuit', 'remove_agent', 'redrive_dead_letters']),
  );
  const own = await connectMcp(core, await agentToken('stoppable'), { path });
  expect(await own.names()).not.toContain('trip_circuit');
  for (const { call } of [plain, own])
    expect(await call('trip_circuit', { name: 'stoppable' })).toMatchObject({ data: { error: { code: 'FORBIDDEN' } } });
  expect(await asking.call('trip_circuit', { name: 'stoppable', reason: 'loops' })).toMatchObject({ isError: false });
  const refused = await own.call('publish', { topic: 'agent.stoppable.inbox.note', data: 1 });
  expect(refused).toMatchObject({ data: { error: { code: 'CIRCUIT_OPEN' } } });
  expect(await asking.call('reset_circuit', { name: 'stoppable' })).toMatchObject({ isError: false });
  expect(await own.call('publish', { topic: 'agent.stoppable.inbox.note', data: 1 })).toMatchObject({ isError: false });
});
