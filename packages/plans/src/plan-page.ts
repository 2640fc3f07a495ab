// A page of the list of plans.
import { invalidField, LIMITS, type ListPlansInput, type PlanList, type PlanSummary } from '@hypercode/contracts';
import { jsonBytes } from './event-room.ts';
import type { Plan } from './plan.ts';
import { summaryOf } from './plan-view.ts';

/** Newest first; at most about `LIMITS.pageBytes`. INVALID_INPUT for a cursor that names no plan that is kept. */
export function pageOf(
  plans: ReadonlyMap<string, Plan>,
  { state, limit, cursor }: Pick<ListPlansInput, 'state' | 'limit' | 'cursor'>,
): PlanList {
  const all = [...plans.values()].toReversed();
  const start = cursor === undefined ? 0 : all.findIndex(({ planId }) => planId === cursor) + 1;
  if (cursor !== undefined && start === 0) {
    throw invalidField(
      'cursor',
      'was not returned by this call, or its plan is no longer kept: begin with the first page',
    );
  }
  const page: PlanSummary[] = [];
  let bytes = 0;
  for (const plan of all.slice(start)) {
    if (state !== undefined && plan.status !== state) continue;
    const isFull = page.length === limit || bytes > LIMITS.pageBytes;
    if (isFull) return { plans: page, nextCursor: page.at(-1)?.planId ?? null };
    const summary = summaryOf(plan);
    bytes += jsonBytes(summary);
    page.push(summary);
  }
  return { plans: page, nextCursor: null };
}
