// The bus' procedures: each says who is calling, calls the bus, and maps the result.
import {
  AckInput,
  BusPublishInput,
  ClaimInput,
  type ClaimResult,
  ConsumeInput,
  type CountResult,
  DeadLetterChoice,
  DeadLettersInput,
  type DeadLettersResult,
  GroupsInput,
  type GroupsResult,
  NackInput,
  PublishManyInput,
  type PublishManyResult,
  type PublishResult,
  ReadInput,
  type ReadResult,
  type SettleResult,
  SubscribeInput,
  TopicsInput,
  type TopicsResult,
} from '@hypercode/contracts';
import { assertMayRead } from '@hypercode/registry';
import { busCallerOf } from '../bus-caller.ts';
import { consumeStream, subscribeStream } from '../streams/bus-streams.ts';
import { trackedValues } from '../streams/stream-kind.ts';
import { waitWhileAlive } from '../streams/stream-life.ts';
import { eventProcedure, eventsProcedure, procedure, router } from '../trpc.ts';

export const busRouter = router({
  publish: eventProcedure.input(BusPublishInput).mutation(({ ctx, input }): Promise<PublishResult> => {
    const { namespace, ...event } = input;
    return ctx.core.bus.publish(busCallerOf(ctx.principal, namespace), namespace, event);
  }),

  publishMany: eventsProcedure
    .input(PublishManyInput)
    .mutation(async ({ ctx, input: { namespace, events } }): Promise<PublishManyResult> => {
      const result = await ctx.core.bus.publishMany(busCallerOf(ctx.principal, namespace), namespace, events);
      for (const one of result.results) if ('error' in one) ctx.core.metrics.refused(one.error.code);
      return result;
    }),

  subscribe: procedure
    .input(SubscribeInput)
    .subscription(({ ctx, input, signal }) =>
      trackedValues(
        ctx,
        subscribeStream.name,
        subscribeStream.open({ core: ctx.core, identity: ctx.identity, signal: signal ?? ctx.core.draining }, input),
      ),
    ),

  read: procedure
    .input(ReadInput)
    .query(({ ctx, input }): Promise<ReadResult> =>
      ctx.core.bus.read(busCallerOf(ctx.principal, input.namespace), input),
    ),

  consume: procedure
    .input(ConsumeInput)
    .subscription(({ ctx, input, signal }) =>
      trackedValues(
        ctx,
        consumeStream.name,
        consumeStream.open({ core: ctx.core, identity: ctx.identity, signal: signal ?? ctx.core.draining }, input),
      ),
    ),

  claim: procedure.input(ClaimInput).mutation(({ ctx, input, signal }): Promise<ClaimResult> => {
    const caller = busCallerOf(ctx.principal, input.namespace);
    const call = { core: ctx.core, identity: ctx.identity, signal: signal ?? ctx.core.draining };
    return waitWhileAlive(call, (over) => ctx.core.bus.claim(caller, input, over));
  }),

  ack: procedure
    .input(AckInput)
    .mutation(async ({ ctx, input: { namespace, group, deliveryIds } }): Promise<SettleResult> => {
      const caller = busCallerOf(ctx.principal, namespace);
      return { settled: await ctx.core.bus.ack(caller, namespace, group, deliveryIds) };
    }),

  nack: procedure.input(NackInput).mutation(async ({ ctx, input }): Promise<SettleResult> => ({
    settled: await ctx.core.bus.nack(busCallerOf(ctx.principal, input.namespace), input),
  })),

  deadLetters: procedure
    .input(DeadLettersInput)
    .query(({ ctx, input }): Promise<DeadLettersResult> =>
      ctx.core.bus.deadLetters(busCallerOf(ctx.principal, input.namespace), input),
    ),

  redrive: procedure
    .input(DeadLetterChoice)
    .mutation(({ ctx, input }): Promise<CountResult> =>
      ctx.core.bus.redrive(busCallerOf(ctx.principal, input.namespace), input),
    ),

  discard: procedure
    .input(DeadLetterChoice)
    .mutation(({ ctx, input }): Promise<CountResult> =>
      ctx.core.bus.discard(busCallerOf(ctx.principal, input.namespace), input),
    ),

  topics: procedure.input(TopicsInput).query(({ ctx, input }): Promise<TopicsResult> => {
    assertMayRead(ctx.principal, input.namespace);
    return ctx.core.bus.topics(input);
  }),

  groups: procedure.input(GroupsInput).query(async ({ ctx, input: { namespace } }): Promise<GroupsResult> => {
    assertMayRead(ctx.principal, namespace);
    return { groups: await ctx.core.bus.listGroups(namespace) };
  }),
});
