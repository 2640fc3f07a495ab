// The typed client of HyperCode Swarm.
export {
  Activity,
  Agent,
  AgentFilter,
  type AgentRegistrationInput,
  Capability,
  CircuitState,
  ErrorCode,
  Health,
  RegisterOutcome,
  SwarmError,
  WatchEvent,
} from '@hypercode/contracts';
export { AgentDirectory, type DirectoryEvents, type DirectoryFilter, type WaitOptions } from './agent-directory.ts';
export { connectAgent, type ConnectAgentOptions } from './connect-agent.ts';
export { type AgentEvents, type AgentLogger, type AgentUpdate, ConnectedAgent } from './connected-agent.ts';
export type { SwarmClientOptions, TokenSource } from './connection.ts';
export type { CallOptions, Procedures } from './procedures.ts';
export { createSwarmClient, type SwarmClient } from './swarm-client.ts';
export type { Watch, WatchOptions } from './watch.ts';
