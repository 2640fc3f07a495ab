// Every procedure and every REST route, with each kind of token, in the token's namespace and in another: what the core does is
// what the declaration says.
import {
  type CallerKind,
  CreateTokenResult,
  type ProcedureName,
  type Procedure,
  procedures,
  type TokenKind,
} from '@hypercode/contracts';
import { on, once } from 'node:events';
import { beforeAll, describe, expect, test } from 'vitest';
import { WebSocket } from 'ws';
import { sharedCore, START_TIMEOUT_MS, type TestCore } from '../testing/core.ts';
import { freshName, INPUTS, OPEN_POLICY, TOPICS } from './sample-inputs.ts';

/** A kind of token, a text that is none, or nothing. */
type Sender = CallerKind | 'garbage' | null;

let core: TestCore;
let own: string;
let other: string;
const operatorTokens = new Map<TokenKind, string>();

beforeAll(async () => {
  core = await sharedCore();
  [own, other] = [core.freshNamespace(), core.freshNamespace()];
  const post = async (path: string, namespace: string, json: unknown, method = 'POST') => {
    const answer = await core.fetch(path, { method, namespace, json });
    expect(answer.ok).toBe(true);
    return answer.json();
  };
  for (const namespace of [own, other]) {
    await post('/v1/policy', namespace, { policy: OPEN_POLICY }, 'PUT');
    await post('/v1/events', namespace, { topic: 'rights.begun', data: 1 });
    await post('/v1/groups/crew/claim', namespace, { topics: TOPICS });
  }
  for (const kind of ['admin', 'operator', 'viewer', 'join'] as const) {
    const { token } = CreateTokenResult.parse(await post('/v1/tokens', own, { kind, name: `the ${kind}` }));
    operatorTokens.set(kind, token);
  }
}, START_TIMEOUT_MS);

/** The token of a caller, and its name when it is an agent. Calls end agents, so each has one of its own. */
async function callerOf(kind: Sender): Promise<{ token: string | null; name: string }> {
  if (kind === null) return { token: null, name: 'absent' };
  if (kind === 'garbage') return { token: 'garbage', name: 'absent' };
  if (kind !== 'agent') return { token: operatorTokens.get(kind) ?? null, name: 'absent' };
  const registration = { namespace: own, name: freshName(), role: 'worker', version: '1.0.0' };
  const { token = null } = await core.registry.registrations.register(
    { ...registration, topics: { publishes: [], subscribes: [] }, capabilities: [], labels: {} },
    { kind: 'admin', id: 'test', name: 'test' },
  );
  return { token, name: registration.name };
}

interface Attempt {
  readonly token: string | null;
  readonly name: string;
  readonly input: Record<string, unknown>;
  readonly namespace: string;
}

/** The code that a call ends with; null when it does not end with a refusal. */
async function overTrpc(path: ProcedureName, { kind }: Procedure, { token, input, namespace }: Attempt) {
  const json = { ...input, namespace };
  const query = `?input=${encodeURIComponent(JSON.stringify(json))}`;
  return kind === 'mutation'
    ? codeIn(await core.fetch(`/trpc/${path}`, { method: 'POST', token, json }))
    : codeIn(await core.fetch(`/trpc/${path}${query}`, { token }));
}

async function overRest({ rest, input: schema }: Procedure, { token, name, input, namespace }: Attempt) {
  if (rest === undefined) throw new Error('the procedure has no REST form');
  const fields = new Map(Object.entries(input));
  const path = rest.path.replaceAll(/\{(\w+)\}/g, (_whole, field: string) => {
    const value = field in schema.shape ? fields.get(field) : name;
    fields.delete(field);
    return String(value);
  });
  if (rest.body !== undefined) {
    const json = Object.fromEntries(fields);
    return codeIn(await core.fetch(path, { method: rest.method, token, namespace, json }));
  }
  const search = new URLSearchParams({ namespace });
  for (const [field, value] of fields) for (const one of [value].flat()) search.append(field, String(one));
  return codeIn(await core.fetch(`${path}?${search.toString()}`, { method: rest.method, token, namespace: null }));
}

