// What every part of HyperCode Swarm agrees on: schemas and their types, limits, topic patterns, error codes.
export {
  Activity,
  Agent,
  AgentRegistration,
  type AgentRegistrationInput,
  AgentStatus,
  Capability,
  CircuitState,
  DeclaredTopics,
  Health,
  Labels,
} from './agent.ts';
export {
  ERROR_CODES,
  ErrorCode,
  type ErrorDetails,
  invalidInput,
  SwarmError,
  SwarmErrorBody,
  type SwarmErrorOptions,
} from './error.ts';
export { LIMITS } from './limits.ts';
export { AgentName, DEFAULT_NAMESPACE, Name, Namespace } from './name.ts';
export {
  AgentChange,
  AgentFilter,
  AgentUpdate,
  DeregisterInput,
  DeregisterResult,
  GetInput,
  HeartbeatInput,
  HeartbeatResult,
  HistoryInput,
  HistoryResult,
  QueryInput,
  QueryResult,
  RegisterInput,
  RegisterOutcome,
  RegisterResult,
  UpdateInput,
  UpdateResult,
  WatchInput,
} from './registry.ts';
export { type Json, jsonFault } from './text.ts';
export {
  CreateTokenInput,
  CreateTokenResult,
  ListTokensInput,
  ListTokensResult,
  RevokeTokenInput,
  RevokeTokenResult,
  TokenInfo,
  TokenKind,
  TokenRoles,
} from './token.ts';
export { covers, matches, Topic, TopicPattern } from './topic.ts';
export { ChangeType, SNAPSHOT_ID, WatchChangeType, WatchEvent } from './watch.ts';
