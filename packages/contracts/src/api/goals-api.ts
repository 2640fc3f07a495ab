// The procedures of goals: each publishes an event as the caller.
import { CancelGoalInput, CancelledGoal, SubmitGoalInput, SubmittedGoal } from '../goal-calls.ts';
import { LIMITS } from '../limits.ts';
import { mutation } from './procedure.ts';
import { TAKE_PART } from './rights.ts';

/** Inputs as bodies; the namespace and the id of a cancelled goal are in the URL. */
const GoalBody = SubmitGoalInput.omit({ namespace: true }).meta({ id: 'GoalBody' });
const CancelGoalBody = CancelGoalInput.omit({ namespace: true, goalId: true }).meta({ id: 'CancelGoalBody' });

export const goalsApi = {
  submit: mutation({
    input: SubmitGoalInput,
    output: SubmittedGoal,
    summary: 'Submit a goal to the Architect',
    description:
      'Checks the goal and its steps, and publishes `goal.submitted` as the caller; the policy must allow that event to the role of ' +
      'an agent. A goal with a `goalId` can be submitted again without becoming two.',
    rights: TAKE_PART,
    audited: false,
    errors: ['ACL_DENIED', 'CIRCUIT_OPEN', 'RATE_LIMITED'],
    maxInputBytes: LIMITS.eventBytes,
    rest: {
      method: 'POST',
      path: '/v1/goals',
      operationId: 'submitGoal',
      tag: 'plans',
      body: GoalBody,
      answers: { 202: 'The goal is in the log. `location` is the address of its plan.' },
    },
  }),

  cancel: mutation({
    input: CancelGoalInput,
    output: CancelledGoal,
    summary: 'Cancel a goal',
    description:
      'Publishes `goal.cancelled` as the caller; the policy must allow that event to the role of an agent. A goal that has ended ' +
      'stays as it is.',
    rights: TAKE_PART,
    audited: false,
    errors: ['ACL_DENIED', 'CIRCUIT_OPEN', 'RATE_LIMITED'],
    rest: {
      method: 'POST',
      path: '/v1/goals/{goalId}/cancel',
      operationId: 'cancelGoal',
      tag: 'plans',
      body: CancelGoalBody,
      bodyOptional: true,
      answers: { 202: 'The event is in the log. The Architect then cancels the plan.' },
    },
  }),
};
