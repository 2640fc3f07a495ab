// What became of one event in one consumer group.
import { z } from 'zod';
import { FailedAttempt } from './bus.ts';
import { Position } from './event.ts';
import { Name } from './name.ts';

/**
 * - `in_flight`, `waiting`, `dead`: the group holds it now.
 * - `acked`, `discarded`, `skipped`: the journal has how it ended.
 * - `unread`, `not_matching`: it stands after the cursor. `not_matching` also: the topics that the group had did not match it.
 * - `before_group`: it stands before the group began.
 * - `unknown`: the group has passed it, and no record of that is kept.
 */
export const GroupFateState = z.enum([
  'in_flight',
  'waiting',
  'dead',
  'acked',
  'discarded',
  'skipped',
  'unread',
  'not_matching',
  'before_group',
  'unknown',
]);
export type GroupFateState = z.infer<typeof GroupFateState>;

export const GroupFate = z
  .object({
    group: Name,
    state: GroupFateState,
    /** Where the group began; null: a release that kept no such position made it. */
    since: Position.nullable(),
    attempt: z.number().int().nonnegative().nullable(),
    /** Who has it, or had it last. */
    consumer: z.string().nullable(),
    settledBy: z.string().nullable(),
    deliveredAt: z.iso.datetime().nullable(),
    dueAt: z.iso.datetime().nullable(),
    settledAt: z.iso.datetime().nullable(),
    reason: z.string().nullable(),
    history: z.array(FailedAttempt),
  })
  .meta({ id: 'GroupFate' });
export type GroupFate = z.infer<typeof GroupFate>;
