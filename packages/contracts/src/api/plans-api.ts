// The procedures of plans.
import { LIMITS } from '../limits.ts';
import {
  GetPlanInput,
  ListPlansInput,
  PlanEvent,
  PlanList,
  RetriedPlan,
  RetryPlanInput,
  WatchPlansInput,
} from '../plan-calls.ts';
import { PlanView } from '../plan-view.ts';
import { mutation, query, subscription } from './procedure.ts';
import { OPERATE, OVERSEE } from './rights.ts';

/** A retry as a body; namespace and plan are in the URL. */
const RetryPlanBody = RetryPlanInput.omit({ namespace: true, planId: true }).meta({ id: 'RetryPlanBody' });

const KEPT = 'The last 200 ended plans are kept, and up to 1,000 running ones, fewer if they are large.';

export const plansApi = {
  list: query({
    input: ListPlansInput,
    output: PlanList,
    maxAnswerBytes: LIMITS.pageBytes,
    summary: 'List plans, the newest first',
    description: KEPT,
    rights: OVERSEE,
    errors: [],
    rest: {
      method: 'GET',
      path: '/v1/plans',
      operationId: 'listPlans',
      tag: 'plans',
      answers: { 200: 'A page of plans.' },
    },
  }),

  get: query({
    input: GetPlanInput,
    output: PlanView,
    maxAnswerBytes: LIMITS.planViewBytes,
    summary: 'Read a plan, with its tasks, their attempts and outputs',
    rights: OVERSEE,
    errors: ['NOT_FOUND'],
    rest: {
      method: 'GET',
      path: '/v1/plans/{planId}',
      operationId: 'getPlan',
      tag: 'plans',
      answers: { 200: 'The plan.' },
    },
  }),

  watch: subscription({
    input: WatchPlansInput,
    output: PlanEvent,
    summary: 'Follow plans live',
    description:
      'Sends each plan as it is, then `synced`, then each plan that has changed, at most twice a second each.',
    rights: OVERSEE,
    errors: ['NOT_FOUND'],
    rest: {
      method: 'GET',
      path: '/v1/plans/stream',
      operationId: 'watchPlans',
      tag: 'plans',
      description:
        'Server-sent events. `event:` is the `type` of the PlanEvent, and `data:` is the PlanEvent: first each plan as it is, then ' +
        '`synced`, then each plan that has changed, at most twice a second each. A stream that is opened again begins again. An ' +
        'error before the first event is an ordinary error answer. A later error is an event `error` with a SwarmError, after which ' +
        'the stream ends.',
      answers: { 200: 'The stream.' },
    },
  }),

  retry: mutation({
    input: RetryPlanInput,
    output: RetriedPlan,
    summary: 'Let a failed plan go on from where it failed',
    description:
      'Publishes `plan.retry` as the caller. Completed tasks stay, and the others get new attempts. A plan that has been retried and ' +
      'has not failed again stays as it is. CONFLICT for any other plan that has not failed.',
    rights: OPERATE,
    audited: false,
    errors: ['NOT_FOUND', 'CONFLICT', 'RATE_LIMITED'],
    rest: {
      method: 'POST',
      path: '/v1/plans/{planId}/retry',
      operationId: 'retryPlan',
      tag: 'plans',
      body: RetryPlanBody,
      bodyOptional: true,
      answers: { 202: 'The event is in the log. The Architect then goes on with the plan.' },
    },
  }),
};
