// The policies' procedures.
import {
  type Policy,
  PolicyExplainInput,
  type PolicyExplanation,
  PolicyGetInput,
  PolicyPutInput,
} from '@hypercode/contracts';
import { assertMayRead } from '@hypercode/registry';
import { policyProcedure, procedure, router } from '../trpc.ts';

export const policyRouter = router({
  get: procedure.input(PolicyGetInput).query(({ ctx, input: { namespace } }): Promise<Policy> => {
    assertMayRead(ctx.principal, namespace);
    return ctx.core.bus.getPolicy(namespace);
  }),

  put: policyProcedure
    .input(PolicyPutInput)
    .mutation(({ ctx, input: { namespace, policy, ifVersion } }): Promise<Policy> =>
      ctx.core.bus.putPolicy(namespace, policy, ifVersion),
    ),

  explain: procedure
    .input(PolicyExplainInput)
    .query(async ({ ctx, input: { namespace, name, action, topic } }): Promise<PolicyExplanation> => {
      assertMayRead(ctx.principal, namespace);
      const { role, status } = await ctx.core.registry.queries.get({ namespace, name });
      const agent = { name, role, circuit: status.circuit };
      return ctx.core.bus.explainPolicy(namespace, agent, { action, topic });
    }),
});
