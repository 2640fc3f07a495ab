// The procedures of plans: views of what the core folds from the bus, and the retry of a failed plan.
import type { Api } from '@hypercode/contracts';
import { canBeRetried, nextRetryOf, pageOf, planEventId, viewOf } from '@hypercode/plans';
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
