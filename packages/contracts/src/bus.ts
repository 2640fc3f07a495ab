// Inputs and outputs of the bus' procedures, and the events of its subscriptions and consumer groups.
import { z } from 'zod';
import { SwarmErrorBody } from './error-body.ts';
import { Position, PublishInput, SwarmEvent } from './event.ts';
import { DeathReason } from './group-deaths.ts';
import { takesBack } from './known-fields.ts';
import { LIMITS } from './limits.ts';
import { LoggedEvent } from './logged-event.ts';
import { inNamespace, Name } from './name.ts';
import { text } from './text.ts';
import { TopicPattern } from './topic.ts';
import { unionByType } from './union-by-type.ts';

const Topics = z.array(TopicPattern).min(1).max(LIMITS.subscribedPatterns).describe('Topic patterns, such as `a.*`.');
const Count = z.number().int().nonnegative();

export const BusPublishInput = takesBack(z.object({ ...inNamespace, ...PublishInput.shape }), SwarmEvent);
export type BusPublishInput = z.output<typeof BusPublishInput>;

export const PublishResult = z
  .object({
    id: z.uuid(),
    /** Where the event stands in the log; of a duplicate, where the first one does. */
    position: Position,
    /** Whether the event was in the log already. */
    duplicate: z.boolean(),
  })
  .meta({ id: 'PublishResult' });
export type PublishResult = z.infer<typeof PublishResult>;

/** The events are checked one by one and later, so that a bad one is refused alone. */
export const PublishManyInput = z.object({
  ...inNamespace,
  events: z.array(z.custom<PublishInput>()).max(LIMITS.publishManyEvents),
});
export type PublishManyInput = z.output<typeof PublishManyInput>;

/** An event of a `publishMany` that was refused; `id` is null when the event had none that can be read. */
export const PublishRefusal = z
  .object({ id: z.string().nullable(), error: SwarmErrorBody })
  .meta({ id: 'PublishRefusal' });
export type PublishRefusal = z.infer<typeof PublishRefusal>;

export const PublishManyResult = z
  .object({ results: z.array(z.union([PublishResult, PublishRefusal])) })
  .meta({ id: 'PublishManyResult' });
export type PublishManyResult = z.infer<typeof PublishManyResult>;

/** A time of appending, on the store's clock. */
const SinceTime = z.object({ time: z.iso.datetime({ offset: true }) });
/**
 * Where to begin: with what comes next, with the oldest that is kept, after a position, or at a time. A time skips no event that was
 * appended at or after it.
 */
export const StartFrom = z.union([z.enum(['latest', 'earliest']), z.object({ after: Position }), SinceTime]);
export type StartFrom = z.infer<typeof StartFrom>;

export const SubscribeInput = z.object({
  ...inNamespace,
  topics: Topics,
  from: StartFrom.default('latest').describe(
    'Where to start: `latest`, `earliest`, a position, after which the stream continues, or a time, whose events it includes.',
  ),
  /** Set by resuming transports; takes precedence over `from`. */
  lastEventId: z.string().max(LIMITS.cursorLength).optional(),
});
export type SubscribeInput = z.output<typeof SubscribeInput>;

/**
 * Why events are missing:
 * - `retention`: they were removed from the log by its limits.
 * - `log_lost`: the log is not the one that the position is from, since its store lost data or failed over.
 */
export const GapReason = z.enum(['retention', 'log_lost']);
export type GapReason = z.infer<typeof GapReason>;

/**
 * - `event`: one event.
 * - `gap`: what stood between `after` and `resumedAt` is gone.
 * - `bookmark`: nothing that matches stands up to `position`; the first value is one, and more follow every 15 s.
 */
export const SubscriptionEvent = unionByType([
  z.object({ type: z.literal('event'), position: Position, event: SwarmEvent }),
  z.object({ type: z.literal('gap'), after: Position, resumedAt: Position, reason: GapReason }),
  z.object({ type: z.literal('bookmark'), position: Position }),
]).meta({ id: 'SubscriptionEvent' });
export type SubscriptionEvent = z.infer<typeof SubscriptionEvent>;

