// Inputs and outputs of the procedures of plans.
import { z } from 'zod';
import { GapReason } from './bus.ts';
import { Position } from './event.ts';
import { LIMITS } from './limits.ts';
import { inNamespace } from './name.ts';
import { PlanRetry } from './plan.ts';
import { PlanStatus, PlanSummary, PlanView } from './plan-view.ts';
import { unionByType } from './union-by-type.ts';

const { planId, reason } = PlanRetry.shape;
const State = PlanStatus.optional().describe('Only plans with this status.');

export const ListPlansInput = z.object({
  ...inNamespace,
  state: State,
  limit: z.number().int().min(1).max(LIMITS.pageSize).default(50).describe('Maximum number of plans on a page.'),
  cursor: z.uuid().toLowerCase().optional().describe('`nextCursor` of the previous page.'),
});
export type ListPlansInput = z.output<typeof ListPlansInput>;

export const PlanList = z
  .object({
    plans: z.array(PlanSummary),
    nextCursor: z.string().nullable(),
  })
  .meta({ id: 'PlanList' });
export type PlanList = z.infer<typeof PlanList>;

export const GetPlanInput = z.object({ ...inNamespace, planId });
export type GetPlanInput = z.output<typeof GetPlanInput>;

export const WatchPlansInput = z.object({
  ...inNamespace,
  planId: planId.optional().describe('Only this plan. Default: all.'),
  state: State,
  /** Set by resuming transports; of no meaning here, since every stream begins with the plans as they are. */
  lastEventId: z.string().max(LIMITS.cursorLength).optional(),
});
export type WatchPlansInput = z.output<typeof WatchPlansInput>;

/**
 * - `plan`: a plan as it is now: first each one, then each that has changed.
 * - `synced`: each plan was sent once.
 * - `reset`: events are missing on the bus, so the plans were read again; each is sent again, and `synced` follows. A plan that
 *   does not come is no longer known.
 */
export const PlanEvent = unionByType([
  z.object({ type: z.literal('plan'), plan: PlanView }),
  z.object({ type: z.literal('synced') }),
  z.object({ type: z.literal('reset'), reason: GapReason }),
]).meta({ id: 'PlanEvent' });
export type PlanEvent = z.infer<typeof PlanEvent>;

export const RetryPlanInput = z.object({ ...inNamespace, planId, reason });
export type RetryPlanInput = z.output<typeof RetryPlanInput>;

export const RetriedPlan = z
  .object({
    planId: z.uuid(),
    eventId: z.uuid().describe('Of the event `plan.retry`.'),
    position: Position,
  })
  .meta({ id: 'RetriedPlan' });
export type RetriedPlan = z.infer<typeof RetriedPlan>;
