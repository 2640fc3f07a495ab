// Who may publish and subscribe to what: policies by role. Access is denied unless a pattern allows it.
import { z } from 'zod';
import { CircuitState } from './agent.ts';
import { takesBack } from './known-fields.ts';
import { LIMITS } from './limits.ts';
import { AgentName, inNamespace, isNamePattern, matchesName, Name } from './name.ts';
import { Topic, TopicPattern } from './topic.ts';

/** A whole token of a policy's pattern that stands for the caller's agent name. */
const NAME_PLACEHOLDER = '{name}';

/** A topic pattern in which a token may also be `{name}`. */
export const PolicyPattern = z
  .string()
  .max(LIMITS.topicLength)
  .refine(
    (pattern) => TopicPattern.safeParse(withName(pattern, 'name')).success,
    'must be a topic pattern, in which a whole token may be {name}',
  );
export type PolicyPattern = z.infer<typeof PolicyPattern>;

/** The pattern for the agent called `name`. */
export function withName(pattern: string, name: string): string {
  if (!pattern.includes(NAME_PLACEHOLDER)) return pattern;
  return pattern
    .split('.')
    .map((token) => (token === NAME_PLACEHOLDER ? name : token))
    .join('.');
}

const NAME_IN_PATTERN = /\{(?:name|role)\}/g;

/** The name of a group, in which `{name}` and `{role}` stand for those of the caller; it may end in `-*`. `*` is every group. */
export const GroupPattern = z
  .string()
  .max(LIMITS.topicLength)
  .refine(
    (pattern) => isNamePattern(pattern.replaceAll(NAME_IN_PATTERN, 'x')),
    'must be a group, in which {name} and {role} may stand and which may end in "-*", or "*"',
  );
export type GroupPattern = z.infer<typeof GroupPattern>;

/** Whether the pattern stands for `group` when `caller` asks. */
export function matchesGroup(pattern: GroupPattern, group: string, caller: { name: string; role: string }): boolean {
  const wanted = pattern.replaceAll(NAME_IN_PATTERN, (key) => (key === NAME_PLACEHOLDER ? caller.name : caller.role));
  return matchesName(wanted, group);
}

const OWN_QUESTIONS = `question.${NAME_PLACEHOLDER}.`;

/** Whether a role only listens: it may publish nothing but questions of its own. */
export const onlyListens = ({ publish }: { readonly publish: readonly string[] }): boolean =>
  publish.every((pattern) => pattern.startsWith(OWN_QUESTIONS));

/** The groups of a role whose rules do not name any: its own and those of its agents; none when it only listens. */
export const defaultConsume = (role: { readonly publish: readonly string[] }): string[] =>
  onlyListens(role) ? [] : [NAME_PLACEHOLDER, '{role}', '{role}-*'];

const CAPABILITY_PATTERN = /^(?:\*|[A-Za-z0-9][A-Za-z0-9_.-]*\*?)$/;

/** The id of a capability, or how ids begin, followed by `*`: `code.*` stands for `code.review`. `*` is every capability. */
export const CapabilityPattern = z
  .string()
  .max(LIMITS.capabilityPatternLength)
  .regex(CAPABILITY_PATTERN, 'must be the id of a capability, which may end in "*", or "*"');
export type CapabilityPattern = z.infer<typeof CapabilityPattern>;

/** Whether the pattern stands for the capability. Upper and lower case differ. */
export const matchesCapability = (pattern: CapabilityPattern, capabilityId: string): boolean =>
  pattern.endsWith('*') ? capabilityId.startsWith(pattern.slice(0, -1)) : pattern === capabilityId;

/** The capabilities of a role whose rules name none: all. */
const DEFAULT_OFFERS: CapabilityPattern[] = ['*'];

const Patterns = z.array(PolicyPattern).max(LIMITS.policyPatterns);

/** What a role may do: what an `allow` pattern covers and no `deny` pattern takes away. */
export const RolePolicy = z
  .object({
    publish: Patterns,
    subscribe: Patterns,
    denyPublish: Patterns.optional(),
    denySubscribe: Patterns.optional(),
    /** Consumer groups. Default: `{name}`, `{role}` and `{role}-*`; none for a role that may publish nothing but questions of its own. */
    consume: z.array(GroupPattern).max(LIMITS.policyPatterns).optional(),
    /** Capabilities that agents of the role may register and be given tasks for. Default: all. */
    offers: z.array(CapabilityPattern).max(LIMITS.policyPatterns).optional(),
  })
  .meta({ id: 'RolePolicy' });
export type RolePolicy = z.infer<typeof RolePolicy>;

export const PolicyRules = z.object({
  roles: z
    .record(Name, RolePolicy)
    .refine(
      (roles) => Object.keys(roles).length <= LIMITS.policyRoles,
      `must have at most ${LIMITS.policyRoles} roles`,
    ),
  /** For roles that are not listed. */
  default: RolePolicy,
});
export type PolicyRules = z.infer<typeof PolicyRules>;

/** The rules of a role: its own, or those for roles that are not listed. */
export const rulesOf = ({ roles, default: others }: PolicyRules, role: string): RolePolicy =>
  (Object.hasOwn(roles, role) ? roles[role] : undefined) ?? others;

