// Operators' tokens: made, listed and revoked by administrators.
import {
  CreateTokenInput,
  type CreateTokenResult,
  ListTokensInput,
  type ListTokensResult,
  RevokeTokenInput,
  type RevokeTokenResult,
} from '@hypercode/contracts';
import { assertAdmin } from '@hypercode/registry';
import { procedure, router } from '../trpc.ts';

export const tokensRouter = router({
  create: procedure.input(CreateTokenInput).mutation(({ ctx, input }): Promise<CreateTokenResult> => {
    assertAdmin(ctx.principal);
    return ctx.core.registry.tokens.create(input);
  }),

  list: procedure.input(ListTokensInput).query(async ({ ctx, input }): Promise<ListTokensResult> => {
    assertAdmin(ctx.principal);
    return { tokens: await ctx.core.registry.tokens.list(input.namespace) };
  }),

  revoke: procedure.input(RevokeTokenInput).mutation(async ({ ctx, input }): Promise<RevokeTokenResult> => {
    assertAdmin(ctx.principal);
    await ctx.core.registry.tokens.revoke(input.namespace, input.id);
    return { id: input.id };
  }),
});
