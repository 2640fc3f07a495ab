// Refusals as RFC 9457 problem details: the form in which every transport except tRPC sends them.
import { z } from 'zod';
import type { SwarmError } from './error.ts';
import { ErrorCode } from './error-body.ts';

export const PROBLEM_MEDIA_TYPE = 'application/problem+json';

const TITLES = {
  INVALID_INPUT: 'Invalid input',
  UNAUTHENTICATED: 'Not authenticated',
  FORBIDDEN: 'Not allowed for this token',
  ACL_DENIED: 'Denied by the policy',
  NOT_FOUND: 'Not found',
  CONFLICT: 'Conflict',
  IMMUTABLE_FIELD: 'Immutable field',
  UNROUTABLE: 'No receiver',
  FENCED: 'Superseded by a newer process',
  COMPACTED: 'History no longer available',
  PAYLOAD_TOO_LARGE: 'Payload too large',
  RATE_LIMITED: 'Too many calls',
  CIRCUIT_OPEN: 'Circuit open',
  UNAVAILABLE: 'Unavailable',
  INTERNAL: 'Internal error',
} as const satisfies Record<ErrorCode, string>;

/** The members of RFC 9457, section 3.1, and the refusal's own. */
export const Problem = z
  .object({
    /** Names the code; there is no page at this address. */
    type: z.string(),
    title: z.string(),
    status: z.number().int(),
    /** What went wrong this time, in words. */
    detail: z.string(),
    code: ErrorCode,
    /** Whether the same call, repeated unchanged, can succeed. */
    retryable: z.boolean(),
    /** How long to wait before the next try, in milliseconds. */
    retryAfterMs: z.number().int().nonnegative().optional(),
    details: z.unknown().optional(),
  })
  .meta({ id: 'Problem' });
export type Problem = z.infer<typeof Problem>;

export function problemOf(refusal: SwarmError): Problem {
  const { message, ...rest } = refusal.toJSON();
  return {
    type: `urn:hypercode-swarm:error:${refusal.code.toLowerCase().replaceAll('_', '-')}`,
    title: TITLES[refusal.code],
    status: refusal.httpStatus,
    detail: message,
    ...rest,
  };
}

/** The headers that go with a refusal: when to come back (RFC 9110, 10.2.3), how to authenticate (RFC 6750, 3). */
export function problemHeaders({ code, retryAfterMs }: SwarmError): Record<string, string> {
  return {
    'content-type': PROBLEM_MEDIA_TYPE,
    ...(retryAfterMs === undefined ? {} : { 'retry-after': String(Math.ceil(retryAfterMs / 1000)) }),
    ...(code === 'UNAUTHENTICATED' ? { 'www-authenticate': 'Bearer' } : {}),
  };
}
