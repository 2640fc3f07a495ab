// The agent registry: register, query, change log, watch, tokens, liveness. Runs on PostgreSQL and on PGlite.
export type { CommittedGroup } from './agents/group-commit.ts';
export type { Change as AgentChange } from './changes/change.ts';
export {
  createRegistry,
  type LivenessOptions,
  type Registry,
  type RegistryNotices,
  type RegistryOptions,
} from './create-registry.ts';
export { registrySchema } from './database-schema.ts';
export type { GuardNotice, GuardNumbers } from './liveness/mass-failure-guard.ts';
export type { CircuitChange } from './liveness/queries/claim-circuit-changes.ts';
export { AddressRules, defaultRules, isLoopback } from './probes/address-rules.ts';
export { AgentMirror, type MirroredStatus } from './tokens/agent-mirror.ts';
export type { StaticToken } from './tokens/identities.ts';
export type { Identity } from './tokens/identity.ts';
export type { AgentPrincipal, JoinPrincipal, Principal } from './tokens/principal.ts';
export type { TokenNotice } from './tokens/tokens.ts';
export type { WatchItem } from './watch/project.ts';
export { BOOKMARK_INTERVAL_MS, type WatchRequest } from './watch/watches.ts';
