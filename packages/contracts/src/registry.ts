// Inputs and outputs of the registry's procedures.
import { z } from 'zod';
import {
  Activity,
  Agent,
  AgentRegistration,
  Capabilities,
  CircuitState,
  DeclaredTopics,
  Health,
  HealthUrl,
  Incarnation,
  Labels,
  LeaseMs,
  Version,
} from './agent.ts';
import { AgentSummary, type AgentView, inView } from './agent-view.ts';
import { takesBack } from './known-fields.ts';
import { LIMITS } from './limits.ts';
import { AgentName, CapabilityId, inNamespace, Name } from './name.ts';
import { text } from './text.ts';
import { Topic } from './topic.ts';
import { ChangeType } from './watch.ts';

const Revision = z.number().int().nonnegative();
const Cursor = z.string().max(LIMITS.cursorLength).optional().describe('`nextCursor` of the previous page.');
const Reason = text(LIMITS.reasonLength);

export const RegisterOutcome = z.enum(['created', 'updated', 'unchanged']);
export type RegisterOutcome = z.infer<typeof RegisterOutcome>;

export const RegisterInput = AgentRegistration;
export const RegisterResult = z
  .object({
    agent: Agent,
    outcome: RegisterOutcome,
    /** The agent's own token; shown once, stored as a hash. */
    token: z.string().optional(),
  })
  .meta({ id: 'RegisterResult' });
export type RegisterResult = z.infer<typeof RegisterResult>;

/**
 * The fields that an update may set; null clears. The immutable fields are taken so that an attempt to change one is
 * refused by name (IMMUTABLE_FIELD) and not ignored.
 */
export const AgentUpdate = z
  .object({
    version: Version.optional(),
    description: text(LIMITS.descriptionLength).nullable().optional(),
    healthUrl: HealthUrl.nullable().optional(),
    topics: DeclaredTopics.optional(),
    capabilities: Capabilities.optional(),
    labels: Labels.optional(),
    leaseMs: LeaseMs.nullable().optional(),
    namespace: z.string().optional(),
    name: z.string().optional(),
    role: z.string().optional(),
  })
  .meta({ id: 'AgentUpdate' });
takesBack(AgentUpdate, Agent);
export type AgentUpdate = z.output<typeof AgentUpdate>;

export const UpdateInput = z.object({
  ...inNamespace,
  name: AgentName,
  set: AgentUpdate,
  /** Otherwise CONFLICT. */
  ifRevision: Revision.optional().describe('Update only if the `specRevision` of the agent is still this one.'),
});
export type UpdateInput = z.output<typeof UpdateInput>;
export const UpdateResult = z.object({ agent: Agent }).meta({ id: 'UpdateResult' });
export type UpdateResult = z.infer<typeof UpdateResult>;

export const DeregisterInput = z.object({
  ...inNamespace,
  name: AgentName,
  reason: Reason.optional().describe('The reason, as text. Watchers receive it.'),
});
export type DeregisterInput = z.output<typeof DeregisterInput>;
export const DeregisterResult = z.object({ agent: Agent }).meta({ id: 'DeregisterResult' });
export type DeregisterResult = z.infer<typeof DeregisterResult>;

export const HeartbeatInput = z
  .object({
    ...inNamespace,
    activity: Activity.optional().describe('What the agent does now. Absent: as before.'),
    note: text(LIMITS.noteLength)
      .nullable()
      .optional()
      .describe("The agent's own words about what it does. Absent: as before; null: none."),
    incarnation: Incarnation.optional().describe('The process that calls. Absent: that of the token.'),
  })
  .meta({ id: 'HeartbeatInput' });
