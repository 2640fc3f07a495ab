// The ids of events about tasks: the same for the same attempt, so that publishing one again is no second event.
import type { TaskAttempt } from '@hypercode/contracts';
import { v5 as uuidv5 } from 'uuid';

/**
 * The id of the one event of this kind about this attempt: UUIDv5 (RFC 9562, 5.5) of `<taskId>/<attempt>/<kind>` in the
 * namespace `planId`. Progress is reported more than once, so its events have ids of their own.
 */
export const taskEventId = (
  { planId, taskId, attempt }: TaskAttempt,
  kind: 'assigned' | 'accepted' | 'completed' | 'failed' | 'cancelled',
): string => uuidv5(`${taskId}/${attempt}/${kind}`, planId);
