// The ids of plans and of the events about them: derived from the goal, so that an event that is published again is a
// duplicate.
import type { SwarmEvent } from '@hypercode/contracts';
import { v5 as uuidv5, validate } from 'uuid';

/** The namespace of UUIDv5 (RFC 9562, 5.5) of the ids of plans. */
const PLANS = 'd0f4a2c6-6d53-5a0e-9a5c-7c1f3a3e8b41';

export const planIdOf = (goalId: string): string => uuidv5(goalId, PLANS);

/** The id of a goal whose submitter gave it none: of the event that submitted it. */
export const goalIdOf = (source: string, eventId: string): string => uuidv5(eventId, uuidv5(source, uuidv5.URL));

/** The id of the event that submits a goal. */
export const goalEventId = (goalId: string): string => uuidv5('goal/submitted', goalId);

/** The id of an event about a whole plan, which was retried so often before. */
export const planEventId = (
  planId: string,
  kind: 'created' | 'completed' | 'failed' | 'cancelled' | 'retry',
  retries = 0,
): string => uuidv5(retries === 0 ? `plan/${kind}` : `plan/${kind}/${retries}`, planId);

/** The question whether a plan may begin that is asked after so many others. */
export const approvalId = (planId: string, asked: number): string => uuidv5(`approval/${asked}`, planId);

/** The event that asks a question, or withdraws it. */
export const questionEventId = (questionId: string, kind: 'asked' | 'withdrawn'): string =>
  uuidv5(`question/${kind}`, questionId);

interface AttemptOf {
  readonly planId: string;
  readonly taskId: string;
  readonly attempt: number;
}

/** The event that takes the result of an attempt back. */
export const voidEventId = ({ planId, taskId, attempt }: AttemptOf): string =>
  uuidv5(`${taskId}/${attempt}/void`, planId);

/** The event that says that the agent has reported nothing since a time. */
export const stallEventId = ({ planId, taskId, attempt }: AttemptOf, signAt: number): string =>
  uuidv5(`${taskId}/${attempt}/stalled/${signAt}`, planId);

/** The id of a part of a checkpoint. */
export const checkpointEventId = (checkpointId: string, part: number): string => uuidv5(`part/${part}`, checkpointId);

/** The id of the event that rejects another one, whose publisher is `source`. */
export const rejectionEventId = (source: string, eventId: string): string =>
  uuidv5('rejected', goalIdOf(source, eventId));

/** The plan that an event of `PLAN_TOPICS` is about, also of one that cannot be understood; null when it names none. */
export function planIdIn({ id, source, topic, data }: SwarmEvent): string | null {
  if (typeof data !== 'object' || data === null) return null;
  const { planId, goalId } = data as { readonly planId?: unknown; readonly goalId?: unknown };
  if (typeof planId === 'string') return planId;
  if (typeof goalId === 'string') return validate(goalId) ? planIdOf(goalId.toLowerCase()) : null;
  return topic === 'goal.submitted' ? planIdOf(goalIdOf(source, id)) : null;
}
