// The closed list of refusals, and what SwarmError makes of everything that can be thrown or received.
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { z } from 'zod';
import { AgentRegistration } from './agent.ts';
import {
  ERROR_CODES,
  type ErrorDetails,
  invalidField,
  invalidInput,
  isSwarmErrorBody,
  readRefusal,
  SwarmError,
} from './error.ts';
import { ErrorCode, SwarmErrorBody } from './error-body.ts';
import { GoalSubmission } from './goal.ts';

const DETAILS: Required<ErrorDetails> = {
  INVALID_INPUT: [{ path: 'labels.zone', reason: 'too long' }],
  ACL_DENIED: { role: 'crawler', action: 'publish', topic: 'a.b', rule: null },
  IMMUTABLE_FIELD: { field: 'role' },
  UNROUTABLE: { silent: ['ada'] },
  PAYLOAD_TOO_LARGE: { limit: 65_536 },
  UNAVAILABLE: { id: '0190a7a0-7b1e-7cc3-98c4-dc0c0c07398f' },
};
const details: Partial<Record<ErrorCode, unknown>> = DETAILS;

test('each code has its HTTP status, and whether a retry can help', () => {
  expect(ERROR_CODES).toEqual({
    INVALID_INPUT: { http: 400, retryable: false },
    UNAUTHENTICATED: { http: 401, retryable: false },
    FORBIDDEN: { http: 403, retryable: false },
    ACL_DENIED: { http: 403, retryable: false },
    NOT_FOUND: { http: 404, retryable: false },
    CONFLICT: { http: 409, retryable: false },
    IMMUTABLE_FIELD: { http: 409, retryable: false },
    UNROUTABLE: { http: 409, retryable: true },
    FENCED: { http: 409, retryable: false },
    COMPACTED: { http: 410, retryable: false },
    PAYLOAD_TOO_LARGE: { http: 413, retryable: false },
    RATE_LIMITED: { http: 429, retryable: true },
    CIRCUIT_OPEN: { http: 503, retryable: true },
    UNAVAILABLE: { http: 503, retryable: true },
    INTERNAL: { http: 500, retryable: false },
  });
});

describe.each(ErrorCode.options)('%s', (code) => {
  const error = new SwarmError<ErrorCode>(code, `refused with ${code}`, {
    retryAfterMs: 1500,
    ...(code in details ? { details: details[code] } : {}),
  });

  test('a SwarmError is an Error with the properties of its code', () => {
    expect(error).toBeInstanceOf(Error);
    expect(error).toMatchObject({ name: 'SwarmError', code, message: `refused with ${code}` });
    expect({ http: error.httpStatus, retryable: error.retryable }).toEqual(ERROR_CODES[code]);
    expect(ErrorCode.options.filter((other) => error.is(other))).toEqual([code]);
  });

  test('a SwarmError is the same after the wire', () => {
    const received = SwarmError.from(JSON.parse(JSON.stringify(error)));
    expect(received).toBeInstanceOf(SwarmError);
    expect(received.toJSON()).toEqual(error.toJSON());
    expect(SwarmErrorBody.parse(error.toJSON())).toEqual(error.toJSON());
  });

  test('the wire form of a SwarmError omits absent fields', () => {
    const bare = new SwarmError(code, 'refused', { cause: new Error('postgres://user:password@db') });
    expect(JSON.parse(JSON.stringify(bare))).toEqual({
      code,
      message: 'refused',
      retryable: ERROR_CODES[code].retryable,
    });
  });
});

