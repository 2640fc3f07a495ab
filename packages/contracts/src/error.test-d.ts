// The types of refusals: details per code, and what a caller has to narrow.
import { expectTypeOf, test } from 'vitest';
import { type ErrorCode, invalidInput, SwarmError, type SwarmErrorBody } from './index.ts';

test('details have the type of their code', () => {
  expectTypeOf<SwarmError<'INVALID_INPUT'>['details']>().toEqualTypeOf<
    { path: string; reason: string }[] | undefined
  >();
  expectTypeOf<SwarmError<'ACL_DENIED'>['details']>().toEqualTypeOf<
    | { role: string; action: 'publish' | 'subscribe'; topic: string; rule: string | null }
    | { role: string; action: 'consume'; group: string; rule: string | null }
    | { role: string; action: 'offer'; capability: string; rule: string | null }
    | undefined
  >();
  expectTypeOf<SwarmError<'IMMUTABLE_FIELD'>['details']>().toEqualTypeOf<{ field: string } | undefined>();
  expectTypeOf<SwarmError<'PAYLOAD_TOO_LARGE'>['details']>().toEqualTypeOf<{ limit: number } | undefined>();
  expectTypeOf<SwarmError<'UNAVAILABLE'>['details']>().toEqualTypeOf<{ id?: string } | undefined>();
  expectTypeOf<SwarmError<'NOT_FOUND'>['details']>().toBeUnknown();
});

test('a refusal is built with the details of its code', () => {
  expectTypeOf(new SwarmError('IMMUTABLE_FIELD', 'role', { details: { field: 'role' } })).toEqualTypeOf<
    SwarmError<'IMMUTABLE_FIELD'>
  >();
  // @ts-expect-error details of another code
  expectTypeOf(new SwarmError('IMMUTABLE_FIELD', 'role', { details: { limit: 1 } })).toBeObject();
  // @ts-expect-error a code that is not in the list
  expectTypeOf(new SwarmError('TEAPOT', 'short and stout')).toBeObject();
});

test('is() narrows to the code', () => {
  const error: SwarmError = SwarmError.from(null);
  if (error.is('PAYLOAD_TOO_LARGE')) {
    expectTypeOf(error.code).toEqualTypeOf<'PAYLOAD_TOO_LARGE'>();
    expectTypeOf(error.details).toEqualTypeOf<{ limit: number } | undefined>();
  }
});

test('codes are one closed union, on the wire too', () => {
  expectTypeOf<SwarmErrorBody['code']>().toEqualTypeOf<ErrorCode>();
  expectTypeOf<ErrorCode>().toEqualTypeOf<
    | 'INVALID_INPUT'
    | 'UNAUTHENTICATED'
    | 'FORBIDDEN'
    | 'ACL_DENIED'
    | 'NOT_FOUND'
    | 'CONFLICT'
    | 'IMMUTABLE_FIELD'
    | 'UNROUTABLE'
    | 'FENCED'
    | 'COMPACTED'
    | 'PAYLOAD_TOO_LARGE'
    | 'RATE_LIMITED'
    | 'CIRCUIT_OPEN'
    | 'UNAVAILABLE'
    | 'INTERNAL'
  >();
  expectTypeOf(invalidInput).returns.toEqualTypeOf<SwarmError<'INVALID_INPUT'>>();
});
