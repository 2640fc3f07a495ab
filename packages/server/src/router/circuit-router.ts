// Circuits in an operator's hand.
import { type Agent, ResetInput, TripInput } from '@hypercode/contracts';
import { assertAdmin } from '@hypercode/registry';
import { procedure, router } from '../trpc.ts';

export const circuitRouter = router({
  trip: procedure.input(TripInput).mutation(({ ctx, input }): Promise<Agent> => {
    assertAdmin(ctx.principal);
    return ctx.core.registry.circuits.trip(input);
  }),

  reset: procedure.input(ResetInput).mutation(({ ctx, input }): Promise<Agent> => {
    assertAdmin(ctx.principal);
    return ctx.core.registry.circuits.reset(input);
  }),
});
