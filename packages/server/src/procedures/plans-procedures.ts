// The procedures of plans: views of what the core folds from the bus, and the retry of a failed plan.
import {
  type Api,
  invalidField,
  type ListPlansInput,
  LIMITS,
  type PlanList,
  type PlanSummary,
  SwarmError,
} from '@hypercode/contracts';
import { canBeRetried, hasEnded, type Plan, planEventId, summaryOf, viewOf } from '@hypercode/plans';
import { watchPlans } from '../plans/watch-plans.ts';
import { busCallerOf } from './bus-caller.ts';
import { whileAlive } from './call-life.ts';
import type { Handlers } from './handler.ts';

/** How long the answer to a retry waits until the plan has begun again, in milliseconds, so that a caller who reads it next finds it so. */
const RECEIVE_LIMIT_MS = 1_000;

export const plansProcedures: Handlers<Api['plans']> = {
  list: ({ core, signal }, input) =>
    core.plans.use(input.namespace, async (fold) => pageOf(await fold.plans(signal), input)),

  get: ({ core, signal }, { namespace, planId }) =>
    core.plans.use(namespace, async (fold) => viewOf(await fold.plan(planId, signal))),

  async *watch(call, { namespace, ...filter }) {
    const { clock, plans } = call.core;
    const { fold, leave } = plans.enter(namespace);
    try {
      yield* whileAlive(call, 1, ({ signal }) => watchPlans(fold, filter, { clock, signal }));
    } finally {
      leave();
    }
  },

  retry: ({ core, identity, signal }, { namespace, planId, reason }) =>
    core.plans.use(namespace, async (fold) => {
      const retries = nextRetryOf(await fold.plan(planId, signal, canBeRetried));
      const data = reason === undefined ? { planId } : { planId, reason };
      const id = planEventId(planId, 'retry', retries);
      const event = { id, topic: 'plan.retry', data };
      const { position } = await core.bus.publish(busCallerOf(identity), namespace, event);
      const hasBegun = (): boolean => (fold.known(planId)?.retries ?? retries) >= retries;
      await fold.until(hasBegun, { limitMs: RECEIVE_LIMIT_MS, signal });
      return { planId, eventId: id, position };
    }),
};

/** The number of the retry that the plan needs, or has had and has not failed since. CONFLICT when a retry cannot help. */
function nextRetryOf(plan: Plan): number {
  if (canBeRetried(plan)) return plan.retries + 1;
  if (!hasEnded(plan) && plan.retries > 0) return plan.retries;
  const { status, refusal } = plan;
  const why =
    status !== 'failed'
      ? `the plan is ${status}; only a failed plan can be retried`
      : `a retry cannot help: ${refusal === null ? 'the tasks of the plan are unknown' : `the goal is invalid: ${refusal}`}`;
  throw new SwarmError('CONFLICT', why);
}

/** Newest first. INVALID_INPUT for a cursor that names no plan that is kept. */
function pageOf(plans: ReadonlyMap<string, Plan>, { state, limit, cursor }: ListPlansInput): PlanList {
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
    if (page.length === limit || bytes > LIMITS.pageBytes)
      return { plans: page, nextCursor: page.at(-1)?.planId ?? null };
    const summary = summaryOf(plan);
    bytes += Buffer.byteLength(JSON.stringify(summary));
    page.push(summary);
  }
  return { plans: page, nextCursor: null };
}