/** The order of a read: of the log, or the other way round. */
export const ReadOrder = z.enum(['oldest', 'newest']);
export type ReadOrder = z.infer<typeof ReadOrder>;

const AppendTime = z.iso.datetime({ offset: true });
const Source = text(LIMITS.actorLength, 1);

export const ReadInput = z.object({
  ...inNamespace,
  topics: Topics.optional().describe('Topic patterns, such as `a.*`. Default: everything that the caller may read.'),
  order: ReadOrder.optional().describe(
    '`oldest`, the default: in the order of the log. `newest`: the newest event first.',
  ),
  after: Position.optional().describe(
    'Only events after this position: `next` of the previous page in the order `oldest`, or the position of an event.',
  ),
  before: Position.optional().describe(
    'Only events before this position: `next` of the previous page in the order `newest`, or the position of an event.',
  ),
  since: AppendTime.optional().describe('Only events that were appended at this time or later.'),
  until: AppendTime.optional().describe('Only events that were appended before this time.'),
  source: Source.optional().describe('Only events of this source, such as `/agents/default/builder-1`.'),
  correlationId: text(LIMITS.correlationLength, 1).optional().describe('Only events with this `correlationId`.'),
  causationId: text(LIMITS.correlationLength, 1).optional().describe('Only events with this `causationId`.'),
  at: Position.optional().describe(
    'The position of one event, which alone is read, if the topics and the other filters match. Not together with `order`, ' +
      '`after`, `before`, `since` and `until`.',
  ),
  limit: z
    .number()
    .int()
    .min(1)
    .max(LIMITS.pageSize)
    .default(50)
    .describe(
      'Maximum number of events on a page. A page also ends at about 4 MiB, and when enough events were searched.',
    ),
});
export type ReadInput = z.output<typeof ReadInput>;
export const ReadResult = z
  .object({
    events: z.array(LoggedEvent),
    /** Where to go on reading: `after` in the order `oldest`, `before` in the order `newest`. */
    next: Position,
    /**
     * Whether everything was searched that the log had when the read began. One call searches a bounded part of the log, so a page may be
     * empty, and not the end.
     */
    end: z.boolean(),
  })
  .meta({ id: 'ReadResult' });
export type ReadResult = z.infer<typeof ReadResult>;

export const FindInput = z.object({
  ...inNamespace,
  id: z.uuid().describe('The id of the event.'),
  source: Source.optional().describe('Only the event of this source. Two sources may use one id.'),
});
export type FindInput = z.output<typeof FindInput>;
export const FindResult = z
  .object({
    /** Newest first; more than one when several sources have used the id, or one used it again after the dedup window. */
    events: z.array(LoggedEvent),
    /** Whether all that is kept was searched; false: events before those that the index has, or the search became too long. */
    complete: z.boolean(),
  })
  .meta({ id: 'FindResult' });
export type FindResult = z.infer<typeof FindResult>;

/** The fields of a group's settings. */
export const groupSettings = {
  topics: Topics,
  /** Milliseconds that a member has for an event before it is given to another. */
  ackDeadlineMs: z.number().int().min(100).max(86_400_000),
  /** Deliveries of an event before it becomes a dead letter. */
  maxDeliveries: z.number().int().min(1).max(1000),
};
/**
 * What makes a consumer group: the first call decides, and needs topics. A later one takes what it leaves out as the group has it, and
 * is refused with CONFLICT when it differs both from the settings in force and from those that the group was made with.
 */
const wantedSettings = {
  topics: groupSettings.topics.optional().describe('Topic patterns. Needed by the call that makes the group.'),
  ackDeadlineMs: groupSettings.ackDeadlineMs
    .optional()
    .describe(
      'Milliseconds that a member has for an event before it is given to another. Default of a new group: 30,000.',
    ),
  maxDeliveries: groupSettings.maxDeliveries
    .optional()
    .describe('Deliveries of an event before it becomes a dead letter. Default of a new group: 5.'),
};
/** The id of a consumer group: a group that is made later under the same name has another. */
export const GroupId = text(LIMITS.cursorLength, 1);
const cameBack = {
  groupId: GroupId.optional().describe(
    'The `groupId` of an earlier answer. When that group was deleted, the call ends with NOT_FOUND and does not make it again.',
  ),
  ownedBy: z
    .literal('self')
    .optional()
    .describe(
      'The group belongs to the calling agent: it is removed when the agent is gone, the group holds nothing, and nothing unread ' +
        'matches it. Read by the call that makes the group.',
    ),
};
/** Where a new group begins; of no meaning once it exists. */
const groupStart = z.union([z.enum(['latest', 'earliest']), SinceTime]).default('latest');
export type GroupStart = z.output<typeof groupStart>;
/** Names a member of the group. Claims under one name share an allowance of deliveries; a second stream ends the first. */
const Consumer = text(LIMITS.consumerLength, 1);

