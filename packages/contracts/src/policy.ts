// Who may publish and subscribe to what: policies by role. Access is denied unless a pattern allows it.
import { z } from 'zod';
import { CircuitState } from './agent.ts';
import { LIMITS } from './limits.ts';
import { AgentName, inNamespace, Name } from './name.ts';
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
const GROUP_PATTERN = /^(?:\*|[a-z0-9](?:[a-z0-9-]*[a-z0-9])?(?:-\*)?)$/;

/** The name of a group, in which `{name}` and `{role}` stand for those of the caller; it may end in `-*`. `*` is every group. */
export const GroupPattern = z
  .string()
  .max(LIMITS.topicLength)
  .refine(
    (pattern) => GROUP_PATTERN.test(pattern.replaceAll(NAME_IN_PATTERN, 'x')),
    'must be a group, in which {name} and {role} may stand and which may end in "-*", or "*"',
  );
export type GroupPattern = z.infer<typeof GroupPattern>;

/** Whether the pattern stands for `group` when `caller` asks. */
export function matchesGroup(pattern: GroupPattern, group: string, caller: { name: string; role: string }): boolean {
  if (pattern === '*') return true;
  const wanted = pattern.replaceAll(NAME_IN_PATTERN, (key) => (key === NAME_PLACEHOLDER ? caller.name : caller.role));
  if (!wanted.endsWith('-*')) return wanted === group;
  return group.length > wanted.length - 1 && group.startsWith(wanted.slice(0, -1));
}

/** The groups of a role whose rules do not name any: its own and those of its agents; none when it may publish nothing. */
export const defaultConsume = ({ publish }: { publish: readonly string[] }): string[] =>
  publish.length === 0 ? [] : [NAME_PLACEHOLDER, '{role}', '{role}-*'];

const Patterns = z.array(PolicyPattern).max(LIMITS.policyPatterns);

/** What a role may do: what an `allow` pattern covers and no `deny` pattern takes away. */
export const RolePolicy = z.object({
  publish: Patterns,
  subscribe: Patterns,
  denyPublish: Patterns.optional(),
  denySubscribe: Patterns.optional(),
  /** Consumer groups. Default: `{name}`, `{role}` and `{role}-*`; none for a role that may publish nothing. */
  consume: z.array(GroupPattern).max(LIMITS.policyPatterns).optional(),
});
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

/** The rules of a namespace. Version 0 is the policy that ships with the product. */
export const Policy = z
  .object({ version: z.number().int().nonnegative(), ...PolicyRules.shape })
  .meta({ id: 'Policy' });
export type Policy = z.infer<typeof Policy>;

export const PolicyGetInput = z.object({ ...inNamespace });
export type PolicyGetInput = z.output<typeof PolicyGetInput>;

export const PolicyPutInput = z.object({
  ...inNamespace,
  /** A version in it says nothing, so that what `get` gave can be sent back. */
  policy: PolicyRules,
  /** Refused with CONFLICT unless this is the version in force. */
  ifVersion: z.number().int().nonnegative().optional(),
});
export type PolicyPutInput = z.output<typeof PolicyPutInput>;

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
