// What operators and admins do leaves its record, over every transport; what agents do does not.
import {
  AuditListResult,
  type AuditEntry,
  ClaimResult,
  CreateTokenResult,
  ListTokensResult,
  RegisterResult,
  verifyAudit,
} from '@hypercode/contracts';
import { once } from 'node:events';
import { beforeAll, expect, test } from 'vitest';
import { WebSocket } from 'ws';
import { call } from '../../testing/call.ts';
import { expectProblem, sharedCore, START_TIMEOUT_MS, type TestCore, type TestRequest } from '../../testing/core.ts';
import { OPEN_POLICY } from '../sample-inputs.ts';

let core: TestCore;
beforeAll(async () => {
  core = await sharedCore();
}, START_TIMEOUT_MS);

class Swarm {
  readonly namespace = core.freshNamespace();

  async send(path: string, options: TestRequest = {}): Promise<Response> {
    const answer = await core.fetch(path, { method: 'POST', namespace: this.namespace, ...options });
    if (!answer.ok) throw new Error(await answer.text());
    return answer;
  }

  async token(kind: string, name: string): Promise<string> {
    return CreateTokenResult.parse(await (await this.send('/v1/tokens', { json: { kind, name } })).json()).token;
  }

  async register(name: string, token = core.adminToken): Promise<RegisterResult> {
    const json = { name, role: 'worker', version: '1.0.0' };
    return RegisterResult.parse(await (await this.send('/v1/agents', { json, token })).json());
  }

  /** All entries of the audit, newest first. */
  async entries(filter = ''): Promise<AuditEntry[]> {
    const entries: AuditEntry[] = [];
    let cursor = '';
    do {
      const page = await this.send(`/v1/audit?limit=3${filter}${cursor}`, { method: 'GET' });
      const { entries: more, nextCursor } = AuditListResult.parse(await page.json());
      entries.push(...more);
      cursor = nextCursor === null ? '' : `&cursor=${nextCursor}`;
    } while (cursor !== '');
    return entries;
  }
}

/** The two entries of the newest act with this action belong together; the one with the outcome. */
async function actOf(swarm: Swarm, action: string): Promise<AuditEntry> {
  const [done, begun] = await swarm.entries(`&action=${action}`);
  expect(begun).toMatchObject({ outcome: 'begun', target: done?.target, after: null });
  expect(done).toMatchObject({ action, begun: begun?.seq, before: begun?.before, requestId: begun?.requestId });
  if (done === undefined) throw new Error(`${action} is not in the audit`);
  return done;
}

test('acts on agents and circuits are recorded with before and after, and by whom', async () => {
  const swarm = new Swarm();
  const operator = await swarm.token('operator', 'olivia');
  await swarm.register('ada');
  await swarm.send('/v1/agents/ada', { method: 'PATCH', json: { set: { description: 'new' } } });
  const updated = await actOf(swarm, 'registry.update');
  expect(updated).toMatchObject({ actor: '/operators/admin', target: 'agents/ada', outcome: 'done' });
  expect(updated).toMatchObject({ before: { description: null }, after: { description: 'new' } });
  const headers = { 'x-request-id': 'my-request' };
  const trip = { name: 'ada', reason: 'it loops', namespace: swarm.namespace };
  await core.fetch('/trpc/circuit.trip', { method: 'POST', token: operator, json: trip, headers });
  expect(await actOf(swarm, 'circuit.trip')).toMatchObject({
    actor: '/operators/olivia',
    target: 'agents/ada',
    before: { circuit: 'closed' },
    after: { circuit: 'open' },
    reason: 'it loops',
    requestId: 'my-request',
  });
  await call(core, 'circuit.reset', { name: 'ada', namespace: swarm.namespace });
  expect(await actOf(swarm, 'circuit.reset')).toMatchObject({
    before: { circuit: 'open' },
    after: { circuit: 'closed' },
  });
  await swarm.send('/v1/agents/ada', { method: 'DELETE', token: operator });
  expect(await actOf(swarm, 'registry.deregister')).toMatchObject({ before: { name: 'ada' }, after: null });
  expect((await swarm.entries('&actor=olivia')).map(({ action }) => action)).toEqual([
    'registry.deregister',
    'registry.deregister',
    'circuit.trip',
    'circuit.trip',
  ]);
  const entries = await swarm.entries();
  expect(await verifyAudit(entries, { head: entries[4]?.hash })).toMatchObject({ fault: null, first: 1 });
});

test('changes of policies and tokens are recorded, without tokens, and rehearsals are not', async () => {
  const swarm = new Swarm();
  const put = (json: object) => swarm.send('/v1/policy', { method: 'PUT', json });
  await put({ policy: OPEN_POLICY });
  expect(await actOf(swarm, 'policy.put')).toMatchObject({ before: { version: 0 }, after: { version: 1, roles: {} } });
  const rules = { publish: ['a'], subscribe: [] };
  await swarm.send('/v1/policy/roles/coder', { method: 'PUT', json: { rules } });
  expect(await actOf(swarm, 'policy.putRole')).toMatchObject({
    target: 'policy/roles/coder',
    before: { version: 1, rules: null },
    after: { version: 2, rules: { publish: ['a'] } },
  });
  await swarm.send('/v1/policy/roles/coder', { method: 'DELETE' });
  expect(await actOf(swarm, 'policy.removeRole')).toMatchObject({ after: { version: 3, rules: null } });
  const count = (await swarm.entries()).length;
  await put({ policy: OPEN_POLICY, dryRun: true });
  expect(await swarm.entries()).toHaveLength(count);
  const token = await swarm.token('join', 'ci');
  const created = await actOf(swarm, 'tokens.create');
  expect(created).toMatchObject({ target: 'tokens/ci', after: { kind: 'join', name: 'ci' } });
  const { id } = created.after as { id: string };
  await swarm.send(`/v1/tokens/${id}`, { method: 'DELETE' });
  expect(await actOf(swarm, 'tokens.revoke')).toMatchObject({ target: `tokens/${id}`, before: { id, name: 'ci' } });
  expect(JSON.stringify(await swarm.entries())).not.toContain(token);
});