describe('from', () => {
  const refusal = new SwarmError('NOT_FOUND', 'no agent "worker"');

  test('SwarmError.from returns a SwarmError as it is', () => {
    expect(SwarmError.from(refusal)).toBe(refusal);
  });

  test('SwarmError.from finds a SwarmError among the causes', () => {
    const wrapped = new Error('outer', { cause: new TypeError('inner', { cause: refusal }) });
    expect(SwarmError.from(wrapped)).toBe(refusal);
  });

  test('SwarmError.from reads a wire body', () => {
    const received = SwarmError.from({
      code: 'RATE_LIMITED',
      message: 'slow down',
      retryable: true,
      retryAfterMs: 200,
    });
    expect(received).toMatchObject({ code: 'RATE_LIMITED', message: 'slow down', retryable: true, retryAfterMs: 200 });
    expect(received.details).toBeUndefined();
  });

  test('SwarmError.from reads problem+json', () => {
    const problem = { type: 'about:blank', title: 'Not Found', status: 404, ...refusal.toJSON() };
    expect(SwarmError.from(problem).toJSON()).toEqual(refusal.toJSON());
  });

  test.each([
    ['itself', (error: z.core.$ZodError) => error],
    ['a cause', (error: z.core.$ZodError) => new Error('parse failed', { cause: error })],
  ])('a zod error is INVALID_INPUT, as %s', (_, wrap) => {
    const { error } = z
      .object({ labels: z.object({ zone: z.string().max(3) }) })
      .safeParse({ labels: { zone: 'long' } });
    if (error === undefined) throw new Error('the schema took it');
    const refused = SwarmError.from(wrap(error));
    expect(refused.code).toBe('INVALID_INPUT');
    expect(refused.details).toEqual([{ path: 'labels.zone', reason: expect.any(String) }]);
    expect(refused.message).toMatch(/^invalid input: labels\.zone: /);
  });

  test('SwarmError.from ends at a cycle of causes', () => {
    const first = new Error('first');
    first.cause = new Error('second', { cause: first });
    expect(SwarmError.from(first).code).toBe('INTERNAL');
  });

  test.each<[string, unknown]>([
    ['an Error', new Error('password=hunter2')],
    ['an error with another code', Object.assign(new Error('password=hunter2'), { code: 'ECONNREFUSED' })],
    ['a string', 'password=hunter2'],
    ['an object', { message: 'password=hunter2' }],
    ['a body with an unknown code', { code: 'TEAPOT', message: 'password=hunter2', retryable: false }],
    [
      'a body with a bad retryAfterMs',
      { code: 'RATE_LIMITED', message: 'password=hunter2', retryable: true, retryAfterMs: -1 },
    ],
    ['null', null],
    ['undefined', undefined],
  ])('%s is INTERNAL and shows nothing of it', (_, thrown) => {
    const error = SwarmError.from(thrown);
    expect(error.toJSON()).toEqual({ code: 'INTERNAL', message: 'internal error', retryable: false });
    expect(JSON.stringify(error)).not.toContain('hunter2');
    expect(error.cause).toBe(thrown);
  });

  test('SwarmError.from turns any value into a SwarmError with a code of the list', () => {
    fc.assert(fc.property(fc.anything(), (thrown) => ErrorCode.options.includes(SwarmError.from(thrown).code)));
  });
});

test('invalidInput lists every fault with its path', () => {
  const { error } = z.object({ a: z.string(), b: z.array(z.number()) }).safeParse({ a: 1, b: [1, 'x'] });
  if (error === undefined) throw new Error('the schema took it');
  expect(invalidInput(error).details?.map(({ path }) => path)).toEqual(['a', 'b.1']);
  expect(invalidInput(error).cause).toBe(error);
});

test('invalidInput reports a field that is missing as required', () => {
  const parsed = GoalSubmission.safeParse({ steps: [{ title: 3, capability: 'x' }] });
  expect(parsed.error && invalidInput(parsed.error)).toMatchObject({
    message: 'invalid input: title: required',
    details: [
      { path: 'title', reason: 'required' },
      { path: 'steps.0.id', reason: 'required' },
      { path: 'steps.0.title', reason: 'Invalid input: expected string, received number' },
    ],
  });
});

test('invalidInput lists 50 faults at most, and reports that there are more', () => {
  const faultsOf = (count: number) => {
    const { error } = z.array(z.number()).safeParse(Array.from({ length: count }, () => 'x'));
    if (error === undefined) throw new Error('the schema took it');
    return invalidInput(error);
  };
  expect(faultsOf(50).details).toHaveLength(50);
  expect(faultsOf(50).message).not.toContain('problems');
  expect(faultsOf(20_000).details).toHaveLength(50);
  expect(faultsOf(20_000).message).toMatch(/^invalid input: 0: .* \(the first of 20000 problems; details lists 50\)$/);
});

test('invalidInput of a value that is wrong as a whole has an empty path', () => {
  const { error } = z.object({}).safeParse('text');
  if (error === undefined) throw new Error('the schema took it');
  expect(invalidInput(error).details).toEqual([{ path: '', reason: expect.any(String) }]);
  expect(invalidInput(error).message).not.toContain(': :');
});

