// What the holder of a token learns about it.
import {
  API_VERSION,
  type CallerKind,
  CreateTokenResult,
  procedures,
  RegisterResult,
  WhoamiResult,
} from '@hypercode/contracts';
import { beforeAll, expect, test } from 'vitest';
import { sharedCore, START_TIMEOUT_MS, type TestCore } from '../../testing/core.ts';

let core: TestCore;
beforeAll(async () => {
  core = await sharedCore();
}, START_TIMEOUT_MS);

const whoami = async (token: string) =>
  WhoamiResult.parse(await (await core.fetch('/v1/whoami', { token, namespace: null })).json());

const allowed = (kind: CallerKind) =>
  procedures.flatMap(([name, { rights }]) => (rights[kind] === undefined ? [] : [name]));

test.each(['operator', 'viewer', 'join'] as const)(
  'a token of kind %s is described without its namespace being known',
  async (kind) => {
    const namespace = core.freshNamespace();
    const json = { kind, name: `the ${kind}`, expiresInMs: 3_600_000 };
    const created = await core.fetch('/v1/tokens', { method: 'POST', namespace, json });
    const answer = await whoami(CreateTokenResult.parse(await created.json()).token);
    expect(answer).toMatchObject({
      kind,
      name: `the ${kind}`,
      namespace,
      may: allowed(kind),
      core: { api: API_VERSION },
    });
    expect(Date.parse(answer.expiresAt ?? '') - Date.parse(answer.now)).toBeGreaterThan(0);
  },
);

test("an agent's token is described with the agent and its role", async () => {
  const namespace = core.freshNamespace();
  const json = { name: 'ada', role: 'coder', version: '1.0.0' };
  const registered = RegisterResult.parse(
    await (await core.fetch('/v1/agents', { method: 'POST', namespace, json })).json(),
  );
  const described = { kind: 'agent', name: 'ada', agent: 'ada', role: 'coder', namespace, expiresAt: null };
  expect(await whoami(registered.token ?? '')).toMatchObject({ ...described, may: allowed('agent') });
});

test('an admin has no namespace, and may call what the table says', async () => {
  const answer = await whoami(core.adminToken);
  expect(answer).toMatchObject({ kind: 'admin', namespace: null, expiresAt: null, may: allowed('admin') });
  expect(answer.core.version).toMatch(/^\d+\.\d+\.\d+/);
});
