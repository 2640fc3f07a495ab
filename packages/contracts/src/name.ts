// The rule for every name on the wire: namespaces, agents, roles, groups, capability ids, label keys.
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

/** The optional namespace that every input takes. */
export const inNamespace = {
  namespace: Namespace.default(DEFAULT_NAMESPACE).describe('The namespace. Default: `default`.'),
};
