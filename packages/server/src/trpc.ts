// The building blocks of procedures: an error shape, a recognised caller, a checked size.
import { invalidField, LIMITS, SwarmError } from '@hypercode/contracts';
import { assertAdmin } from '@hypercode/registry';
import { initTRPC } from '@trpc/server';
import type { CallContext } from './context.ts';
import { toErrorShape, toTrpcError } from './refusals.ts';

/**
 * A client that hears nothing for this long reconnects, in milliseconds: more than two bookmarks, so that one may be
 * late.
 */
const RECONNECT_AFTER_INACTIVITY_MS = 40_000;

/** What the first frame of an SSE subscription tells tRPC's client. */
export const SSE_CLIENT_OPTIONS = { reconnectAfterInactivityMs: RECONNECT_AFTER_INACTIVITY_MS };

const t = initTRPC.context<CallContext>().create({
  errorFormatter: ({ error, path }) => toErrorShape(error, path),
  sse: { client: SSE_CLIENT_OPTIONS },
  isDev: false,
});

export const { router, createCallerFactory } = t;

/** Knows who is calling before it looks at the input. */
const recognised = t.procedure.use(async ({ ctx, next }) => {
  const identity = await ctx.identify().catch((error: unknown) => {
    throw toTrpcError(error);
  });
  const result = await next({ ctx: { identity, principal: identity.principal } });
  if (!result.ok) throw toTrpcError(result.error);
  return result;
});

/**
 * A procedure whose input is at most so many bytes of JSON, which is seen before a schema is: schemas look at everything, and
 * name everything that they find. PAYLOAD_TOO_LARGE says what was too large.
 */
const procedureUpTo = (maxBytes: number, what: string) =>
  recognised.use(async ({ ctx, getRawInput, next }) => {
    if (ctx.bodyBytes === null || ctx.bodyBytes > maxBytes) assertSize(await getRawInput(), maxBytes, what);
    return next();
  });

export const procedure = procedureUpTo(LIMITS.registrationBytes, 'the input');
export const eventProcedure = procedureUpTo(LIMITS.eventBytes, 'an event');
export const eventsProcedure = procedureUpTo(LIMITS.publishManyBytes, 'a publishMany');
/** For administrators: the input can be large, so whoever else calls is refused before it is looked at. */
export const policyProcedure = recognised
  .use(({ ctx, next }) => {
    assertAdmin(ctx.principal);
    return next();
  })
  .concat(procedureUpTo(LIMITS.policyBytes, 'a policy'));

function assertSize(input: unknown, maxBytes: number, what: string): void {
  let text: string;
  try {
    text = JSON.stringify(input) ?? '';
  } catch (error) {
    throw invalidField('', 'is nested too deeply', { cause: error });
  }
  if (Buffer.byteLength(text) <= maxBytes) return;
  throw new SwarmError('PAYLOAD_TOO_LARGE', `${what} must have at most ${maxBytes} bytes of JSON`, {
    details: { limit: maxBytes },
  });
}
