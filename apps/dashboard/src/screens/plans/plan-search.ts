// How a plan is looked at, as the address has it.
import { z } from 'zod';

export const PlanSearch = z.object({
  view: z.enum(['timeline', 'list']).optional().catch(undefined),
  /** The selected task. */
  task: z.string().max(256).optional().catch(undefined),
});
export type PlanSearch = z.infer<typeof PlanSearch>;
