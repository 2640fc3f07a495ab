// What a token is, and what it may do.
import { z } from 'zod';
import { CALLER_KINDS } from './api/rights.ts';
import { Name, Namespace } from './name.ts';

export const WhoamiInput = z.object({
  namespace: Namespace.optional().describe(
    'Refused with FORBIDDEN unless the token has access to this namespace. Default: the namespace of the token.',
  ),
});
export type WhoamiInput = z.output<typeof WhoamiInput>;

export const WhoamiResult = z
  .object({
    kind: z.enum(CALLER_KINDS),
    /** Name of the agent, or the name that the token was given. */
    name: z.string(),
    /** Namespace of the token; null: every namespace. */
    namespace: Namespace.nullable(),
    /** Name of the agent, when the token is an agent's own. */
    agent: Name.optional(),
    /** Role of the agent, when the token is an agent's own. */
    role: Name.optional(),
    /** Procedures that tokens of this kind may call. The policy further limits agents on the bus. */
    may: z.array(z.string()),
    /** When the token stops working; null: when it is revoked, or its agent is removed or has another process. */
    expiresAt: z.iso.datetime().nullable(),
    core: z.object({
      /** Version of the core. */
      version: z.string(),
      /** Version of the API that the core speaks. */
      api: z.number().int().positive(),
    }),
    /** Time of the core. */
    now: z.iso.datetime(),
  })
  .meta({ id: 'WhoamiResult' });
export type WhoamiResult = z.infer<typeof WhoamiResult>;