export type HeartbeatInput = z.output<typeof HeartbeatInput>;
export const HeartbeatResult = z
  .object({
    leaseExpiresAt: z.iso.datetime(),
    /** How long the lease is, in milliseconds; send a heartbeat every third of it. */
    leaseMs: z.number().int().positive(),
    /** The agent's revision. */
    revision: Revision,
    /** The agent's circuit; unless it is closed, what the agent publishes is refused. */
    circuit: CircuitState.optional(),
  })
  .meta({ id: 'HeartbeatResult' });
export type HeartbeatResult = z.infer<typeof HeartbeatResult>;

export const GetInput = z.object({ ...inNamespace, name: AgentName });
export type GetInput = z.output<typeof GetInput>;

/** What a watch or a query can ask for; all that are given must hold. */
export const AgentFilter = z.object({
  role: Name.optional().describe('The role of the agent.'),
  capability: CapabilityId.optional().describe('The id of a capability of the agent.'),
  topic: Topic.optional().describe('A topic that matches one of the patterns that the agent declares.'),
  health: Health.optional().describe('The health of the agent.'),
  activity: Activity.optional().describe('The activity of the agent.'),
  circuit: CircuitState.optional().describe('The state of the circuit of the agent.'),
  labels: Labels.optional().describe('Labels of the agent, with their values.'),
});
export type AgentFilter = z.output<typeof AgentFilter>;

export const QueryInput = z.object({
  ...inNamespace,
  ...AgentFilter.shape,
  ...inView,
  text: text(LIMITS.searchLength, 1)
    .optional()
    .describe('Words to search for in name, role, description, capabilities and labels. Every word must occur.'),
  limit: z
    .number()
    .int()
    .min(1)
    .max(LIMITS.pageSize)
    .default(50)
    .describe('Maximum number of results on a page. A page ends earlier at 4 MiB.'),
  cursor: Cursor,
});
export type QueryInput = z.output<typeof QueryInput>;
/** A page of agents of this form. */
const pageOf = <Given extends z.ZodType>(agent: Given) =>
  z.object({
    agents: z.array(agent),
    nextCursor: z.string().nullable(),
    /** The namespace's revision at which the page was read; a watch with `since` goes on from it. */
    revision: Revision,
  });
export const QueryResult = pageOf(Agent).meta({ id: 'QueryResult' });
export type QueryResult = z.infer<typeof QueryResult>;

/** The same with the view `summary`. */
export const QuerySummaryResult = pageOf(AgentSummary).meta({ id: 'QuerySummaryResult' });
export type QuerySummaryResult = z.infer<typeof QuerySummaryResult>;

/** What a query with a view answers. */
export type QueryResultIn<View extends AgentView> = { full: QueryResult; summary: QuerySummaryResult }[View];

export const HistoryInput = z.object({
  ...inNamespace,
  name: AgentName,
  limit: z
    .number()
    .int()
    .min(1)
    .max(LIMITS.pageSize)
    .default(50)
    .describe('Maximum number of changes on a page. A page ends earlier at 4 MiB.'),
  cursor: Cursor,
});
export type HistoryInput = z.output<typeof HistoryInput>;

/** One change of one agent; `agent` is its state after the change, or its last state when it went. */
export const AgentChange = z
  .object({
    revision: Revision,
    change: ChangeType,
    agent: Agent,
    at: z.iso.datetime(),
  })
  .meta({ id: 'AgentChange' });
export type AgentChange = z.infer<typeof AgentChange>;
export const HistoryResult = z
  .object({ changes: z.array(AgentChange), nextCursor: z.string().nullable() })
  .meta({ id: 'HistoryResult' });
export type HistoryResult = z.infer<typeof HistoryResult>;

export const WatchInput = z.object({
  ...inNamespace,
  ...AgentFilter.shape,
  ...inView,
  since: Revision.optional().describe('Continue after this revision, without a snapshot.'),
  /** The id of the last value seen; takes precedence over `since`. tRPC's clients set it when they reconnect. */
  lastEventId: z.string().max(LIMITS.cursorLength).optional(),
});
export type WatchInput = z.output<typeof WatchInput>;
