// Goals for the Architect, and the plans that come of them.
import { type ApiOutput, GetPlanInput, type PlanView, SubmitGoalInput } from '@hypercode/contracts';
import { callProcedure } from '@hypercode/server';
import { tool } from './tool.ts';
import { follow, WaitMs } from './wait.ts';

const { namespace: _namespace, ...goal } = SubmitGoalInput.shape;

export const submitGoal = tool(
  {
    name: 'submit_goal',
    title: 'Submit a goal',
    description:
      'Give the Architect a goal: it plans tasks and hands them to agents. The answer comes at once; wait for its end with `get_plan`, or for the event plan.completed. ' +
      'Give `steps` when you know them. Example: {"title":"Ship 1.2","steps":[{"id":"build","title":"Build","capability":"code.build"}]}.',
    readOnly: false,
    calls: ['goals.submit'],
    publishes: 'goal.submitted',
  },
  goal,
  async ({ call, namespace }, submitted) => {
    const { goalId, planId, eventId, position, duplicate } = await callProcedure('goals.submit', call, {
      ...submitted,
      namespace,
    });
    return {
      text: 'The goal is submitted. Follow it with `get_plan` and this `planId`, or, where you have no such tool, with `wait_for_events` on ["plan.*"].',
      facts: { goalId, planId, eventId, position, duplicate },
    };
  },
);

const ENDED: ReadonlySet<PlanView['status']> = new Set(['completed', 'failed', 'cancelled']);

export const getPlan = tool(
  {
    name: 'get_plan',
    title: 'Get a plan, or wait for its end',
    description:
      'Show a plan: its state, its tasks with their attempts, and the outputs. With `waitMs` it waits for at most 25 seconds until the plan ' +
      'has ended; call again to go on waiting. Example: {"planId":"…","waitMs":20000}.',
    readOnly: true,
    calls: ['plans.get', 'plans.watch'],
    long: true,
  },
  { planId: GetPlanInput.shape.planId, waitMs: WaitMs.default(0) },
  async ({ call, namespace }, { planId, waitMs }) => {
    let plan = await callProcedure('plans.get', call, { namespace, planId });
    if (waitMs > 0 && !ENDED.has(plan.status)) {
      const take = (values: readonly ApiOutput<'plans.watch'>[]): boolean => {
        for (const value of values) if (value.type === 'plan') ({ plan } = value);
        return ENDED.has(plan.status);
      };
      await follow(call, 'plans.watch', { input: { namespace, planId }, waitMs, take });
    }
    const { status, goalId, tasks, endedAt } = plan;
    const done = tasks.filter((task) => task.status === 'completed').length;
    const next = ENDED.has(status) ? '' : ' Call again with `waitMs` to wait for its end.';
    return {
      text: `The plan is ${status}: ${done} of ${tasks.length} tasks are completed.${next}`,
      facts: { status, planId, goalId, endedAt, tasks: { total: tasks.length, completed: done } },
      untrusted: { plan },
    };
  },
);