/** The code with which a call over WebSocket ends; null when its first value has come. */
async function overWebSocket(
  path: ProcedureName,
  { kind }: Procedure,
  { token, input, namespace }: Attempt,
): Promise<string | null> {
  const socket = new WebSocket(`${core.url.replace('http', 'ws')}/trpc?connectionParams=1`);
  try {
    await once(socket, 'open');
    socket.send(JSON.stringify({ method: 'connectionParams', data: token === null ? null : { token } }));
    socket.send(JSON.stringify({ id: 1, method: kind, params: { path, input: { ...input, namespace } } }));
    for await (const [message] of on(socket, 'message')) {
      const text = String(message);
      if (text.includes('"data":{') && text.includes('"id":1'))
        return /"code":"([A-Z_]+)","message"/.exec(text)?.[1] ?? null;
    }
    return null;
  } finally {
    socket.terminate();
  }
}

/** Of a stream, what is known when its first value or its refusal has come. */
async function codeIn(answer: Response): Promise<string | null> {
  let text = '';
  for await (const chunk of answer.body?.pipeThrough(new TextDecoderStream()) ?? []) {
    text += chunk;
    if (/^id: /m.test(text) || /"code":"[A-Z_]+"[^\n]*\n/.test(text)) break;
  }
  return /"code":"([A-Z_]+)","message"/.exec(text)?.[1] ?? /"code":"([A-Z_]+)","retryable"/.exec(text)?.[1] ?? null;
}

/** What the declaration says of a call. */
function expected({ rights }: Procedure, kind: Sender, where: 'own' | 'other'): string | null {
  if (kind === null || kind === 'garbage') return 'UNAUTHENTICATED';
  const reach = rights[kind];
  if (reach === undefined) return 'FORBIDDEN';
  return where === 'own' || reach === 'everywhere' ? null : 'FORBIDDEN';
}

/** Every kind of token: a new one without a place here is a type error. */
const KINDS = {
  viewer: true,
  operator: true,
  agent: true,
  join: true,
  admin: true,
} satisfies Record<CallerKind, true>;
const CALLERS: readonly Sender[] = [null, 'garbage', ...(Object.keys(KINDS) as CallerKind[])];
const rows = CALLERS.flatMap((kind) =>
  (['own', 'other'] as const).map((where) => [kind ?? 'no token', where, kind] as const),
);

test('every procedure has an input here, so a new one is tried with every kind of token', () => {
  expect(Object.keys(INPUTS).toSorted()).toEqual(procedures.map(([name]) => name).toSorted());
});

describe.each(procedures)('%s', (path, procedure) => {
  test.each(rows)('by %s in its %s namespace', async (_caller, where, kind) => {
    const attempt = async (): Promise<Attempt> => {
      const caller = await callerOf(kind);
      return { ...caller, input: { ...INPUTS[path](caller.name) }, namespace: where === 'own' ? own : other };
    };
    const codes = [await overTrpc(path, procedure, await attempt())];
    if (procedure.rest !== undefined) codes.push(await overRest(procedure, await attempt()));
    codes.push(await overWebSocket(path, procedure, await attempt()));
    const allowed = expected(procedure, kind, where);
    // A call that is allowed may find nothing of what it names.
    for (const code of codes) expect(allowed === null && code === 'NOT_FOUND' ? null : code).toBe(allowed);
  });
});

test.each(procedures.filter(([, { rights }]) => rights.agent === 'self'))(
  'an agent may not call %s for another agent',
  async (path, procedure) => {
    const [{ token }, { name }] = await Promise.all([callerOf('agent'), callerOf('agent')]);
    const attempt = { token, name, input: { ...INPUTS[path](name) }, namespace: own };
    if ('name' in attempt.input) expect(await overTrpc(path, procedure, attempt)).toBe('FORBIDDEN');
    expect(await overRest(procedure, attempt)).toBe('FORBIDDEN');
  },
);

test.each(procedures.flatMap(([name, { rest }]) => (rest === undefined ? [] : [[name, rest] as const])))(
  'the route of %s asks for a token before it reads a body',
  async (_name, { method, path }) => {
    const address = path.replaceAll(/\{\w+\}/g, 'a');
    const headers = { 'content-type': 'image/png' };
    const body = method === 'GET' || method === 'DELETE' ? {} : { body: 'no JSON', headers };
    expect(await codeIn(await core.fetch(address, { method, token: null, ...body }))).toBe('UNAUTHENTICATED');
  },
);
