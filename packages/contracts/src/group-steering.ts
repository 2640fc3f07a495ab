// What operators do with consumer groups: inputs and answers of the procedures, and the events by which the core makes it known.
import { z } from 'zod';
import { GroupId, GroupPause, GroupSettings, groupSettings, StartFrom } from './bus.ts';
import { Position } from './event.ts';
import { LIMITS } from './limits.ts';
import { inNamespace, Name } from './name.ts';
import { text } from './text.ts';

const ofGroup = { ...inNamespace, group: Name };
const reason = text(LIMITS.reasonLength).optional().describe('Why; shown with the group and in the event.');

export const PauseGroupInput = z.object({ ...ofGroup, reason });
export type PauseGroupInput = z.output<typeof PauseGroupInput>;

export const ResumeGroupInput = PauseGroupInput;
export type ResumeGroupInput = z.output<typeof ResumeGroupInput>;

/** Settings that are left out stay as they are. */
export const GroupUpdate = z.object(groupSettings).partial();
export type GroupUpdate = z.output<typeof GroupUpdate>;

export const UpdateGroupInput = z.object({
  ...ofGroup,
  set: GroupUpdate.refine((set) => Object.values(set).some((value) => value !== undefined), {
    error: 'must have at least one of topics, ackDeadlineMs and maxDeliveries',
  }),
});
export type UpdateGroupInput = z.output<typeof UpdateGroupInput>;

/** Where a group goes on: the same places as those where a reader begins. */
export const SeekTarget = StartFrom;
export type SeekTarget = StartFrom;

export const SeekGroupInput = z.object({
  ...ofGroup,
  to: SeekTarget,
  /** First releases what is in flight or waiting; its acks then count for nothing. Dead letters stay. */
  dropOpen: z.boolean().default(false),
});
export type SeekGroupInput = z.output<typeof SeekGroupInput>;

export const DeleteGroupInput = PauseGroupInput;
export type DeleteGroupInput = z.output<typeof DeleteGroupInput>;

/** A group after it was paused, resumed or updated. */
export const SteeredGroup = z
  .object({
    group: Name,
    groupId: GroupId,
    settings: GroupSettings,
    paused: GroupPause.nullable(),
    /** False when the group was so before: then nothing was changed, and there is no event. */
    changed: z.boolean(),
  })
  .meta({ id: 'SteeredGroup' });
export type SteeredGroup = z.infer<typeof SteeredGroup>;

export const SoughtGroup = z
  .object({
    group: Name,
    groupId: GroupId,
    /** The cursor of the group before, and now. */
    before: Position,
    position: Position,
    /** Events in flight or waiting that were released. */
    dropped: z.number().int().nonnegative(),
  })
  .meta({ id: 'SoughtGroup' });
export type SoughtGroup = z.infer<typeof SoughtGroup>;

export const DeletedGroup = z.object({ group: Name, groupId: GroupId.nullable() }).meta({ id: 'DeletedGroup' });
export type DeletedGroup = z.infer<typeof DeletedGroup>;

/** Topics on which the core makes known what operators did with a group. */
export const GROUP_TOPICS = {
  paused: 'system.group.paused',
  resumed: 'system.group.resumed',
  sought: 'system.group.sought',
  updated: 'system.group.updated',
  deleted: 'system.group.deleted',
} as const;
export type GroupChange = keyof typeof GROUP_TOPICS;

/** Data of the events on `GROUP_TOPICS`. */
export const GroupEventData = z.object({
  group: Name,
  groupId: GroupId.nullable(),
  /** The source of the operator, such as `/operators/ada`; `/core` for a group that was removed after its agent. */
  by: z.string(),
  reason: z.string().nullable(),
  /** Of `updated`: those in force now. */
  settings: GroupSettings.optional(),
  /** Of `sought`: the cursor before and now, and how many events were released. */
  before: Position.optional(),
  position: Position.optional(),
  dropped: z.number().int().nonnegative().optional(),
});
export type GroupEventData = z.infer<typeof GroupEventData>;