export const ConsumeInput = z.object({
  ...inNamespace,
  group: Name,
  ...cameBack,
  ...wantedSettings,
  from: groupStart,
  /** Default: a new one for each stream. */
  consumer: Consumer.optional(),
  /** Most deliveries that the stream has open at a time. */
  maxInFlight: z.number().int().min(1).max(LIMITS.inFlight).default(16),
  /** Set by resuming transports; of no meaning here, since the group knows where it stands. */
  lastEventId: z.string().max(LIMITS.cursorLength).optional(),
});
export type ConsumeInput = z.output<typeof ConsumeInput>;

/** Names one delivery of an event. */
export const DeliveryId = text(LIMITS.cursorLength, 1);
export type DeliveryId = z.infer<typeof DeliveryId>;

const Delivery = z.object({
  type: z.literal('delivery'),
  deliveryId: DeliveryId,
  /** 1 for the first attempt. */
  attempt: z.number().int().positive(),
  /** When the deadline passes, unless it is extended. */
  dueAt: z.iso.datetime(),
  position: Position,
  event: SwarmEvent,
});

/** The settings of a group; `version` is 1 at first, and one more with each change. */
export const GroupSettings = z
  .object({ version: z.number().int().positive(), ...groupSettings })
  .meta({ id: 'GroupSettings' });
export type GroupSettings = z.infer<typeof GroupSettings>;

const GroupGap = z.object({ type: z.literal('gap'), lost: Count.nullable(), reason: GapReason });
const GroupJoined = z.object({
  type: z.literal('joined'),
  /** Tells this group from an earlier or later one of the same name; null: the core is of a release that gives none. */
  groupId: GroupId.nullable(),
  /** The name of this member. */
  consumer: Consumer,
  settings: GroupSettings,
  /** A paused group hands nothing out. */
  paused: z.boolean(),
});
const GroupBookmark = z.object({ type: z.literal('bookmark'), position: Position, paused: z.boolean() });

/**
 * - `joined`: the first value: who the member is, and the settings of the group.
 * - `delivery`: an event to work on, and to ack or nack.
 * - `gap`: the group was overtaken. `lost` events of all topics went by unread; null when the number is unknown.
 * - `bookmark`: the group has taken, or passed over, everything up to `position`, its cursor; one comes every 15 s, and at once when
 *   the group is paused or resumed.
 */
export const GroupEvent = unionByType([GroupJoined, Delivery, GroupGap, GroupBookmark]);
export type GroupEvent = z.infer<typeof GroupEvent>;

export const ClaimInput = z.object({
  ...inNamespace,
  group: Name,
  ...cameBack,
  ...wantedSettings,
  from: groupStart,
  consumer: Consumer.optional(),
  /** Most deliveries that the consumer has open over all its claims; then a claim gets none. Default: 10,000. */
  maxInFlight: z.number().int().min(1).max(LIMITS.inFlight).optional(),
  /** Most deliveries in the answer. */
  max: z.number().int().min(1).max(LIMITS.inFlight).default(16),
  /** How long to wait for the first delivery, in milliseconds. */
  waitMs: z.number().int().min(0).max(LIMITS.claimWaitMs).default(0),
});
export type ClaimInput = z.output<typeof ClaimInput>;
export const ClaimResult = z
  .object({
    deliveries: z.array(Delivery.omit({ type: true })),
    /** Of the group that answers; a later call that names it is not answered by another group of the same name. */
    groupId: GroupId,
    /** Present when the group is paused: it hands nothing out, and the call did not wait. */
    paused: z.literal(true).optional(),
    /** Present when the group was overtaken since it was last claimed from. */
    gap: GroupGap.omit({ type: true }).optional(),
  })
  .meta({ id: 'ClaimResult' });
