// Publishes the events of actions. The id of each event is derived from the action, so publishing it again is a
// duplicate.
import { taskEventId, type TypedEvents } from '@hypercode/client';
import { type architectEvents, type Json, jsonFault, LIMITS, type PublishResult } from '@hypercode/contracts';
import { type Plan, planEventId } from '@hypercode/plans';
import { cut } from '../cut.ts';
import { type Action, dependenciesOf } from '../scheduling/action.ts';

export type ArchitectBus = TypedEvents<typeof architectEvents>;

/** Upper bound of the bytes of a `plan.completed` without its outputs. */
const ENVELOPE_BYTES = 4096;

/** Rejects as `publish` does. */
export function announce(
  bus: Pick<ArchitectBus, 'publish'>,
  action: Exclude<Action, { kind: 'plan' }>,
): Promise<PublishResult> {
  const { plan } = action;
  const { planId, goalId } = plan;
  const about = { correlationId: goalId };
  switch (action.kind) {
    case 'assign': {
      const { task, attempt, agent } = action;
      const { taskId, capability, title, input = null } = task.spec;
      const dependencies = dependenciesOf(plan, task);
      const deadlineAt = new Date(action.deadlineAt).toISOString();
      const { incarnation } = agent;
      return bus.publish(
        `task.${agent.name}.assigned`,
        { planId, goalId, taskId, attempt, capability, title, input, dependencies, deadlineAt, incarnation },
        { ...about, id: taskEventId({ planId, taskId, attempt }, 'assigned') },
      );
    }
    case 'withdraw': {
      const { taskId, attempt, agent, reason } = action;
      const id = taskEventId({ planId, taskId, attempt }, 'cancelled');
      return bus.publish(`task.${agent}.cancelled`, { planId, taskId, attempt, reason }, { ...about, id });
    }
    case 'complete':
      return bus.publish(
        'plan.completed',
        { planId, goalId, ...outputsOf(plan) },
        { ...about, id: planEventId(planId, 'completed') },
      );
    case 'fail': {
      const reason = cut(action.reason, LIMITS.taskErrorLength);
      return bus.publish('plan.failed', { planId, goalId, reason }, { ...about, id: planEventId(planId, 'failed') });
    }
    case 'cancel': {
      const { reason } = action;
      return bus.publish(
        'plan.cancelled',
        { planId, goalId, reason },
        { ...about, id: planEventId(planId, 'cancelled') },
      );
    }
  }
}

/** The outputs of the tasks, as far as one event can hold them. Those that no other task depends on come first. */
function outputsOf({ tasks }: Plan): { outputs: Record<string, Json>; omitted: number } {
  const outputs: [string, Json][] = [];
  let room = LIMITS.eventBytes - ENVELOPE_BYTES;
  for (const { spec, result } of [...tasks.values()].toSorted((a, b) => rankOf(a) - rankOf(b))) {
    const output = result?.output ?? null;
    const bytes = Buffer.byteLength(JSON.stringify({ [spec.taskId]: output }));
    // An output is nested deeper here than in the event that it came with.
    if (bytes > room || jsonFault({ outputs: { [spec.taskId]: output } }) !== null) continue;
    room -= bytes;
    outputs.push([spec.taskId, output]);
  }
  return { outputs: Object.fromEntries(outputs), omitted: tasks.size - outputs.length };
}

const rankOf = ({ dependants }: { readonly dependants: readonly string[] }): number =>
  dependants.length === 0 ? 0 : 1;
