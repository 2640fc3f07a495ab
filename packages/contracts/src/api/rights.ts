// Which kinds of token may call a procedure. Policies limit agents further, on the bus.

/** What a token is: `agent` is an agent's own token, and operators create the others. */
export const CALLER_KINDS = ['admin', 'operator', 'viewer', 'agent', 'join'] as const;
export type CallerKind = (typeof CALLER_KINDS)[number];

/**
 * How far a kind of token reaches:
 * - `everywhere`: every namespace.
 * - `namespace`: the namespace of the token; every namespace where the token has none.
 * - `self`: the agent of the token, in its namespace: the input names it, or names no agent.
 * - `roles`: the namespace of the token, and there the agents of its roles and names.
 * - `token`: the token itself: the input names its namespace (any, where the token has none), or no namespace.
 */
export type Reach = 'everywhere' | 'namespace' | 'self' | 'roles' | 'token';

/** The kinds of token that may call a procedure. A kind that is absent may not, so a new kind may call nothing. */
export type Rights = Readonly<Partial<Record<CallerKind, Reach>>>;

/** Reading what is in a namespace. */
export const READ: Rights = { admin: 'everywhere', operator: 'namespace', viewer: 'namespace', agent: 'namespace' };

/** The same, where an agent reads about itself. */
export const READ_AS_SELF: Rights = { ...READ, agent: 'self' };

/** Reading what people did: not for agents. */
export const OVERSEE: Rights = { admin: 'everywhere', operator: 'namespace', viewer: 'namespace' };

/** The same across namespaces: a token of one namespace reads about that one, and need not name it. */
export const OVERSEE_ALL: Rights = { admin: 'everywhere', operator: 'token', viewer: 'token' };

/** Taking part in what happens on the bus: publishing, and working on events. */
export const TAKE_PART: Rights = { admin: 'everywhere', operator: 'namespace', agent: 'namespace' };

/** Acting on agents from outside. */
export const OPERATE: Rights = { admin: 'everywhere', operator: 'namespace' };

/** Changing who may do what. */
export const ADMINISTER: Rights = { admin: 'everywhere' };
