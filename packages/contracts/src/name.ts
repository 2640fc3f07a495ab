// The rules for names on the wire: of namespaces, agents, roles, groups and label keys, and the one for ids of capabilities.
import { z } from 'zod';
import { LIMITS } from './limits.ts';

const NAME = /^[a-z0-9](?:[a-z0-9-]*[a-z0-9])?$/;

/** Lower-case letters, digits and `-`, starting and ending with a letter or digit, 1 to 63 characters. */
export const Name = z
  .string()
  .max(LIMITS.nameLength)
  .regex(NAME, 'must be lower-case letters, digits and "-", starting and ending with a letter or digit');
export type Name = z.infer<typeof Name>;

/** A swarm: names, topics, policies, tokens and streams live inside one. */
export const Namespace = Name;
export type Namespace = z.infer<typeof Namespace>;

export const DEFAULT_NAMESPACE = 'default';

/** A `Name` that an agent may have; `watch` is a route. */
export const AgentName = Name.refine((name) => name !== 'watch', 'an agent may not be called "watch"');
export type AgentName = z.infer<typeof AgentName>;

const CAPABILITY_ID = /^[A-Za-z0-9][A-Za-z0-9_.-]*$/;

/** The id of a capability, as tools of MCP and skills of A2A are called. Upper and lower case differ. */
export const CapabilityId = z
  .string()
  .max(LIMITS.capabilityIdLength)
  .regex(CAPABILITY_ID, 'must be letters, digits, "_", "." and "-", starting with a letter or digit');
export type CapabilityId = z.infer<typeof CapabilityId>;

const NAME_PATTERN = /^(?:\*|[a-z0-9](?:[a-z0-9-]*[a-z0-9])?(?:-\*)?)$/;

/** Whether `pattern` is a name, a beginning of names with `-*` after it, or `*`. */
export const isNamePattern = (pattern: string): boolean => NAME_PATTERN.test(pattern);

/** Whether the pattern stands for `name`. `ci-*` stands for `ci-a` and not for `ci`; `*` stands for every name. */
export function matchesName(pattern: string, name: string): boolean {
  if (pattern === '*') return true;
  if (!pattern.endsWith('-*')) return pattern === name;
  return name.length > pattern.length - 1 && name.startsWith(pattern.slice(0, -1));
}

/** Names of agents: a name, a beginning of names with `-*` after it (`ci-*`), or `*` for every name. */
export const NamePattern = z
  .string()
  .max(LIMITS.nameLength)
  .refine(isNamePattern, 'must be a name, which may end in "-*", or "*"');
export type NamePattern = z.infer<typeof NamePattern>;

/** The optional namespace that every input takes. */
export const inNamespace = {
  namespace: Namespace.default(DEFAULT_NAMESPACE).describe('The namespace. Default: `default`.'),
};