export type ClaimResult = z.infer<typeof ClaimResult>;

const DeliveryIds = z.array(DeliveryId).min(1).max(LIMITS.settledAtOnce);
const Reason = text(LIMITS.reasonLength);
export const AckInput = z.object({ ...inNamespace, group: Name, deliveryIds: DeliveryIds });
export type AckInput = z.output<typeof AckInput>;
export const NackInput = z.object({
  ...AckInput.shape,
  /** How long the event waits before its next attempt, in milliseconds. */
  delayMs: z.number().int().min(0).max(86_400_000).default(0),
  reason: Reason.optional(),
});
export type NackInput = z.output<typeof NackInput>;
export const ExtendInput = z.object({
  ...AckInput.shape,
  /** How long the work may still take from now on, in milliseconds. A deadline that is later already stays. */
  byMs: z.number().int().min(1).max(86_400_000),
});
export type ExtendInput = z.output<typeof ExtendInput>;
export const ExtendResult = z
  .object({
    /** Deliveries that are in flight. One whose deadline has passed is not extended. */
    extended: Count,
    /** The first of their deadlines; null when there are none. */
    dueAt: z.iso.datetime().nullable(),
  })
  .meta({ id: 'ExtendResult' });
export type ExtendResult = z.infer<typeof ExtendResult>;
/** How many of the deliveries were open and are not any more. */
export const SettleResult = z.object({ settled: Count }).meta({ id: 'SettleResult' });
export type SettleResult = z.infer<typeof SettleResult>;

/** One attempt that did not end in an ack. */
export const FailedAttempt = z
  .object({
    attempt: z.number().int().positive(),
    consumer: z.string(),
    deliveredAt: z.iso.datetime(),
    failedAt: z.iso.datetime(),
    /** What the nack said; null when the deadline passed. */
    reason: z.string().nullable(),
  })
  .meta({ id: 'FailedAttempt' });
export type FailedAttempt = z.infer<typeof FailedAttempt>;

/** An event that a group has given up on. */
export const DeadLetter = z
  .object({
    /** Of the last attempt. */
    deliveryId: DeliveryId,
    position: Position,
    event: SwarmEvent,
    deadAt: z.iso.datetime(),
    /** Of the last attempt. */
    reason: z.string().nullable(),
    /** The attempts since it was first delivered, or redriven; the newest last, at most 50. */
    history: z.array(FailedAttempt),
  })
  .meta({ id: 'DeadLetter' });
export type DeadLetter = z.infer<typeof DeadLetter>;

export const DeadLettersInput = z.object({
  ...inNamespace,
  group: Name,
  limit: z.number().int().min(1).max(LIMITS.pageSize).default(50).describe('Maximum number of dead letters on a page.'),
  cursor: z.string().max(LIMITS.cursorLength).optional().describe('`nextCursor` of the previous page.'),
});
export type DeadLettersInput = z.output<typeof DeadLettersInput>;
export const DeadLettersResult = z
  .object({
    /** The one that died first comes first. */
    deadLetters: z.array(DeadLetter),
    nextCursor: z.string().nullable(),
  })
  .meta({ id: 'DeadLettersResult' });
export type DeadLettersResult = z.infer<typeof DeadLettersResult>;

/** Dead letters: these, or all of the group. */
export const DeadLetterChoice = z
  .object({ ...inNamespace, group: Name, deliveryIds: DeliveryIds.optional(), all: z.literal(true).optional() })
  .refine(({ deliveryIds, all }) => (deliveryIds === undefined) !== (all === undefined), {
    error: 'must have either deliveryIds or all: true',
    path: ['deliveryIds'],
  });
export type DeadLetterChoice = z.output<typeof DeadLetterChoice>;
export const CountResult = z.object({ count: Count }).meta({ id: 'CountResult' });
export type CountResult = z.infer<typeof CountResult>;

