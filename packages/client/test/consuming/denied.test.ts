// Handlers that the policy denies: `on`, `consume` and `serveTasks` behave alike, and go on when the policy allows them.
import { sharedCore, START_TIMEOUT_MS, type TestCore } from '@hypercode/core-runtime/testing';
import { waitFor } from '@hypercode/testkit';
import { afterEach, beforeAll, beforeEach, expect, test } from 'vitest';
import {
  type AgentHealth,
  connectAgent,
  type ConnectedAgent,
  createSwarmClient,
  serveTasks,
  type SwarmClient,
  type SwarmError,
} from '../../src/index.ts';
import { serveHealth } from '../../src/node.ts';

type Closing = { readonly closed: Promise<void> };
interface Kind {
  /** Begins a handler, which notes what it receives. */
  readonly begin: (agent: ConnectedAgent, note: (data: unknown) => void) => Closing;
  readonly denied: Partial<AgentHealth['denied'][number]>;
  readonly words: RegExp;
}

const KINDS: Record<string, Kind> = {
  'a listener': {
    begin: ({ client }, note) => client.on('build.*', ({ data }) => note(data)),
    denied: { topics: ['build.*'], group: null, rule: null },
    words: /^role "smith" may not subscribe "build\.\*": no subscribe rule allows it/,
  },
  'a consumer of a topic': {
    begin: ({ client }, note) => client.consume({ group: 'ada', topics: ['build.*'] }, ({ data }) => note(data)),
    denied: { topics: ['build.*'], group: 'ada', rule: null },
    words: /^role "smith" may not subscribe "build\.\*": no subscribe rule allows it/,
  },
  'a consumer of a group': {
    begin: ({ client }, note) => client.consume({ group: 'forge', topics: ['agent.ada.>'] }, ({ data }) => note(data)),
    denied: { topics: ['agent.ada.>'], group: 'forge' },
    words: /^role "smith" may not consume group "forge": no consume rule allows it/,
  },
};

let core: TestCore;
let admin: SwarmClient;
let agent: ConnectedAgent;
let lines: { readonly fields: Record<string, unknown>; readonly message: string }[];

const own = { publish: ['agent.*.inbox.>'], subscribe: ['agent.{name}.>'] };
const all = { publish: ['>'], subscribe: ['agent.{name}.>', 'build.>', 'task.{name}.>'], consume: ['{name}', 'forge'] };
async function putRole(role: { publish: string[]; subscribe: string[]; consume?: string[] }): Promise<void> {
  await admin.policy.put({ policy: { roles: { smith: role }, default: { publish: [], subscribe: [] } } });
}

beforeAll(async () => {
  core = await sharedCore();
}, START_TIMEOUT_MS);
beforeEach(async () => {
  const { url, adminToken } = core;
  const namespace = core.freshNamespace();
  admin = createSwarmClient({ url, token: adminToken, namespace });
  const { token } = await admin.tokens.create({ kind: 'join', name: 'smiths' });
  await putRole(own);
  lines = [];
  const logger = {
    info() {},
    warn: (fields: Record<string, unknown>, message: string) => lines.push({ fields, message }),
  };
  agent = await connectAgent({ url, token, namespace, name: 'ada', role: 'smith', version: '1.0.0', logger });
});
afterEach(async () => {
  await agent?.stop();
  await admin?.close();
});

const isWell = () => agent.health().status === 'ok';

test.each(Object.entries(KINDS))(
  '%s that is denied is one line with the rule, unhealthy, and goes on when it is allowed',
  async (_, kind) => {
    const received: unknown[] = [];
    const { closed } = kind.begin(agent, (data) => received.push(data));
    let hasEnded = false;
    closed.finally(() => (hasEnded = true)).catch(() => {});
    await waitFor(() => !isWell(), { what: 'the denial' });
    expect(agent.health()).toMatchObject({ status: 'denied', registered: true, denied: [kind.denied] });
    expect(agent.health().denied[0]?.reason).toMatch(kind.words);
    expect(lines).toMatchObject([
      { fields: { code: 'ACL_DENIED', role: 'smith', rule: null }, message: expect.stringMatching(kind.words) },
    ]);
    const health = await serveHealth(agent, { port: 0 });
    const answer = await fetch(`http://127.0.0.1:${health.port}/health`);
    expect([answer.status, await answer.json()]).toMatchObject([503, { status: 'denied', denied: [kind.denied] }]);

    await putRole(all);
    await waitFor(isWell, { what: 'the handler to be allowed' });
    await admin.publish('build.done', 1);
    await admin.publish('agent.ada.inbox.x', 1);
    await waitFor(() => received.length > 0, { what: 'an event' });
    expect(received).toEqual([1]);
    expect(lines.map(({ message }) => message)).toEqual([
      expect.stringMatching(kind.words),
      'the policy now allows what it denied',
    ]);
    expect(hasEnded).toBe(false);
  },
);

test('a change of the policy denies what was allowed, and no event is missed when it is allowed again', async () => {
  await putRole(all);
  const received: unknown[] = [];
  const consumed: unknown[] = [];
  await agent.client.on('build.*', ({ data }) => received.push(data)).attached;
  const consumer = agent.client.consume({ group: 'forge', topics: ['build.*'] }, ({ data }) => consumed.push(data));
  await admin.publish('build.done', 1);
  await waitFor(() => received.length === 1, { what: 'the first event' });
  await waitFor(async () => (await admin.bus.groups()).groups.length === 1, { what: 'the group' });
  await putRole(own);
  await waitFor(() => agent.health().denied.length === 2, { what: 'both denials' });
  await admin.publish('build.done', 2);
  await putRole(all);
  await waitFor(isWell, { what: 'both to be allowed' });
  await waitFor(() => received.length === 2 && consumed.includes(2), { what: 'the second event' });
  expect(received).toEqual([1, 2]);
  await consumer.stop();
});

test('serveTasks goes on when it is allowed', async () => {
  await admin.policy.put({
    policy: { roles: { smith: { publish: [], subscribe: [] } }, default: { publish: [], subscribe: [] } },
  });
  const tasks = serveTasks(agent, { forge: () => 'done' });
  await waitFor(() => agent.health().denied.length === 2, { what: 'the denials' });
  expect(agent.health().denied).toMatchObject([
    { topics: ['task.ada.cancelled'], group: null },
    { topics: ['task.ada.assigned'], group: 'ada' },
  ]);
  await putRole(all);
  await waitFor(isWell, { what: 'the worker to be allowed' });
  await tasks.stop();
});

test('onDenied replaces the line, attached rejects, and a handler that is stopped is denied nothing', async () => {
  const refusals: SwarmError[] = [];
  const listener = agent.client.on('build.*', () => {}, { onDenied: (error) => refusals.push(error) });
  await expect(listener.attached).rejects.toMatchObject({ code: 'ACL_DENIED', details: { topic: 'build.*' } });
  expect(refusals).toHaveLength(1);
  expect(lines).toEqual([]);
  expect(isWell()).toBe(false);
  listener.stop();
  await listener.closed;
  expect(agent.health()).toMatchObject({ status: 'ok', denied: [] });
});

test('a reader of subscribe gets the refusal', async () => {
  await expect(agent.client.subscribe({ topics: ['build.*'] }).next()).rejects.toMatchObject({ code: 'ACL_DENIED' });
  expect(agent.health().status).toBe('ok');
});
