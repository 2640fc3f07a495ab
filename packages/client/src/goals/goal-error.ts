// How a goal has ended that has not been reached.

export type GoalEnd = 'failed' | 'cancelled' | 'rejected';

/** What `result` rejects with when the goal was not reached. */
export class GoalError extends Error {
  override readonly name = 'GoalError';
  /** `rejected`: the Architect could not read it as a goal. */
  readonly end: GoalEnd;
  readonly goalId: string;
  readonly reason: string;

  constructor(end: GoalEnd, { goalId, reason }: { readonly goalId: string; readonly reason: string }) {
    super(`the goal ${goalId} was ${end === 'failed' ? 'not reached' : end}: ${reason}`);
    this.end = end;
    this.goalId = goalId;
    this.reason = reason;
  }
}