test('redriven and discarded dead letters are recorded with their number, and events are not', async () => {
  const swarm = new Swarm();
  await swarm.send('/v1/policy', { method: 'PUT', json: { policy: OPEN_POLICY } });
  const before = (await swarm.entries()).length;
  await swarm.send('/v1/events', { json: [1, 2].map((data) => ({ topic: 'a.b', data })) });
  const group = (path: string, json: object) => swarm.send(`/v1/groups/crew/${path}`, { json });
  const kill = async () => {
    const claim = { topics: ['a.*'], from: 'earliest', maxDeliveries: 1, max: 2 };
    const { deliveries } = ClaimResult.parse(await (await group('claim', claim)).json());
    await group('nack', { deliveryIds: deliveries.map(({ deliveryId }) => deliveryId) });
  };
  await kill();
  expect(await swarm.entries()).toHaveLength(before);
  await group('dead-letters/redrive', { all: true });
  expect(await actOf(swarm, 'bus.redrive')).toMatchObject({
    target: 'groups/crew',
    before: { all: true },
    after: { count: 2 },
  });
  await kill();
  await group('dead-letters/discard', { all: true });
  expect(await actOf(swarm, 'bus.discard')).toMatchObject({ after: { count: 2 } });
});

test('an act that is refused is recorded with the code; a call that was never allowed is not', async () => {
  const swarm = new Swarm();
  const absent = await core.fetch('/v1/agents/absent', { method: 'DELETE', namespace: swarm.namespace });
  await expectProblem(absent, 'NOT_FOUND');
  expect(await actOf(swarm, 'registry.deregister')).toMatchObject({ outcome: 'NOT_FOUND', before: null });
  const operator = await swarm.token('operator', 'oscar');
  const count = (await swarm.entries()).length;
  const json = { policy: OPEN_POLICY };
  const forbidden = await core.fetch('/v1/policy', {
    method: 'PUT',
    token: operator,
    namespace: swarm.namespace,
    json,
  });
  await expectProblem(forbidden, 'FORBIDDEN');
  expect(await swarm.entries()).toHaveLength(count);
});

test('what agents do, and joining with a join token, is not recorded', async () => {
  const swarm = new Swarm();
  const join = await swarm.token('join', 'ci');
  const count = (await swarm.entries()).length;
  const { token = '' } = await swarm.register('bob', join);
  await swarm.send('/v1/agents/bob', { method: 'PATCH', json: { set: { description: 'x' } }, token });
  await swarm.send('/v1/agents/bob', { method: 'DELETE', token });
  expect(await swarm.entries()).toHaveLength(count);
});

test('acts over WebSocket are recorded, each with a request id of its own', async () => {
  const swarm = new Swarm();
  await swarm.register('ada');
  const { namespace } = swarm;
  const socket = new WebSocket(`${core.url.replace('http', 'ws')}/trpc?connectionParams=1`);
  await once(socket, 'open');
  socket.send(JSON.stringify({ method: 'connectionParams', data: { token: core.adminToken } }));
  for (const [id, path] of ['circuit.trip', 'circuit.reset'].entries()) {
    socket.send(JSON.stringify({ id, method: 'mutation', params: { path, input: { namespace, name: 'ada' } } }));
    while (!String((await once(socket, 'message'))[0]).includes(`"id":${id}`));
  }
  socket.terminate();
  const acts = [await actOf(swarm, 'circuit.trip'), await actOf(swarm, 'circuit.reset')];
  expect(new Set(acts.map(({ requestId }) => requestId)).size).toBe(2);
});

test('only an admin reads the audit', async () => {
  const swarm = new Swarm();
  for (const kind of ['operator', 'viewer']) {
    const token = await swarm.token(kind, `the ${kind}`);
    await expectProblem(await core.fetch('/v1/audit', { token, namespace: swarm.namespace }), 'FORBIDDEN');
  }
  const bad = await core.fetch('/v1/audit?cursor=x', { namespace: swarm.namespace });
  await expectProblem(bad, 'INVALID_INPUT');
});

test('the list of tokens shows when each was last used', async () => {
  const swarm = new Swarm();
  const used = await swarm.token('viewer', 'used');
  await swarm.token('viewer', 'idle');
  await core.fetch('/v1/whoami', { token: used, namespace: null });
  await core.operations.report();
  const { tokens } = ListTokensResult.parse(await (await swarm.send('/v1/tokens', { method: 'GET' })).json());
  const lastUsed = new Map(tokens.map(({ name, lastUsedAt }) => [name, lastUsedAt]));
  expect(Math.abs(Date.parse(lastUsed.get('used') ?? '') - Date.now())).toBeLessThan(60_000);
  expect(lastUsed.get('idle')).toBeNull();
});
