// The refusals of consumer groups, in the same words on every driver.
import { invalidField, SwarmError } from '@hypercode/contracts';

/** `deleted`: of a group that the caller names by its id, which an operator has deleted. */
export function groupNotFound(group: string, { deleted = false } = {}): SwarmError {
  if (!deleted) return new SwarmError('NOT_FOUND', `there is no consumer group "${group}"`);
  const message = `the consumer group "${group}" was deleted; a call without \`groupId\` makes a new one`;
  return new SwarmError('NOT_FOUND', message, { details: { deleted: true } });
}

export const isDeleted = (error: unknown): boolean =>
  error instanceof SwarmError &&
  error.code === 'NOT_FOUND' &&
  (error.details as { deleted?: unknown } | undefined)?.deleted === true;

/** CONFLICT with what exists: the call is well-formed, and the same call succeeds when a group was deleted. */
export function groupLimit(limit: number, agent: string | null): SwarmError {
  const message =
    agent === null
      ? `the namespace has ${limit} consumer groups, as many as SWARM_GROUPS_MAX allows: delete groups that are no longer used`
      : `the agent "${agent}" has made ${limit} consumer groups, as many as one agent may make: use one of them, or ask an ` +
        'operator to delete one or to make the group';
  return new SwarmError('CONFLICT', message, { details: { limit } });
}

/** Of a seek to where the log has never been. */
export const positionElsewhere = (): SwarmError =>
  invalidField('to.after', 'is not a position of the log that there is now');
