// A group as a store has it, for the tests of what works with groups.
import type { UsedGroup } from '../src/store/group-store.ts';

/** A new group, with whatever is given instead. */
export function groupState(fields: Partial<UsedGroup> = {}): UsedGroup {
  const { topics = ['>'], ackDeadlineMs = 30_000, maxDeliveries = 3 } = fields;
  const made = { topics, ackDeadlineMs, maxDeliveries };
  const nobody = { paused: null, ownedBy: null, madeBy: null, madeAt: null };
  const unproven = { secret: null, unsignedUntil: null };
  return { id: 'g-1', version: 1, ...made, made, ...nobody, ...unproven, ...fields };
}
