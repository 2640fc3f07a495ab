// What happened to a plan between two views of it, as lines: for where no tree can be redrawn. Pure.
import type { PlanView } from '@hypercode/client';
import type { Line } from '../output/parts.ts';

export function planChanges(before: PlanView | null, after: PlanView): Line[] {
  const lines: Line[] = [];
  if (before?.status !== after.status) {
    lines.push(
      `plan ${after.planId} (${after.title}): ${after.status}${after.reason === null ? '' : `: ${after.reason}`}`,
    );
  }
  const tasksBefore = new Map(before?.tasks.map((task) => [task.taskId, task]));
  for (const task of after.tasks) {
    const { taskId, status, agent, attempt, progress } = task;
    const earlier = tasksBefore.get(taskId);
    for (const one of task.attempts) {
      const known = earlier?.attempts.find((other) => other.attempt === one.attempt);
      const isNew = one.outcome !== 'running' && one.outcome !== 'completed' && known?.outcome !== one.outcome;
      if (isNew)
        lines.push(
          `task ${taskId}: attempt ${one.attempt} of ${one.agent}: ${one.outcome}${one.error === null ? '' : `: ${one.error}`}`,
        );
    }
    if (status === 'completed' && earlier?.status !== 'completed') lines.push(`task ${taskId}: completed by ${agent}`);
    else if (status === 'assigned' && (earlier?.status !== 'assigned' || earlier.attempt !== attempt))
      lines.push(`task ${taskId}: assigned to ${agent}${attempt > 1 ? `, attempt ${attempt}` : ''}`);
    else if (status === 'assigned' && earlier !== undefined && progress > earlier.progress)
      lines.push(`task ${taskId}: ${Math.round(progress * 100)} %`);
  }
  return lines;
}
