// The procedures of tokens.
import type { Api } from '@hypercode/contracts';
import type { Handlers } from './handler.ts';

export const tokensProcedures: Handlers<Api['tokens']> = {
  create: ({ core }, input) => core.registry.createToken(input),

  list: async ({ core }, { namespace }) => ({ tokens: await core.registry.listTokens(namespace) }),

  async revoke({ core }, { namespace, id }) {
    await core.registry.revokeToken(namespace, id);
    return { id };
  },
};
