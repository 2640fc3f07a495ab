// What the address says about the screen of the policy: a version that is shown, and a question to the policy.
import { Name, PolicyAction } from '@hypercode/contracts';
import { z } from 'zod';

export const PolicySearch = z.object({
  version: z.number().int().nonnegative().optional().catch(undefined),
  /** Of the agent. */
  name: Name.optional().catch(undefined),
  action: PolicyAction.optional().catch(undefined),
  /** The topic or pattern; the group, to consume. */
  what: z.string().max(255).optional().catch(undefined),
});
export type PolicySearch = z.infer<typeof PolicySearch>;
