// The typed client of HyperCode Swarm.
//
// Imports go one way through the rooms: transport ← calls, watching, publishing ← consuming ← bus ← goals, plans, overview, questions ← swarm-client.ts ←
// presence ← tasks. transport has the connection to the core and what every room uses; bus joins publishing and consuming
// into what a client offers, plain and typed.
export {
  type Activity,
  type Agent,
  type AgentFilter,
  type AgentIn,
  type AgentSummary,
  type AgentView,
  type QueryResultIn,
  type WatchEventIn,
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
  type PlanEvent,
  type PlanSummary,
  type PlanView,
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
export type { AgentDirectory, DirectoryEvents, DirectoryFilter, WaitOptions } from './watching/agent-directory.ts';
export type { BusCalls } from './bus/bus-calls.ts';
export {
  connectAgent,
  type ConnectAgentOptions,
  createAgent,
  type CreateAgentOptions,
} from './presence/connect-agent.ts';
export type { AgentEvents, AgentHealth, AgentUpdate, ConnectedAgent } from './presence/connected-agent.ts';
export type {
  PublishBuffer,
  SessionClientOptions,
  SwarmClientOptions,
  TokenSource,
} from './transport/client-options.ts';
export type { Denial } from './transport/denials.ts';
export type { SwarmLogger } from './transport/logger.ts';
export type {
  ConsumeOptions,
  Consumer,
  Deliveries,
  DeliveriesOptions,
  Delivery,
  DeliveryHandler,
  GroupGap,
} from './consuming/consumer.ts';
export type { GrowingDelay, RedeliveryDelay } from './consuming/redelivery-delay.ts';
export { causedBy, type Correlation } from './publishing/correlation.ts';
export type { PublishOptions } from './publishing/outgoing-event.ts';
export { actOnDeadLetters, type DeadLetterAct, type DeadLettersWork } from './calls/act-on-dead-letters.ts';
export type { CallOptions, Procedures } from './calls/procedures.ts';
export type { ReadEventsInput } from './calls/read-events.ts';
export type { ListenOptions, SubscribeOptions, Subscription, TopicListener } from './consuming/subscription.ts';
export { type GoalEnd, GoalError } from './goals/goal-error.ts';
export type { GoalEvent, GoalEvents, GoalEventsOptions } from './goals/goal-events.ts';
export type { GoalHandle, GoalInput, GoalResult, GoalResultOptions, Goals } from './goals/goals.ts';
export type { OverviewOptions, OverviewStream, SwarmOverview } from './overview/overview.ts';
export type { Plans, PlanWatch, WatchPlansOptions } from './plans/plans.ts';
export { QuestionError } from './questions/question-error.ts';
export type { AskOptions, QuestionAnswer, QuestionInput } from './questions/questions.ts';
export { createSwarmClient, type SwarmClient } from './swarm-client.ts';
export type {
  TypedConsumeOptions,
  TypedEvents,
  TypedListenOptions,
  TypedSubscribeOptions,
  TypedSubscriptionEvent,
} from './bus/typed-events.ts';
export {
  serveTasks,
  type ServeTasksOptions,
  type TaskContext,
  type TaskHandler,
  type TaskServer,
} from './tasks/serve-tasks.ts';
export { TaskError } from './tasks/task-error.ts';
export { taskEventId } from './tasks/task-event-id.ts';
export type { Watch, WatchOptions } from './watching/watch.ts';
export { isUnanswered } from './transport/refusal.ts';
