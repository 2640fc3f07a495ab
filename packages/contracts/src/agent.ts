// What an agent says of itself (registration) and what the registry knows of it (agent).
import { z } from 'zod';
import { takesBack } from './known-fields.ts';
import { LIMITS } from './limits.ts';
import { AgentName, CapabilityId, inNamespace, Name, Namespace } from './name.ts';
import { jsonObject, text } from './text.ts';
import { TopicPattern } from './topic.ts';

/** https://semver.org, the suggested regular expression. */
const SEMVER =
  /^(0|[1-9]\d*)\.(0|[1-9]\d*)\.(0|[1-9]\d*)(?:-((?:0|[1-9]\d*|\d*[a-zA-Z-][0-9a-zA-Z-]*)(?:\.(?:0|[1-9]\d*|\d*[a-zA-Z-][0-9a-zA-Z-]*))*))?(?:\+([0-9a-zA-Z-]+(?:\.[0-9a-zA-Z-]+)*))?$/;

export const Version = z.string().max(LIMITS.versionLength).regex(SEMVER, 'must be a semantic version');

export const HealthUrl = text(LIMITS.healthUrlLength).refine((value) => {
  if (!URL.canParse(value)) return false;
  const url = new URL(value);
  return ['http:', 'https:'].includes(url.protocol) && url.username === '' && url.password === '';
}, 'must be an http or https URL without credentials');

/** Something that an agent can do. */
export const Capability = z
  .object({
    id: CapabilityId,
    description: text(LIMITS.descriptionLength).optional(),
    tags: z.array(text(LIMITS.tagLength, 1)).max(LIMITS.tags).optional(),
    /** JSON Schema of the input. */
    inputSchema: jsonObject.optional(),
    /** JSON Schema of the output. */
    outputSchema: jsonObject.optional(),
  })
  .meta({ id: 'Capability' });
export type Capability = z.infer<typeof Capability>;

/** Capabilities as given (an id stands for `{ id }`), as objects, each id once. */
export const Capabilities = z
  .array(z.union([CapabilityId.transform((id): Capability => ({ id })), Capability]))
  .max(LIMITS.capabilities)
  .refine((list) => new Set(list.map(({ id }) => id)).size === list.length, 'must name each capability once');

const DeclaredPatterns = z
  .array(TopicPattern)
  .max(LIMITS.declaredPatterns)
  .transform((patterns) => [...new Set(patterns)]);

/** The topics that an agent says it publishes and subscribes to. They never grant or restrict anything. */
export const DeclaredTopics = z.object({
  publishes: DeclaredPatterns.default([]),
  subscribes: DeclaredPatterns.default([]),
});
export type DeclaredTopics = z.infer<typeof DeclaredTopics>;

export const Labels = z
  .record(Name, text(LIMITS.labelValueLength))
  .refine((labels) => Object.keys(labels).length <= LIMITS.labels, `must have at most ${LIMITS.labels} labels`);
export type Labels = z.infer<typeof Labels>;

/** Identifies one process of an agent; a new one takes over the name and fences the old. Lower case, as stores write it. */
export const Incarnation = z.uuid().toLowerCase();

/**
 * How long a sign of life counts: between two of them an agent may be silent for so long. Milliseconds; any call with the agent's
 * token is a sign of life.
 */
export const LeaseMs = z.number().int().min(LIMITS.leaseMinMs).max(LIMITS.leaseMaxMs);

/** What an agent declares when it registers. What is left out is cleared, but for the incarnation, which is kept. */
export const AgentRegistration = z
  .object({
    ...inNamespace,
    name: AgentName,
    role: Name,
    version: Version,
    description: text(LIMITS.descriptionLength).nullish(),
    healthUrl: HealthUrl.nullish(),
    topics: DeclaredTopics.default({ publishes: [], subscribes: [] }),
    capabilities: Capabilities.default([]),
    labels: Labels.default({}),
    incarnation: Incarnation.nullish(),
    leaseMs: LeaseMs.nullish().describe(
      'For how long the agent may be silent before it is unhealthy, in milliseconds. Default: `SWARM_LEASE_MS` of the core.',
    ),
  })
  .meta({ id: 'AgentRegistration' });
export type AgentRegistration = z.output<typeof AgentRegistration>;
export type AgentRegistrationInput = z.input<typeof AgentRegistration>;

export const Health = z.enum(['unknown', 'healthy', 'unhealthy']);
export type Health = z.infer<typeof Health>;
/**
 * What an agent reports of itself. `waiting`: for a person or another agent; `blocked`: it cannot go on until something changes;
 * `paused` and `draining`: it takes no work now.
 */
export const Activity = z.enum(['ready', 'busy', 'waiting', 'blocked', 'draining', 'paused']);
export type Activity = z.infer<typeof Activity>;
export const CircuitState = z.enum(['closed', 'open', 'half_open']);
export type CircuitState = z.infer<typeof CircuitState>;

const Timestamp = z.iso.datetime();
const Revision = z.number().int().nonnegative();

export const AgentStatus = z.object({
  health: Health,
  activity: Activity,
  /** When the activity last changed, or the process that reports it. */
  activitySince: Timestamp,
  /** The agent's own words about what it does; null: none. */
  note: z.string().nullable(),
  circuit: CircuitState,
  /** When an open circuit becomes half open; null unless it is open, and while an operator holds it open. */
  circuitOpenUntil: Timestamp.nullable(),
  consecutiveFailures: z.number().int().nonnegative(),
  lastSeenAt: Timestamp.nullable(),
  /** Why the health or the circuit is what it is, in words; null when there is nothing to say. */
  reason: z.string().nullable(),
});
export type AgentStatus = z.infer<typeof AgentStatus>;

/** An agent as the registry knows it. */
export const Agent = z
  .object({
    /** UUID v7, new for each time that the name comes into being. */
    id: z.uuid(),
    namespace: Namespace,
    name: AgentName,
    role: Name,
    version: Version,
    description: z.string().nullable(),
    healthUrl: z.string().nullable(),
    topics: z.object({ publishes: z.array(TopicPattern), subscribes: z.array(TopicPattern) }),
    capabilities: z.array(Capability),
    labels: z.record(z.string(), z.string()),
    incarnation: z.uuid().nullable(),
    status: AgentStatus,
    /** How long a sign of life of the agent counts, in milliseconds. */
    leaseMs: z.number().int().positive(),
    /** The namespace's revision at which this agent last changed. */
    revision: Revision,
    /** The revision at which the registration itself last changed; what `ifRevision` is compared with. */
    specRevision: Revision,
    registeredAt: Timestamp,
    updatedAt: Timestamp,
  })
  .meta({ id: 'Agent' });
export type Agent = z.infer<typeof Agent>;
takesBack(AgentRegistration, Agent);
