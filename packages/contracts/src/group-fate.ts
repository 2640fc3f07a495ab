// What became of one event in one consumer group.
import { z } from 'zod';
import { FailedAttempt } from './bus.ts';
import { Position } from './event.ts';
import { Name } from './name.ts';

/**
 * - `in_flight`: a member has it, and its deadline has not passed. `waiting`: for its time or for a claim, also when its deadline has
 *   passed. `dead`: given up on.
 * - `acked`, `discarded`: it was settled, by an acknowledgement that was stored or by an operator. An acknowledged event that a seek back
 *   reads again is `acked` until it is handed out.
 * - `skipped`: the group went past it without reading it; `reason` is `seek`, `retention` or `log_lost`.
 * - `unread`: the group has yet to come to it. `not_matching`: the group's topics leave it out, now or when it was passed.
 * - `before_group`: the group began after it.
 * - `unknown`: it was passed, and no record is kept of what came of it.
 */
export const GroupFateState = z
  .enum([
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
  ])
  .meta({ id: 'GroupFateState' });
export type GroupFateState = z.infer<typeof GroupFateState>;

const Time = z.iso.datetime().nullable();

export const GroupFate = z
  .object({
    group: Name,
    state: GroupFateState,
    /** Where the group began; null for a group of an older version. */
    since: Position.nullable(),
    /** The one that is in flight, was last, or was settled; 0 for an event that was redriven and has not been delivered since. */
    attempt: z.number().int().nonnegative().nullable(),
    /** Who has it, or had it last. A name of more than 64 bytes is cut once the event is settled. */
    consumer: z.string().nullable(),
    /** Who acknowledged it, or the source of the operator who discarded it; cut at 64 bytes. */
    settledBy: z.string().nullable(),
    deliveredAt: Time,
    /** In flight: the deadline. Waiting: when it is due. */
    dueAt: Time,
    settledAt: Time,
    /** Waiting and dead: of the last attempt. Skipped: `seek`, `retention` or `log_lost`. */
    reason: z.string().nullable(),
    /** The attempts since it was first delivered, or redriven, of what the group holds; the newest last. */
    history: z.array(FailedAttempt),
  })
  .meta({ id: 'GroupFate' });
export type GroupFate = z.infer<typeof GroupFate>;