export const TopicsInput = z.object({
  ...inNamespace,
  limit: z.number().int().min(1).max(LIMITS.pageSize).default(100).describe('Maximum number of topics on a page.'),
  cursor: text(LIMITS.cursorLength).optional().describe('`nextCursor` of the previous page.'),
});
export type TopicsInput = z.output<typeof TopicsInput>;
export const TopicInfo = z
  .object({
    topic: z.string(),
    /** Events since the topic was first used; it is forgotten when the log keeps none of its events. */
    count: Count,
    /** Events a second, over the last minute. */
    perSecond: z.number().nonnegative(),
    /** Of its newest event. */
    lastPosition: Position,
  })
  .meta({ id: 'TopicInfo' });
export type TopicInfo = z.infer<typeof TopicInfo>;
/** How far back the events of a namespace reach. */
export const LogInfo = z.object({
  /** Events that are kept. */
  kept: Count,
  /** Events that were there before, and have been removed. */
  removed: Count,
  /** Bytes of those that are kept, and of those that have been removed, as retention counts them. */
  keptBytes: Count,
  removedBytes: Count,
  /** The oldest are removed when there are more events, or more bytes of them, or when they are older. */
  retention: z.object({ maxEvents: Count, maxBytes: Count, maxAgeMs: Count }),
});
export type LogInfo = z.infer<typeof LogInfo>;

export const TopicsResult = z
  .object({
    /** The log that they share. */
    log: LogInfo,
    /** Ordered by name. */
    topics: z.array(TopicInfo),
    nextCursor: z.string().nullable(),
  })
  .meta({ id: 'TopicsResult' });
export type TopicsResult = z.infer<typeof TopicsResult>;

export const GroupsInput = z.object({
  ...inNamespace,
  limit: z
    .number()
    .int()
    .min(1)
    .max(LIMITS.groupsPage)
    .default(LIMITS.groupsPage)
    .describe('Maximum number of groups on a page.'),
  cursor: text(LIMITS.cursorLength).optional().describe('`nextCursor` of the previous page.'),
});
export type GroupsInput = z.output<typeof GroupsInput>;
/** Who paused a group, when and why. */
export const GroupPause = z
  .object({ reason: z.string().nullable(), by: z.string(), at: z.iso.datetime() })
  .meta({ id: 'GroupPause' });
export type GroupPause = z.infer<typeof GroupPause>;

export const GroupInfo = z
  .object({
    group: Name,
    topics: z.array(TopicPattern),
    ackDeadlineMs: Count,
    maxDeliveries: Count,
    /** Null: the group was made by a core of the release before, and has not been used since. */
    groupId: GroupId.nullable(),
    /** Those in force. */
    settings: GroupSettings,
    /** Present while the group hands nothing out. */
    paused: GroupPause.nullable(),
    /** The agent without which the group is removed once nothing is left to do in it. */
    ownedBy: Name.nullable(),
    /** The source of the caller that made it, and when; null for a group of the release before. */
    madeBy: z.string().nullable(),
    madeAt: z.iso.datetime().nullable(),
    /** Up to where the group has taken from the log. */
    position: Position,
    /** Events of all topics behind that position. */
    lag: Count,
    /** Deliveries that are open. */
    inFlight: Count,
    /** Events that wait for another attempt. */
    waiting: Count,
    deadLetters: Count,
    /** Why these died: the five commonest reasons, the commonest first. */
    deadByReason: z.array(DeathReason),
    /** When the oldest of the dead letters died; null when there is none. */
    oldestDeadAt: z.iso.datetime().nullable(),
    /** When the oldest event after the position was appended; null when there is none, or it is not known. */
    oldestUnreadAt: z.iso.datetime().nullable(),
    /** Members that the group knows, at most 1,000. */
    members: Count,
    /** Events acknowledged a second, over the last minute. */
    ratePerSecond: z.number().nonnegative(),
  })
  .meta({ id: 'GroupInfo' });
export type GroupInfo = z.infer<typeof GroupInfo>;
export const GroupsResult = z
  .object({
    /** Ordered by name. */
    groups: z.array(GroupInfo),
    nextCursor: z.string().nullable(),
  })
  .meta({ id: 'GroupsResult' });
export type GroupsResult = z.infer<typeof GroupsResult>;
