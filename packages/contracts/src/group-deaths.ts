// What becomes known of events that a consumer group gave up.
import { z } from 'zod';
import { LIMITS } from './limits.ts';
import { Name } from './name.ts';

const Count = z.number().int().nonnegative();

/** The reason of an event that died because the deadline of its last attempt passed. */
export const DEADLINE_PASSED = 'deadline';
/** The reason of an event whose last attempt was refused (nack) without one. */
export const NO_REASON = 'no reason';

/** Why events died, and how many: what the last nack said (its first 200 characters or so), `deadline`, or `no reason`. */
export const DeathReason = z.object({ reason: z.string(), count: Count }).meta({ id: 'DeathReason' });
export type DeathReason = z.infer<typeof DeathReason>;

/** The topic on which the core makes known that events of a group died. */
export const GROUP_DEAD_TOPIC = 'system.group.dead';

/** Data of the events on `GROUP_DEAD_TOPIC`: at most one in 10 seconds for each group. */
export const GroupDeadData = z.object({
  group: Name,
  /** Events that died since the last one. */
  count: Count,
  /** Of them, and of older dead letters, those that were removed because the group had as many as a group may have. */
  dropped: Count,
  /** The commonest first. */
  reasons: z.array(DeathReason).max(LIMITS.deathReasons),
});
export type GroupDeadData = z.infer<typeof GroupDeadData>;
