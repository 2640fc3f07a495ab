// What became of an event, and what would become of one.
import { z } from 'zod';
import { CircuitState } from './agent.ts';
import { Position } from './event.ts';
import { GroupFate } from './group-fate.ts';
import { LIMITS } from './limits.ts';
import { LoggedEvent } from './logged-event.ts';
import { AgentName, inNamespace, Name } from './name.ts';
import { text } from './text.ts';
import { Topic, TopicPattern } from './topic.ts';

const Count = z.number().int().nonnegative();

export const TraceInput = z
  .object({
    ...inNamespace,
    id: z.uuid().optional().describe('The id of the event. The newest event with this id is traced.'),
    source: text(LIMITS.actorLength, 1)
      .optional()
      .describe('Of the event with this id, when agents have used the same id. Not without `id`.'),
    position: Position.optional().describe(
      'The position of the event, in place of its id or together with it: then the event there must have this id.',
    ),
  })
  .refine(({ id, position }) => id !== undefined || position !== undefined, {
    error: 'must be given, or `position`',
    path: ['id'],
  })
  .refine(({ id, source }) => source === undefined || id !== undefined, {
    error: 'needs `id`',
    path: ['source'],
  });
export type TraceInput = z.output<typeof TraceInput>;

/**
 * - `passed`: the stream has handed it to its connection, or would have: its cursor stands at or after the event.
 * - `behind`: the cursor stands before the event.
 * - `began_later`: the stream began after the event.
 * - `not_matching`: no pattern of the stream matches the topic.
 * - `not_allowed`: a pattern matches, and the policy hides the topic from the caller.
 */
export const StreamState = z.enum(['passed', 'behind', 'began_later', 'not_matching', 'not_allowed']);
export type StreamState = z.infer<typeof StreamState>;

/** A subscription that is open now, beside the event. */
export const StreamTrace = z
  .object({
    /** The id of the replica, as `cluster.status` has it. */
    replica: z.string(),
    /** The source of the caller, such as `/agents/default/ada`. */
    caller: z.string(),
    /** The position after which the stream began. */
    since: Position,
    topics: z.array(TopicPattern),
    state: StreamState,
  })
  .meta({ id: 'StreamTrace' });
export type StreamTrace = z.infer<typeof StreamTrace>;

/** What let an event through. */
export const AdmittedBy = z
  .object({
    /** Who published it. */
    source: z.string(),
    /** The publish rule that allowed it, as the policy has it; null: no policy limits this source. */
    rule: z.string().nullable(),
    /** The version of the policy that was in force when the event was appended; null: no policy limits this source. */
    policyVersion: z.number().int().nonnegative().nullable(),
  })
  .meta({ id: 'AdmittedBy' });
export type AdmittedBy = z.infer<typeof AdmittedBy>;

export const EventTrace = z
  .object({
    event: LoggedEvent,
    /** Whether the log has it. False: retention has removed it, and groups still hold it. */
    kept: z.boolean(),
    /** How often it was published again, within the window of deduplication. */
    duplicates: Count,
    /** Null when it cannot be known any more: the version of the policy, the time of appending or the role of the agent is not kept. */
    admittedBy: AdmittedBy.nullable(),
    /** By name. To an agent, the groups that it may consume. */
    groups: z.array(GroupFate),
    /** Groups that are not in the list: not for the caller to see, or of more than about 2 MiB. */
    otherGroups: Count,
    /** The subscriptions that are open now, on all replicas. */
    streams: z.object({
      /** How old the oldest of the reports is that this was put together from. */
      asOf: z.iso.datetime(),
      /** Streams that are not in the list: too many, or not for the caller to see. */
      omitted: Count,
      list: z.array(StreamTrace),
    }),
    /** What led to it, by `causationId`: the nearest first, at most 50. */
    causes: z.array(LoggedEvent),
    /** Events with its id as their `causationId`, oldest first, at most 200. */
    effects: z.array(LoggedEvent),
    /** Whether the whole log after the event was searched for effects; when not, `bus.read` by `causationId` after the last one goes on. */
    effectsComplete: z.boolean(),
  })
  .meta({ id: 'EventTrace' });
export type EventTrace = z.infer<typeof EventTrace>;

export const PreviewInput = z.object({
  ...inNamespace,
  topic: Topic.describe('The topic to publish to.'),
  name: AgentName.optional().describe('The agent that would publish. Default: the caller.'),
});
export type PreviewInput = z.output<typeof PreviewInput>;

export const PreviewResult = z
  .object({
    /** Whether the policy, and the circuit of the agent, let it through. */
    allowed: z.boolean(),
    /** The publish rule that decides, as the policy has it; null: none matches, or no policy limits the caller. */
    rule: z.string().nullable(),
    /** Of the agent; null: the caller is not an agent. */
    circuit: CircuitState.nullable(),
    /** In one sentence: whether it may be published, who receives it, and if none does, what is likely wrong. */
    because: z.string(),
    /** The groups that take the topic, by name. To an agent, those that it may consume. */
    groups: z.array(Name),
    /** Groups that take the topic and are not in the list: not for the caller to see, or beyond the first 1,000. */
    otherGroups: Count,
    /** Live streams of all replicas that would receive it. */
    streams: Count,
    /** Agents that declare that they subscribe to the topic, and have no stream and no group that takes it; at most 50, by name. */
    silent: z.array(AgentName),
    /** Topics with another name of about the same letters: in use, or taken by a group. The nearest first, at most 5. */
    similar: z.array(TopicPattern),
  })
  .meta({ id: 'PreviewResult' });
export type PreviewResult = z.infer<typeof PreviewResult>;
