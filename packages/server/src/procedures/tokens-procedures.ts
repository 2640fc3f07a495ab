// The procedures of tokens.
import type { Api } from '@hypercode/contracts';
import type { Handlers } from './handler.ts';

export const tokensProcedures: Handlers<Api['tokens']> = {
  create: ({ core }, input) => core.registry.tokens.create(input),

  list: async ({ core }, { namespace }) => ({ tokens: await core.registry.tokens.list(namespace) }),

  async revoke({ core }, { namespace, id }) {
    await core.registry.tokens.revoke(namespace, id);
    return { id };
  },
};
