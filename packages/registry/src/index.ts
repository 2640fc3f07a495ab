// The agent registry: register, query, change log, watch, tokens. Runs on PostgreSQL and on PGlite.
export type { CommittedGroup } from './agents/group-commit.ts';
export type { Clock } from './clock.ts';
export type { CircuitNews } from './liveness/queries/claim-circuit-news.ts';
export { registrySchema } from './database-schema.ts';
export { AddressRules, defaultRules } from './probes/address-rules.ts';
export { type LivenessOptions, Registry, type RegistryObserver, type RegistryOptions } from './registry.ts';
export type { Identity, StaticToken } from './tokens/identities.ts';
export type { AgentPrincipal, JoinPrincipal, Principal } from './tokens/principal.ts';
export type { WatchItem } from './watch/project.ts';
export { BOOKMARK_INTERVAL_MS, type WatchRequest } from './watch/watches.ts';
