// The typed client of HyperCode Swarm.
export {
  type Activity,
  type Agent,
  type AgentFilter,
  type AgentRegistrationInput,
  type Capability,
  type CatalogueTopic,
  type CircuitState,
  defineEvents,
  type ErrorCode,
  type EventCatalogue,
  type EventData,
  type EventInput,
  type GroupEvent,
  type Health,
  type Json,
  type PublishResult,
  type RegisterOutcome,
  type StartFrom,
  type SubscriptionEvent,
  SwarmError,
  type SwarmEvent,
  type TaskAssigned,
  type TypedEvent,
  type WatchEvent,
} from '@hypercode/contracts';
export type { AgentDirectory, DirectoryEvents, DirectoryFilter, WaitOptions } from './agent-directory.ts';
export type { BusCalls } from './bus-calls.ts';
export { connectAgent, type ConnectAgentOptions, createAgent, type CreateAgentOptions } from './connect-agent.ts';
export type { AgentEvents, AgentHealth, AgentLogger, AgentUpdate, ConnectedAgent } from './connected-agent.ts';
export type { SwarmClientOptions, TokenSource } from './connection.ts';
export type {
  ConsumeOptions,
  Consumer,
  Deliveries,
  DeliveriesOptions,
  Delivery,
  DeliveryHandler,
  GroupGap,
} from './consumer.ts';
export type { PublishOptions } from './outgoing-event.ts';
export type { CallOptions, Procedures } from './procedures.ts';
export type { PublishBuffer } from './publish-room.ts';
export type { ListenOptions, SubscribeOptions, Subscription, TopicListener } from './subscription.ts';
export { createSwarmClient, type SwarmClient } from './swarm-client.ts';
export type {
  TypedConsumeOptions,
  TypedEvents,
  TypedListenOptions,
  TypedSubscribeOptions,
  TypedSubscriptionEvent,
} from './typed-events.ts';
export {
  serveTasks,
  type ServeTasksOptions,
  type TaskContext,
  TaskError,
  type TaskHandler,
  type TaskServer,
} from './serve-tasks.ts';
export { taskEventId } from './task-event-id.ts';
export type { Watch, WatchOptions } from './watch.ts';
