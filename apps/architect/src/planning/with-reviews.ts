// Steps whose result is reviewed: the review is a task of its own, and what depends on the step waits for both.
import { LIMITS, type PlanTask } from '@hypercode/contracts';

/** The tasks with a review after each that names one. */
export function withReviews(tasks: readonly PlanTask[]): PlanTask[] {
  if (tasks.every(({ review }) => review === undefined)) return [...tasks];
  const taken = new Set(tasks.map(({ taskId }) => taskId));
  const reviews = new Map<string, string>();
  for (const { taskId, review } of tasks) if (review !== undefined) reviews.set(taskId, freeId(taskId, taken));
  return tasks.flatMap((task): PlanTask[] => {
    const dependsOn = task.dependsOn.flatMap((id) => {
      const review = reviews.get(id);
      return review === undefined ? [id] : [id, review];
    });
    const own = { ...task, dependsOn };
    const reviewId = reviews.get(task.taskId);
    if (task.review === undefined || reviewId === undefined) return [own];
    const { taskId, title, input } = task;
    const review: PlanTask = {
      taskId: reviewId,
      title: `Review: ${title}`.slice(0, LIMITS.titleLength),
      capability: task.review.capability,
      input: { taskId, title, ...(input === undefined ? {} : { input }) },
      dependsOn: [taskId],
      reviews: taskId,
    };
    return [own, review];
  });
}

function freeId(taskId: string, taken: Set<string>): string {
  const base = `${taskId.slice(0, LIMITS.taskIdLength - 12)}.review`;
  let id = base;
  for (let n = 2; taken.has(id); n += 1) id = `${base}-${n}`;
  taken.add(id);
  return id;
}
