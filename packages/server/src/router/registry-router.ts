// The registry's procedures: each authorises, calls the registry, and maps the result.
import {
  type Agent,
  AgentRegistration,
  DeregisterInput,
  type DeregisterResult,
  GetInput,
  HeartbeatInput,
  type HeartbeatResult,
  HistoryInput,
  type HistoryResult,
  QueryInput,
  type QueryResult,
  type RegisterResult,
  UpdateInput,
  type UpdateResult,
  WatchInput,
} from '@hypercode/contracts';
import { assertMayChange, assertMayRead, assertMayRegister } from '@hypercode/registry';
import { heartbeat } from '../heartbeat.ts';
import { trackedValues } from '../streams/stream-kind.ts';
import { watchStream } from '../streams/watch-stream.ts';
import { procedure, router } from '../trpc.ts';

export const registryRouter = router({
  register: procedure.input(AgentRegistration).mutation(async ({ ctx, input }): Promise<RegisterResult> => {
    assertMayRegister(ctx.principal, input.namespace, input.role);
    ctx.core.registerRate.take(ctx.principal.id);
    const result = await ctx.core.registry.registrations.register(input, ctx.principal);
    ctx.core.metrics.registered(result.outcome);
    return result;
  }),

  update: procedure.input(UpdateInput).mutation(async ({ ctx, input }): Promise<UpdateResult> => {
    assertMayChange(ctx.principal, input.namespace, input.name);
    ctx.core.registerRate.take(ctx.principal.id);
    return { agent: await ctx.core.registry.registrations.update(input) };
  }),

  deregister: procedure.input(DeregisterInput).mutation(async ({ ctx, input }): Promise<DeregisterResult> => {
    assertMayChange(ctx.principal, input.namespace, input.name);
    return { agent: await ctx.core.registry.registrations.deregister(input) };
  }),

  heartbeat: procedure
    .input(HeartbeatInput)
    .mutation(({ ctx, input }): Promise<HeartbeatResult> => heartbeat(ctx.core, ctx.principal, input)),

  get: procedure.input(GetInput).query(({ ctx, input }): Promise<Agent> => {
    assertMayRead(ctx.principal, input.namespace);
    return ctx.core.registry.queries.get(input);
  }),

  query: procedure.input(QueryInput).query(({ ctx, input }): Promise<QueryResult> => {
    assertMayRead(ctx.principal, input.namespace);
    return ctx.core.registry.queries.query(input);
  }),

  history: procedure.input(HistoryInput).query(({ ctx, input }): Promise<HistoryResult> => {
    assertMayRead(ctx.principal, input.namespace);
    return ctx.core.registry.queries.history(input);
  }),

  watch: procedure
    .input(WatchInput)
    .subscription(({ ctx, input, signal }) =>
      trackedValues(
        ctx,
        watchStream.name,
        watchStream.open({ core: ctx.core, identity: ctx.identity, signal: signal ?? ctx.core.draining }, input),
      ),
    ),
});
