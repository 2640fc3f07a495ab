// The declared procedures as a tRPC router. Users of @trpc/client import its type and nothing else.
import { type Api, invalidField, LIMITS, type Procedure, type ProcedureKind, SwarmError } from '@hypercode/contracts';
import {
  initTRPC,
  tracked,
  type TrackedEnvelope,
  type TRPCMutationProcedure,
  type TRPCQueryProcedure,
  type TRPCSubscriptionProcedure,
} from '@trpc/server';
import type { z } from 'zod';
import type { CallContext } from '../context.ts';
import { assertMayCall } from '../procedures/authorise.ts';
import type { Answerer, Call, Streamer } from '../procedures/handler.ts';
import type { Turn } from '../outgoing/outgoing.ts';
import { admit, servedProcedures, type ServedProcedure } from '../procedures/procedures.ts';
import { toErrorShape, toTrpcError } from '../refusals.ts';
import { startingWith } from '../sse/serve-stream.ts';
import { JsonText } from './json-text.ts';
import { SSE_CLIENT_OPTIONS } from './sse-options.ts';

type ErrorShape = ReturnType<typeof toErrorShape>;

/** An input whose fields are all optional is optional itself. */
type Given<Input> = Partial<Input> extends Input ? Input | void : Input;

interface Built<Input, Output> {
  input: Given<Input>;
  output: Output;
  meta: object;
  errorShape: ErrorShape;
}

/** A declared procedure as tRPC's own type: nothing is inferred from what the router does. */
type TrpcProcedure<Kind extends ProcedureKind, Input, Output> = {
  query: TRPCQueryProcedure<Built<Input, Output>>;
  mutation: TRPCMutationProcedure<Built<Input, Output>>;
  subscription: TRPCSubscriptionProcedure<Built<Input, AsyncIterable<{ id: string; data: Output }, void, unknown>>>;
}[Kind];

type TrpcOf<Declared> =
  Declared extends Procedure<infer Kind, infer Input, infer Output>
    ? TrpcProcedure<Kind, z.input<Input>, z.output<Output>>
    : never;

type TrpcRecord = {
  [Entry in keyof Api]: Api[Entry] extends Procedure
    ? TrpcOf<Api[Entry]>
    : { [Own in keyof Api[Entry]]: TrpcOf<Api[Entry][Own]> };
};

const t = initTRPC.context<CallContext>().create({
  errorFormatter: ({ error, path }): ErrorShape => toErrorShape(error, path),
  sse: { client: SSE_CLIENT_OPTIONS },
  isDev: false,
});

/** Knows that the caller may call before anything of the input is parsed, and hands on a call that is allowed. */
const procedureOf = (served: ServedProcedure) =>
  t.procedure.use(async ({ ctx, getRawInput, next }) => {
    let turn: Turn | undefined;
    let answer: unknown;
    try {
      turn = await ctx.outgoing.begin(served.declared);
      const identity = await ctx.identify();
      assertMayCall(identity.principal, served.declared.rights);
      await turn.admit(identity.principal);
      const given = await getRawInput();
      assertSize(served, ctx.bodyBytes, given);
      const input = admit(served, { identity, ignoredNames: ctx.ignoredNames }, given);
      const result = await next({ ctx: { identity, input } });
      if (!result.ok) throw result.error;
      answer = result.data;
      return result;
    } catch (error) {
      throw toTrpcError(error);
    } finally {
      turn?.end(answer);
    }
  });

function trpcProcedure(served: ServedProcedure) {
  const procedure = procedureOf(served);
  const { handler } = served;
  const callOf = ({ ctx, signal }: { ctx: CallContext & Pick<Call, 'identity'>; signal: AbortSignal | undefined }) => ({
    core: ctx.core,
    identity: ctx.identity,
    signal: signal ?? ctx.core.draining,
    limitStall: ctx.limitStall,
    requestId: ctx.nextRequestId(),
    outgoing: ctx.outgoing,
    ignoredNames: ctx.ignoredNames,
  });
  switch (served.declared.kind) {
    case 'query':
      return procedure.query((options) => (handler as Answerer)(callOf(options), options.ctx.input));
    case 'mutation':
      return procedure.mutation((options) => (handler as Answerer)(callOf(options), options.ctx.input));
    case 'subscription':
      return procedure.subscription(async (options) => {
        const batches = (handler as Streamer)(callOf(options), options.ctx.input);
        // What is refused is refused before the adapter reports that it has started.
        const first = await batches.next();
        // The adapter does not begin what it ends at once, and what has not begun does not end the batches.
        const end = () => void batches.return(undefined).catch(() => undefined);
        if (options.signal?.aborted === true) end();
        else options.signal?.addEventListener('abort', end, { once: true });
        return trackedValues(options, served, startingWith(Promise.resolve(first), batches));
      });
  }
}

const record: Record<string, ReturnType<typeof trpcProcedure> | Record<string, ReturnType<typeof trpcProcedure>>> = {};
for (const served of servedProcedures) {
  const [entry = '', own] = served.name.split('.');
  if (own === undefined) record[entry] = trpcProcedure(served);
  else Object.assign((record[entry] ??= {}), { [own]: trpcProcedure(served) });
}

export const appRouter = t.router(record as unknown as TrpcRecord);

export type AppRouter = typeof appRouter;

/** A stream as tRPC's own adapters take it: one tracked value at a time, at the pace of the transport. */
async function* trackedValues(
  { ctx, signal }: { ctx: CallContext; signal: AbortSignal | undefined },
  { name }: ServedProcedure,
  batches: ReturnType<Streamer>,
): AsyncGenerator<TrackedEnvelope<unknown>, void> {
  const tally = ctx.core.metrics.streamTally(name, 'websocket');
  const closed = tally.opened();
  try {
    for await (const batch of batches) {
      for (const item of batch) {
        // The adapter drops what comes after the end.
        if (signal?.aborted === true) return;
        item.sent?.();
        yield tracked(item.id, new JsonText(item.json));
        tally.sent([item], 0);
        await ctx.drained();
      }
    }
  } finally {
    closed();
  }
}

/**
 * PAYLOAD_TOO_LARGE for an input with more bytes of JSON than it may have. It comes before the schema, which checks everything
 * and names everything that it finds.
 */
function assertSize({ declared }: ServedProcedure, bodyBytes: number | null, input: unknown): void {
  const { maxInputBytes = LIMITS.inputBytes } = declared;
  if (bodyBytes !== null && bodyBytes <= maxInputBytes) return;
  let text: string;
  try {
    text = JSON.stringify(input) ?? '';
  } catch (error) {
    throw invalidField('', 'is nested too deeply', { cause: error });
  }
  if (Buffer.byteLength(text) <= maxInputBytes) return;
  throw new SwarmError('PAYLOAD_TOO_LARGE', `the input must have at most ${maxInputBytes} bytes of JSON`, {
    details: { limit: maxInputBytes },
  });
}