describe('a fault in a union', () => {
  const reasonsOf = (capabilities: unknown) => {
    const parsed = AgentRegistration.safeParse({ name: 'a', role: 'b', version: '1.0.0', capabilities });
    return parsed.success ? [] : invalidInput(parsed.error).details;
  };

  test.each([
    [['BAD id'], 'capabilities.0', /letters, digits/],
    [[{ id: 'ok', tags: [1] }], 'capabilities.0.tags.0', /expected string/],
    [[{}], 'capabilities.0.id', /^required$/],
    [[7], 'capabilities.0', /Invalid input/],
  ])('the fault of %j is that of the union member that matched furthest', (capabilities, path, reason) => {
    expect(reasonsOf(capabilities)).toEqual([{ path, reason: expect.stringMatching(reason) }]);
  });
});

test('the check of a wire body without zod accepts what the schema accepts', () => {
  const field = (valid: fc.Arbitrary<unknown>) => fc.oneof({ weight: 4, arbitrary: valid }, fc.anything());
  const bodies = fc.record(
    {
      code: field(fc.constantFrom(...ErrorCode.options)),
      message: field(fc.string()),
      retryable: field(fc.boolean()),
      retryAfterMs: field(fc.nat()),
      details: fc.anything(),
    },
    { requiredKeys: [] },
  );
  fc.assert(
    fc.property(fc.oneof({ weight: 9, arbitrary: bodies }, fc.anything()), (value) => {
      expect(isSwarmErrorBody(value)).toBe(SwarmErrorBody.safeParse(value).success);
    }),
    { numRuns: 2_000 },
  );
});

test('invalidField names the field in the message and in the details, and keeps the cause', () => {
  const cause = new Error('too deep');
  const refusal = invalidField('steps.0', 'has a cycle', { cause });
  expect(refusal).toMatchObject({ code: 'INVALID_INPUT', message: 'invalid input: steps.0: has a cycle', cause });
  expect(refusal.details).toEqual([{ path: 'steps.0', reason: 'has a cycle' }]);
});

test('invalidField of the whole input has an empty path, and lists further reasons in the details alone', () => {
  const refusal = invalidField('', 'is not JSON', { alsoReasons: ['is too long'] });
  expect(refusal.message).toBe('invalid input: is not JSON');
  expect(refusal.details).toEqual([
    { path: '', reason: 'is not JSON' },
    { path: '', reason: 'is too long' },
  ]);
});

describe('a code of a later release', () => {
  const body = { code: 'SHIPWRECKED', message: 'the ship has sunk', details: { depth: 5 } };

  test.each([
    [true, undefined, 'UNAVAILABLE'],
    [true, 409, 'UNAVAILABLE'],
    [true, 429, 'RATE_LIMITED'],
    [true, 503, 'UNAVAILABLE'],
    [false, 400, 'INVALID_INPUT'],
    [false, 401, 'UNAUTHENTICATED'],
    [false, 403, 'FORBIDDEN'],
    [false, 404, 'NOT_FOUND'],
    [false, 409, 'CONFLICT'],
    [false, 410, 'COMPACTED'],
    [false, 413, 'PAYLOAD_TOO_LARGE'],
    [false, 422, 'INVALID_INPUT'],
    [false, 429, 'INVALID_INPUT'],
    [false, 500, 'INTERNAL'],
    [false, undefined, 'INTERNAL'],
  ])('that is retryable: %s, with status %s, is taken as %s', (retryable, status, code) => {
    const refusal = readRefusal({ ...body, retryable, status, retryAfterMs: 5 });
    expect(refusal).toMatchObject({ code, retryable, message: 'the ship has sunk (SHIPWRECKED)', retryAfterMs: 5 });
    expect(refusal?.details).toEqual(body.details);
  });

  test('is none without what a refusal has', () => {
    expect(readRefusal(body)).toBeNull();
    expect(readRefusal({ ...body, retryable: 'yes' })).toBeNull();
    expect(readRefusal({ code: 'CONFLICT', retryable: false })).toBeNull();
    expect(readRefusal({ code: 7, message: '', retryable: false })).toBeNull();
  });
});
