// The schemas of refusals. They stand apart from `error.ts`, which browsers load without zod.
import { z } from 'zod';
import { ERROR_CODES, type ErrorCode as Code } from './error.ts';

export const ErrorCode = z.enum(Object.keys(ERROR_CODES) as [Code, ...Code[]]);
export type ErrorCode = Code;

/** A refusal as it travels: in problem+json, in `error.data.swarm`, in an `error` event. */
export const SwarmErrorBody = z
  .object({
    code: ErrorCode,
    message: z.string(),
    /** Whether the same call, repeated unchanged, can succeed. */
    retryable: z.boolean(),
    /** How long to wait before the next try, in milliseconds. */
    retryAfterMs: z.number().int().nonnegative().optional(),
    details: z.unknown().optional(),
  })
  .meta({ id: 'SwarmError' });
export type SwarmErrorBody = z.infer<typeof SwarmErrorBody>;
