// A consumer group seen from inside: its members, and what it has under way.
import { z } from 'zod';
import { DeliveryId, GroupInfo } from './bus.ts';
import { Position } from './event.ts';
import { LIMITS } from './limits.ts';
import { inNamespace, Name } from './name.ts';
import { text } from './text.ts';

const Count = z.number().int().nonnegative();

export const GetGroupInput = z.object({
  ...inNamespace,
  group: Name,
  limit: z.number().int().min(1).max(LIMITS.pageSize).default(50).describe('Maximum number of deliveries on a page.'),
  cursor: text(LIMITS.cursorLength).optional().describe('`nextCursor` of the previous page.'),
});
export type GetGroupInput = z.output<typeof GetGroupInput>;

/** Who takes part in a group, or did: a member that left is not there. */
export const GroupMember = z
  .object({
    consumer: z.string(),
    inFlight: Count,
    /** When it last claimed, acknowledged, gave back or extended something by itself, to about a second. */
    lastSignAt: z.iso.datetime(),
    /** It let the deadlines of everything pass that it had, and is handed nothing until it shows a sign of life. */
    passedOver: z.boolean(),
  })
  .meta({ id: 'GroupMember' });
export type GroupMember = z.infer<typeof GroupMember>;

/** A delivery that is not settled, and not dead. */
export const OpenDelivery = z
  .object({
    deliveryId: DeliveryId,
    position: Position,
    topic: z.string(),
    state: z.enum(['in_flight', 'waiting']),
    /** The one that is in flight, or was last; 0 for an event that was redriven and has not been delivered since. */
    attempt: Count,
    /** Who has it, or had it last. */
    consumer: z.string().nullable(),
    deliveredAt: z.iso.datetime().nullable(),
    /** In flight: the deadline. Waiting: when it is due. */
    dueAt: z.iso.datetime(),
  })
  .meta({ id: 'OpenDelivery' });
export type OpenDelivery = z.infer<typeof OpenDelivery>;

export const GetGroupResult = z
  .object({
    group: GroupInfo,
    /** By name: at most 1,000, those that showed a sign of life last. */
    members: z.array(GroupMember),
    /** Those in flight by their deadlines, then those that wait by when they are due. */
    open: z.array(OpenDelivery),
    nextCursor: z.string().nullable(),
  })
  .meta({ id: 'GetGroupResult' });
export type GetGroupResult = z.infer<typeof GetGroupResult>;
