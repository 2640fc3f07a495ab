// The procedures of tokens.
import type { Api } from '@hypercode/contracts';
import type { Handlers } from './handler.ts';

export const tokensProcedures: Handlers<Api['tokens']> = {
  create: ({ core, identity }, input) => core.registry.tokens.create(input, identity.principal),

  list: async ({ core }, { namespace }) => ({ tokens: await core.registry.tokens.list(namespace) }),

  async revoke({ core, identity }, { namespace, id }) {
    await core.registry.tokens.revoke(namespace, id, identity.principal);
    return { id };
  },
};
