// What every part of HyperCode Swarm agrees on: the API, schemas and their types, limits, topic patterns, error codes.
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
export { type AgentIn, AgentSummary, AgentView, CapabilitySummary, summaryOf } from './agent-view.ts';
export { type Api, api, type ApiInput, type ApiOutput, type ProcedureName, procedures } from './api/api.ts';
export { KINDS } from './api/kinds.ts';
export type { PostForm, Procedure, ProcedureKind, RestForm, RestTag } from './api/procedure.ts';
export { CALLER_KINDS, type CallerKind, type Reach, type Rights } from './api/rights.ts';
export { SESSION_HEADER, SESSION_PARAMETER, SESSION_PATH, SIGN_IN_FRAGMENT } from './session-names.ts';
export { SessionCodeInput, SessionCodeResult, SignedIn, SignIn } from './session.ts';
export { API_HEADER, API_VERSION, IGNORED_HEADER } from './api-version.ts';
export { architectEvents } from './architect-events.ts';
export { AuditEntry, AuditListInput, AuditListResult, AuditOutcome, HashedValue } from './audit.ts';
export {
  AUDIT_START,
  type AuditContent,
  auditDigest,
  type AuditFault,
  auditHash,
  type VerifiedAudit,
  verifyAudit,
  type VerifyAuditOptions,
} from './audit-chain.ts';
export {
  AckInput,
  BusPublishInput,
  ClaimInput,
  ClaimResult,
  ConsumeInput,
  CountResult,
  DeadLetter,
  DeadLetterChoice,
  DeadLettersInput,
  DeadLettersResult,
  DeliveryId,
  FailedAttempt,
  GapReason,
  GroupEvent,
  GroupInfo,
  GroupPause,
  GroupSettings,
  type GroupStart,
  GroupsInput,
  GroupsResult,
  LogInfo,
  ExtendInput,
  ExtendResult,
  FindInput,
  FindResult,
  NackInput,
  PublishManyInput,
  PublishManyResult,
  PublishRefusal,
  PublishResult,
  ReadInput,
  ReadOrder,
  ReadResult,
  SettleResult,
  StartFrom,
  SubscribeInput,
  SubscriptionEvent,
  TopicInfo,
  TopicsInput,
  TopicsResult,
} from './bus.ts';
export { AudienceCaller, type OtherStreams, StreamAudience, StreamReport } from './stream-audience.ts';
export { canonicalJson } from './canonical-json.ts';
export {
  CIRCUIT_TOPICS,
  CircuitEventData,
  LIVENESS_TOPICS,
  LivenessSuspendedData,
  ResetInput,
  TripInput,
} from './circuit.ts';
export {
  ClusterStatus,
  ClusterStatusInput,
  NamespaceInfo,
  NamespacesInput,
  NamespacesResult,
  Replica,
  StoreStatus,
} from './cluster.ts';
export { type BrowserRequest, isCrossSite, isFromOtherOrigin } from './cross-site.ts';
export {
  ERROR_CODES,
  type ErrorDetails,
  invalidField,
  invalidInput,
  readRefusal,
  SwarmError,
  type SwarmErrorOptions,
} from './error.ts';
export { ErrorCode, SwarmErrorBody } from './error-body.ts';
export {
  agentSource,
  CORE_SOURCE,
  isBareEvent,
  operatorSource,
  Position,
  Extensions,
  PublishInput,
  SwarmEvent,
  SYSTEM_TOPIC,
} from './event.ts';
export {
  AdmittedBy,
  EventTrace,
  PreviewInput,
  PreviewResult,
  StreamState,
  StreamTrace,
  TraceInput,
} from './event-trace.ts';
export { CancelGoalInput, CancelledGoal, SubmitGoalInput, SubmittedGoal } from './goal-calls.ts';
export { GroupFate, GroupFateState } from './group-fate.ts';
export { GetGroupInput, GetGroupResult, GroupMember, OpenDelivery } from './group-view.ts';
export { Goal, GoalCancelled, GoalRejected, GoalStep, GoalSubmission } from './goal.ts';
export { type KnownFields, knownFieldsOf, type UnknownField, unknownFields } from './known-fields.ts';
export { LIMITS } from './limits.ts';
export { LoggedEvent } from './logged-event.ts';
export { AgentName, CapabilityId, DEFAULT_NAMESPACE, matchesName, Name, NamePattern, Namespace } from './name.ts';
export { isOutputRef, type OutputRef } from './output-ref.ts';
export { Overview, OverviewInput } from './overview.ts';
export { PlanCancelled, PlanCompleted, PlanCreated, PlanFailed, PlannerName, PlanRetry, PlanTask } from './plan.ts';
export {
  GetPlanInput,
  ListPlansInput,
  PlanEvent,
  PlanList,
  RetriedPlan,
  RetryPlanInput,
  WatchPlansInput,
} from './plan-calls.ts';
export {
  AttemptOutcome,
  AttemptView,
  PlanApproval,
  PlanQuestion,
  PlanStatus,
  PlanSummary,
  PlanView,
  TaskStatus,
  TaskView,
} from './plan-view.ts';
export {
  CapabilityPattern,
  ChangedPolicy,
  GroupPattern,
  Policy,
  PolicyAction,
  PolicyEffect,
  PolicyExplainInput,
  PolicyExplanation,
  PolicyGetInput,
  PolicyHistory,
  PolicyHistoryInput,
  PolicyPattern,
  PolicyPutInput,
  PolicyPutRoleInput,
  PolicyRemoveRoleInput,
  PolicyRules,
  RolePolicy,
  defaultConsume,
  matchesCapability,
  matchesGroup,
  mayOffer,
  onlyListens,
  rulesOf,
  withName,
} from './policy.ts';
export { policyText } from './policy-text.ts';
export { Problem, PROBLEM_MEDIA_TYPE, problemHeaders, problemOf } from './problem.ts';
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
  type QueryResultIn,
  QuerySummaryResult,
  RegisterInput,
  RegisterOutcome,
  RegisterResult,
  UpdateInput,
  UpdateResult,
  WatchInput,
} from './registry.ts';
export {
  CancelCause,
  TaskAccepted,
  TaskAssigned,
  TaskAttempt,
  TaskCancelled,
  TaskCompleted,
  TaskFailed,
  TaskId,
  TaskOutputs,
  TaskProgress,
  TaskRejected,
  TaskStalled,
  TaskTerms,
  TaskVerdict,
  extendsOnProgress,
} from './task.ts';
export { type Json, jsonFault } from './json-fault.ts';
export {
  CreateTokenInput,
  CreateTokenResult,
  ListTokensInput,
  ListTokensResult,
  RevokeTokenInput,
  RevokeTokenResult,
  TOKEN_TOPICS,
  type TokenChange,
  TokenEventData,
  TokenInfo,
  TokenKind,
  TokenNames,
  TokenRoles,
} from './token.ts';
export {
  STATS_STEP_MS,
  StatsMetric,
  StatsSeries,
  StatsSeriesInput,
  Traffic,
  TrafficEdge,
  TrafficInput,
  TrafficReader,
} from './stats.ts';
export type { InferInput, InferOutput, StandardSchemaV1 } from './standard-schema.ts';
export {
  QUESTION_PREFIX,
  QuestionAbout,
  QuestionAnswered,
  QuestionAsked,
  questionEvents,
  QuestionId,
  QuestionOption,
  QuestionWithdrawn,
} from './question.ts';
export {
  AnsweredQuestion,
  AnswerQuestionInput,
  ListQuestionsInput,
  QuestionList,
  QuestionState,
  QuestionView,
} from './question-calls.ts';
export { Topic, TopicPattern } from './topic.ts';
export { readTraceparent } from './traceparent.ts';
export { covers, intersects, matches, TopicSet } from './topic-matching.ts';
export {
  type CatalogueTopic,
  defineEvents,
  type EventCatalogue,
  type EventData,
  type EventInput,
  type EventSchemas,
  readEventData,
  type TypedEvent,
} from './typed-events.ts';
export { ChangeType, SNAPSHOT_ID, WatchChangeType, WatchEvent, type WatchEventIn, WatchSummaryEvent } from './watch.ts';
export { WhoamiInput, WhoamiResult } from './whoami.ts';
export { DEADLINE_PASSED, DeathReason, GROUP_DEAD_TOPIC, GroupDeadData, NO_REASON } from './group-deaths.ts';
export {
  DeletedGroup,
  DeleteGroupInput,
  GROUP_TOPICS,
  type GroupChange,
  GroupEventData,
  GroupUpdate,
  PauseGroupInput,
  ResumeGroupInput,
  SeekGroupInput,
  SeekTarget,
  SoughtGroup,
  SteeredGroup,
  UpdateGroupInput,
} from './group-steering.ts';
export { escapeOf, UNSAFE_CHARACTERS } from './unsafe-characters.ts';
export { json } from './text.ts';
