// Bad events on a whole core: the documented refusal in every way to publish, and nothing is stored.
import { type ErrorCode, LIMITS, PublishManyResult, ReadResult, SwarmErrorBody } from '@hypercode/contracts';
import { beforeAll, describe, expect, it } from 'vitest';
import { expectProblem, sharedCore, START_TIMEOUT_MS, type TestCore } from '../testing/core.ts';

let core: TestCore;

beforeAll(async () => {
  core = await sharedCore();
  await post('/v1/events', known);
}, START_TIMEOUT_MS);

const VALID = { topic: 'a.b', data: 1 };
const nested = (depth: number) => `${'['.repeat(depth)}1${']'.repeat(depth)}`;

/** Fields over those of a valid event, and where the refusal must point. */
const INVALID: [string, object, string][] = [
  ['no topic', { topic: undefined }, 'topic'],
  ['an empty topic', { topic: '' }, 'topic'],
  ['a topic with an empty token', { topic: 'a..b' }, 'topic'],
  ['a pattern as topic', { topic: 'a.>' }, 'topic'],
  ['a topic with a space', { topic: 'a b' }, 'topic'],
  ['a topic with a line feed', { topic: 'a\n' }, 'topic'],
  ['a topic of 17 tokens', { topic: Array.from({ length: 17 }, () => 'a').join('.') }, 'topic'],
  ['a topic of 256 characters', { topic: 'a'.repeat(256) }, 'topic'],
  ['a list as topic', { topic: ['a'] }, 'topic'],
  ['no data', { data: undefined }, 'data'],
  ['data with NUL', { data: ['\0'] }, 'data.0'],
  ['data with NUL in a key', { data: { '\0': 1 } }, 'data'],
  ['data with a lone surrogate', { data: { a: '\ud800' } }, 'data.a'],
  ['deep data', { data: JSON.parse(nested(LIMITS.jsonDepth + 1)) }, 'data'],
  ['an id that is no UUID', { id: 'first' }, 'id'],
  ['an id that is a number', { id: 1 }, 'id'],
  ['a time without a zone', { time: '2026-01-01T00:00:00' }, 'time'],
  ['a time that is none', { time: '2026-02-30T00:00:00Z' }, 'time'],
  ['an empty subject', { subject: '' }, 'subject'],
  ['a long subject', { subject: 'x'.repeat(1025) }, 'subject'],
  ['a long correlationId', { correlationId: 'x'.repeat(257) }, 'correlationId'],
  ['a causationId with NUL', { causationId: '\0' }, 'causationId'],
  ['a traceparent that is a number', { traceparent: 1 }, 'traceparent'],
  ['an unknown field', { payload: {} }, 'payload'],
];

const post = (path: string, body: string) =>
  core.fetch(path, { method: 'POST', body, headers: { 'content-type': 'application/json' } });

const errorIn = (results: PublishManyResult['results']): SwarmErrorBody | undefined => {
  const [refused, duplicate] = results;
  expect(duplicate).toMatchObject({ duplicate: true });
  return refused !== undefined && 'error' in refused ? refused.error : undefined;
};

/** The text of an object, with the namespace in it that a call over tRPC has to name. */
const inNamespace = (text: string): string => text.replace(/^\{/, `{"namespace":"${core.namespace}",`);

/** A valid event that is in the log already, to stand beside a bad one. */
const KNOWN = { ...VALID, id: '11111111-1111-4111-8111-111111111111' };
const known = JSON.stringify(KNOWN);

/** Ways to publish an event; each expects it to be refused. */
const WAYS: Record<string, (text: string, code: ErrorCode) => Promise<Partial<SwarmErrorBody> | undefined>> = {
  REST: async (text, code) => expectProblem(await post('/v1/events', text), code),
  'REST, in a list': async (text) =>
    errorIn(PublishManyResult.parse(await (await post('/v1/events', `[${text},${known}]`)).json()).results),
  tRPC: async (text, code) => {
    const answer = (await (await post('/trpc/bus.publish', inNamespace(text))).json()) as {
      error: { data: { swarm: unknown } };
    };
    const refusal = SwarmErrorBody.parse(answer.error.data.swarm);
    expect(refusal.code).toBe(code);
    return refusal;
  },
  'tRPC, in a list': async (text) => {
    const answer = await post('/trpc/bus.publishMany', inNamespace(`{"events":[${text},${known}]}`));
    const { result } = (await answer.json()) as { result: { data: unknown } };
    return errorIn(PublishManyResult.parse(result.data).results);
  },
};

describe.each(Object.entries(WAYS))('over %s', (_way, refused) => {
  it.each(INVALID)('%s is INVALID_INPUT', async (_label, fields, path) => {
    const refusal = await refused(JSON.stringify({ ...VALID, ...fields }), 'INVALID_INPUT');
    expect(refusal).toMatchObject({ code: 'INVALID_INPUT', retryable: false });
    expect(refusal?.details).toEqual(expect.arrayContaining([{ path, reason: expect.any(String) }]));
  });

  it.each([
    ['null', 'null'],
    ['a string', '"a"'],
    ['a number beyond any', '1e999'],
    ['an abyss', `{"topic":"a","data":${nested(10_000)}}`],
  ])('%s is INVALID_INPUT', async (_label, text) => {
    expect(await refused(text, 'INVALID_INPUT')).toMatchObject({ code: 'INVALID_INPUT' });
  });

  it.each([
    ['an integer beyond 2^53', '9007199254740993'],
    ['an integer of 64 bits', '-9223372036854775808'],
    ['a number beyond any', '1e400'],
    ['a fraction with more digits than a number has', '0.1234567890123456789'],
  ])('%s in data is INVALID_INPUT', async (_label, number) => {
    const refusal = await refused(`{"topic":"a.b","data":{"ids":[1,${number}]}}`, 'INVALID_INPUT');
    const reason = 'cannot be kept exactly as a number; send it as a string';
    expect(refusal).toMatchObject({ code: 'INVALID_INPUT', details: [{ path: 'data.ids.1', reason }] });
  });

  it('one byte too much is PAYLOAD_TOO_LARGE', async () => {
    const padding = LIMITS.eventBytes + 1 - JSON.stringify({ ...VALID, data: '' }).length;
    const refusal = await refused(JSON.stringify({ ...VALID, data: 'x'.repeat(padding) }), 'PAYLOAD_TOO_LARGE');
    expect(refusal).toMatchObject({ code: 'PAYLOAD_TOO_LARGE', details: { limit: 262_144 } });
  });

  it('a topic of the core is ACL_DENIED', async () => {
    const refusal = await refused(JSON.stringify({ ...VALID, topic: 'system.agent' }), 'ACL_DENIED');
    expect(refusal).toMatchObject({ code: 'ACL_DENIED', details: { topic: 'system.agent', rule: 'system.>' } });
  });
});

it('nothing of all this is stored, and nothing was a fault of ours', async () => {
  const { events } = ReadResult.parse(await (await core.fetch('/v1/events?topics=%3E')).json());
  // Beside the event of the file's own token.
  expect(events.filter(({ event }) => event.source !== '/core')).toMatchObject([{ event: KNOWN }]);
  expect(core.log().filter(({ level }) => Number(level) >= 50)).toEqual([]);
});
