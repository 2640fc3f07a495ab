// Looking at a swarm: replicas, statistics, traffic, and the audit. Runs on PostgreSQL and on PGlite.
export type { Act, AuditHead, AuditLog } from './audit/audit-log.ts';
export { operationsSchema } from './database-schema.ts';
export { createOperations, type Operations, type OperationsOptions } from './operations.ts';
export type { ReportPart } from './reports/reporter.ts';
export type { CountRead, EventOrigin } from './traffic/traffic.ts';
