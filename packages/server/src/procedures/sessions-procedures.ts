// The procedure that makes a link with which a browser signs in.
import type { Api } from '@hypercode/contracts';
import type { Handlers } from './handler.ts';

export const sessionsProcedures: Handlers<Api['sessions']> = {
  code: ({ core, identity }) => core.browsers.link(identity),
};