/** Whether agents of the role may offer the capability. Whoever chooses agents by capability asks this of the policy in force. */
export function mayOffer(policy: PolicyRules, role: string, capabilityId: string): boolean {
  const { offers = DEFAULT_OFFERS } = rulesOf(policy, role);
  return offers.some((pattern) => matchesCapability(pattern, capabilityId));
}

/** The rules of a namespace. Version 0 is the policy that ships with the product. */
export const Policy = z
  .object({ version: z.number().int().nonnegative(), ...PolicyRules.shape })
  .meta({ id: 'Policy' });
export type Policy = z.infer<typeof Policy>;

export const PolicyGetInput = z.object({ ...inNamespace });
export type PolicyGetInput = z.output<typeof PolicyGetInput>;

/** How a policy is changed. */
const change = {
  ...inNamespace,
  ifVersion: z
    .number()
    .int()
    .nonnegative()
    .optional()
    .describe('The change is refused with CONFLICT unless this is the version in force.'),
  dryRun: z.boolean().optional().describe('Whether only the effect is computed, and nothing is stored.'),
};

export const PolicyPutInput = z.object({
  ...change,
  /** A version in it says nothing here; over REST, that of a policy which is sent back counts as `ifVersion`. */
  policy: PolicyRules,
});
export type PolicyPutInput = z.output<typeof PolicyPutInput>;

const role = Name.describe('The role.');
export const PolicyPutRoleInput = z.object({ ...change, role, rules: RolePolicy });
export type PolicyPutRoleInput = z.output<typeof PolicyPutRoleInput>;
export const PolicyRemoveRoleInput = z.object({ ...change, role });
export type PolicyRemoveRoleInput = z.output<typeof PolicyRemoveRoleInput>;

const losses = <Loss extends z.ZodType>(loss: Loss) =>
  z.object({
    total: z.number().int().nonnegative(),
    /** The first of them. */
    list: z.array(loss).max(LIMITS.policyLosses),
  });

/** Who loses what by a change of the policy. */
export const PolicyEffect = z
  .object({
    /** Agents that declare topics of which they may use more now than after the change, or capabilities that they may offer now. */
    agents: losses(
      z.object({
        name: AgentName,
        role: Name,
        publish: z.array(TopicPattern),
        subscribe: z.array(TopicPattern),
        /** Ids of capabilities. The agent stays registered with them, and gets no more tasks for them. */
        offers: z.array(z.string()),
      }),
    ),
    /** Open streams of agents, on the replica that answers, that the change ends. */
    streams: losses(
      z.object({
        name: AgentName,
        role: Name,
        kind: z.enum(['subscribe', 'consume']),
        topics: z.array(TopicPattern),
        /** The consumer group; null for a subscription. */
        group: z.string().nullable(),
      }),
    ),
    /** False when the namespace has more agents than were checked. */
    complete: z.boolean(),
  })
  .meta({ id: 'PolicyEffect' });
export type PolicyEffect = z.infer<typeof PolicyEffect>;

/** The policy after a change, or what a dry run would make of it: then the version is the one in force. */
export const ChangedPolicy = z.object({ ...Policy.shape, effect: PolicyEffect }).meta({ id: 'ChangedPolicy' });
export type ChangedPolicy = z.infer<typeof ChangedPolicy>;

export const PolicyHistoryInput = z.object({
  ...inNamespace,
  limit: z.number().int().min(1).max(LIMITS.policyHistory).default(20).describe('Most versions in a page.'),
  cursor: z.string().max(LIMITS.cursorLength).optional().describe('`nextCursor` of the previous page.'),
});
export type PolicyHistoryInput = z.output<typeof PolicyHistoryInput>;

const PolicyVersion = z.object({
  ...Policy.shape,
  /** When it was put. */
  at: z.iso.datetime(),
  /** The source of the operator who put it, such as `/operators/admin`; null when a release without a history did. */
  by: z.string().nullable(),
});
takesBack(PolicyRules, ChangedPolicy, PolicyVersion);

/** The versions of a policy that are kept, the newest first. A page ends at about 4 MiB. */
export const PolicyHistory = z
  .object({
    versions: z.array(PolicyVersion),
    nextCursor: z.string().nullable(),
  })
  .meta({ id: 'PolicyHistory' });
export type PolicyHistory = z.infer<typeof PolicyHistory>;

export const PolicyAction = z.enum(['publish', 'subscribe', 'consume']);
export type PolicyAction = z.infer<typeof PolicyAction>;

export const PolicyExplainInput = z.object({
  ...inNamespace,
  name: AgentName.describe('The name of the agent.'),
  action: PolicyAction.describe('The action to check.'),
  topic: z
    .union([Topic, TopicPattern])
    .optional()
    .describe('The topic, for `publish` and `subscribe`. For `subscribe`, it may be a pattern.'),
  group: Name.optional().describe('The consumer group, for `consume`.'),
});
export type PolicyExplainInput = z.output<typeof PolicyExplainInput>;
export const PolicyExplanation = z
  .object({
    /** Whether the policy allows it and, to publish, the circuit too. */
    allowed: z.boolean(),
    /** The pattern that decided, as the policy has it, or whose the group is; null when none matched. */
    rule: z.string().nullable(),
    circuit: CircuitState,
    /** The same in words. */
    because: z.string(),
  })
  .meta({ id: 'PolicyExplanation' });
export type PolicyExplanation = z.infer<typeof PolicyExplanation>;
