// Which plans a list shows, as the address has it.
import type { PlanView } from '@hypercode/client';
import { z } from 'zod';

export const PLAN_STATES = ['planning', 'running', 'completed', 'failed', 'cancelled'] as const;

export const PlanFilterSearch = z.object({
  text: z.string().max(256).optional().catch(undefined),
  state: z.enum(PLAN_STATES).optional().catch(undefined),
});
export type PlanFilterSearch = z.infer<typeof PlanFilterSearch>;

/** `text` is found in titles and at the beginning of ids. */
export function filteredPlans(plans: readonly PlanView[], { text, state }: PlanFilterSearch): readonly PlanView[] {
  const wanted = text?.trim().toLowerCase();
  return plans.filter(
    ({ title, planId, goalId, status }) =>
      (state === undefined || status === state) &&
      (!wanted || title.toLowerCase().includes(wanted) || planId.startsWith(wanted) || goalId.startsWith(wanted)),
  );
}
