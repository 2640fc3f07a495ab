// What of a task waits for a person, or is likely to stand still.
import type { PlanView } from '@hypercode/client';

export type Task = PlanView['tasks'][number];

/**
 * - `asks`: the attempt waits for the answer of a person; its deadline stands still.
 * - `stalled`: the agent has begun the task and reports nothing; at the deadline the task goes to another agent.
 */
export type TaskAlert =
  | { readonly kind: 'asks'; readonly questions: Task['questions'] }
  | { readonly kind: 'stalled'; readonly agent: string; readonly since: string };

/** A question counts for more than silence: an agent that waits for an answer has nothing to report. */
export function alertOf({ status, attempts, questions }: Task): TaskAlert | null {
  if (status !== 'assigned') return null;
  const open = questions.filter(({ endedAt }) => endedAt === null);
  if (open.length > 0) return { kind: 'asks', questions: open };
  const last = attempts.at(-1);
  const since = last?.stalledAt ?? null;
  return last === undefined || since === null ? null : { kind: 'stalled', agent: last.agent, since };
}
