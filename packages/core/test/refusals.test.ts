// Every refusal that a caller can provoke, on every transport: the same code, retryability and HTTP status.
// UNROUTABLE takes events within the rate: the test of traces provokes it.
// UNAVAILABLE takes a store that is away, and INTERNAL a bug: the outages of core's own tests provoke the one, nothing the other.
import { ERROR_CODES, ErrorCode, LIMITS, RegisterResult, SwarmErrorBody } from '@hypercode/contracts';
import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { z } from 'zod';
import { expectProblem, START_TIMEOUT_MS, startTestCore, type TestCore } from '../testing/core.ts';

interface Refused {
  /** Whose token is sent; default: the admin's. */
  by?: 'stranger' | 'worker' | 'superseded' | 'tripped';
  rest: [method: string, path: string, body?: unknown];
  trpc: [procedure: string, input: unknown];
  /** The same over streams, where a stream can end in it. */
  restStream?: string;
  trpcStream?: [procedure: string, input: unknown];
}

const AGENT = { name: 'worker', role: 'worker', version: '1.0.0' };
const OTHER_ROLE = { ...AGENT, role: 'boss' };
const LARGE = { ...AGENT, unknown: 'x'.repeat(LIMITS.registrationBytes) };
const STALE = { set: { description: 'new' }, ifRevision: 99 };
const event = (topic: string) => ({ topic, data: 1 });

const REFUSALS: Record<Exclude<ErrorCode, 'UNROUTABLE' | 'UNAVAILABLE' | 'INTERNAL'>, Refused> = {
  INVALID_INPUT: {
    rest: ['GET', '/v1/agents?limit=501'],
    trpc: ['registry.query', { limit: 501 }],
    restStream: '/v1/events/stream?topics=a..b',
    trpcStream: ['bus.subscribe', { topics: ['a..b'] }],
  },
  UNAUTHENTICATED: {
    by: 'stranger',
    rest: ['GET', '/v1/agents'],
    trpc: ['registry.query', {}],
    restStream: '/v1/agents/watch',
    trpcStream: ['registry.watch', {}],
  },
  FORBIDDEN: {
    by: 'worker',
    rest: ['GET', '/v1/agents?namespace=other'],
    trpc: ['registry.query', { namespace: 'other' }],
    restStream: '/v1/agents/watch?namespace=other',
    trpcStream: ['registry.watch', { namespace: 'other' }],
  },
  ACL_DENIED: {
    by: 'worker',
    rest: ['POST', '/v1/events', event('goal.submitted')],
    trpc: ['bus.publish', event('goal.submitted')],
    restStream: '/v1/events/stream?topics=goal.*',
    trpcStream: ['bus.subscribe', { topics: ['goal.*'] }],
  },
  NOT_FOUND: { rest: ['GET', '/v1/agents/nobody'], trpc: ['registry.get', { name: 'nobody' }] },
  CONFLICT: {
    rest: ['PATCH', '/v1/agents/worker', STALE],
    trpc: ['registry.update', { name: 'worker', ...STALE }],
    trpcStream: ['bus.consume', { group: 'crew', topics: ['others'] }],
  },
  IMMUTABLE_FIELD: { rest: ['POST', '/v1/agents', OTHER_ROLE], trpc: ['registry.register', OTHER_ROLE] },
  FENCED: {
    by: 'superseded',
    rest: ['POST', '/v1/agents/superseded/heartbeat', {}],
    trpc: ['registry.heartbeat', {}],
    restStream: '/v1/agents/watch',
    trpcStream: ['registry.watch', {}],
  },
  COMPACTED: {
    rest: ['GET', '/v1/events?topics=a&after=lost-5-5'],
    trpc: ['bus.read', { topics: ['a'], after: 'lost-5-5' }],
  },
  PAYLOAD_TOO_LARGE: { rest: ['POST', '/v1/agents', LARGE], trpc: ['registry.register', LARGE] },
  RATE_LIMITED: {
    by: 'worker',
    rest: ['POST', '/v1/events', event('task.worker.progress')],
    trpc: ['bus.publish', event('task.worker.progress')],
  },
  CIRCUIT_OPEN: {
    by: 'tripped',
    rest: ['POST', '/v1/events', event('task.tripped.progress')],
    trpc: ['bus.publish', event('task.tripped.progress')],
  },
};
const WITH_RETRY_AFTER: readonly string[] = ['RATE_LIMITED', 'CIRCUIT_OPEN'];
const QUERIES: readonly string[] = ['registry.query', 'registry.get', 'bus.read'];

const TrpcError = z.object({
  error: z.object({ data: z.object({ httpStatus: z.number(), swarm: SwarmErrorBody }) }),
});

let core: TestCore;
const tokens: Record<string, string> = { stranger: 'unknown' };

beforeAll(async () => {
  // So few events that each is one too many.
  core = await startTestCore({ ratePublish: 0.5 });
  const register = async (name: string, fields: object = {}) => {
    const answer = await core.fetch('/v1/agents', { method: 'POST', json: { ...AGENT, name, ...fields } });
    return RegisterResult.parse(await answer.json()).token ?? '';
  };
  tokens['worker'] = await register('worker');
  tokens['tripped'] = await register('tripped');
  tokens['superseded'] = await register('superseded', { incarnation: randomUUID() });
  await register('superseded', { incarnation: randomUUID() });
  await core.registry.circuits.trip({ namespace: 'default', name: 'tripped', reason: undefined });
  await core.fetch('/v1/groups/crew/claim', { method: 'POST', json: { topics: ['work'], waitMs: 0 } });
}, START_TIMEOUT_MS);
afterAll(() => core.close());

const inputOf = (value: unknown): string => `?input=${encodeURIComponent(JSON.stringify(value))}`;

describe.each(Object.entries(REFUSALS))('%s', (name, { by, rest, trpc, restStream, trpcStream }) => {
  const code = ErrorCode.parse(name);
  const { http, retryable } = ERROR_CODES[code];
  const caller = () => ({ token: by === undefined ? core.adminToken : (tokens[by] ?? null) });

  const expectSwarm = (shape: unknown): SwarmErrorBody => {
    const { httpStatus, swarm } = TrpcError.parse(shape).error.data;
    expect(httpStatus).toBe(http);
    expect(swarm).toMatchObject({ code, retryable });
    expect(swarm.retryAfterMs !== undefined).toBe(WITH_RETRY_AFTER.includes(code));
    return swarm;
  };

  it('is the same on every transport', async () => {
    const [method, path, body] = rest;
    const problem = await expectProblem(await core.fetch(path, { ...caller(), method, json: body }), code);
    expect(problem.retryAfterMs !== undefined).toBe(WITH_RETRY_AFTER.includes(code));
    const [procedure, input] = trpc;
    const answer = QUERIES.includes(procedure)
      ? await core.fetch(`/trpc/${procedure}${inputOf(input)}`, caller())
      : await core.fetch(`/trpc/${procedure}`, { ...caller(), method: 'POST', json: input });
    expect(answer.status).toBe(http);
    expect(expectSwarm(await answer.json()).details).toEqual(problem.details);

    if (restStream !== undefined) await expectProblem(await core.fetch(restStream, caller()), code);
    if (trpcStream === undefined) return;
    const [subscription, request] = trpcStream;
    const stream = await core.fetch(`/trpc/${subscription}${inputOf(request)}`, caller());
    expect(stream.status).toBe(200);
    const [, error = ''] = /event: serialized-error\ndata: (.*)\n/.exec(await stream.text()) ?? [];
    expectSwarm({ error: JSON.parse(error) });
  });
});
