// Looking at a swarm: replicas, statistics, traffic, the audit, and the sessions of browsers. Runs on PostgreSQL and on PGlite.
export type { Act, AuditHead, AuditLog } from './audit/audit-log.ts';
export { operationsSchema } from './database-schema.ts';
export { createOperations, type Operations, type OperationsOptions } from './operations.ts';
export type { PendingQuestion, Questions } from './questions/questions.ts';
export { type QuestionFact, questionFactOf } from './questions/question-fact.ts';
export type { QuestionOutcome } from './schema.ts';
export type { ReportPart } from './reports/reporter.ts';
export type { CountRead, EventOrigin } from './traffic/traffic.ts';
export type { Session } from './sessions/session.ts';
export type { OpenedSession, SessionProof, Sessions } from './sessions/sessions.ts';
