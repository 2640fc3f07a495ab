// The typed client of HyperCode Swarm.
export {
  type Activity,
  type Agent,
  type AgentFilter,
  type AgentRegistrationInput,
  type Capability,
  type CircuitState,
  type ErrorCode,
  type Health,
  type RegisterOutcome,
  SwarmError,
  type WatchEvent,
} from '@hypercode/contracts';
export type { AgentDirectory, DirectoryEvents, DirectoryFilter, WaitOptions } from './agent-directory.ts';
export { connectAgent, type ConnectAgentOptions } from './connect-agent.ts';
export type { AgentEvents, AgentLogger, AgentUpdate, ConnectedAgent } from './connected-agent.ts';
export type { SwarmClientOptions, TokenSource } from './connection.ts';
export type { CallOptions, Procedures } from './procedures.ts';
export { createSwarmClient, type SwarmClient } from './swarm-client.ts';
export type { Watch, WatchOptions } from './watch.ts';
