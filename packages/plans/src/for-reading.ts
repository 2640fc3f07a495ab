// What a ledger that conducts no plan keeps of a fact: not what only planning and assigning need.
import type { PlanTask } from '@hypercode/contracts';
import type { CheckpointEntry } from './checkpoint.ts';
import type { Fact } from './fact.ts';

/** The fact without the steps and the description of a goal, and without the inputs of tasks. */
export function forReading(fact: Fact): Fact {
  if (fact.kind === 'goal.submitted') {
    const { goalId, title, deadlineMs } = fact.data;
    return { ...fact, data: { goalId, title, deadlineMs } };
  }
  if (fact.kind === 'plan.created') {
    return { ...fact, data: { ...fact.data, tasks: fact.data.tasks.map(withoutInput) } };
  }
  if (fact.kind === 'question.asked') {
    const { options: _, schema: _schema, ...data } = fact.data;
    return { ...fact, data };
  }
  if (fact.kind === 'question.answered' && typeof fact.data.answer !== 'string') {
    return { ...fact, data: { ...fact.data, answer: null } };
  }
  if (fact.kind === 'task.assigned') return { ...fact, data: { ...fact.data, input: null, dependencies: {} } };
  return fact;
}

/** The same for an entry of a checkpoint. */
export const entryForReading = (entry: CheckpointEntry): CheckpointEntry =>
  entry.kind === 'task' ? { ...entry, spec: withoutInput(entry.spec) } : entry;

const withoutInput = ({ input: _, ...spec }: PlanTask): PlanTask => spec;
