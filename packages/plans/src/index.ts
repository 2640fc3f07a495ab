// Goals, plans and tasks as a fold over the events of the bus. Pure: no I/O, no clock. Runs in browsers too.
//
//   const ledger = new PlanLedger();
//   for (const event of kept) ledger.apply(event);    // what the bus has kept of PLAN_TOPICS, oldest first
//   ledger.caughtUp();
//   ledger.apply(event);                              // each later event
//   [...ledger.plans.values()].map(summaryOf);
export { CheckpointPart, checkpointOf } from './checkpoint.ts';
export { ENVELOPE_BYTES, keyBytes, refBytes } from './event-room.ts';
export { deadlineOf, type Hold } from './holds.ts';
export { type Fact, type InvalidEvent, PLAN_TOPICS } from './fact.ts';
export { fitting } from './liberal-reading.ts';
export { askedAgainAt, type Lapse, Lapses } from './lapses.ts';
export { questionEventId, stallEventId, voidEventId } from './plan-ids.ts';
export { approvalId, checkpointEventId, goalEventId, planEventId, planIdOf, rejectionEventId } from './plan-ids.ts';
export { assertPlannable, planFaults } from './plan-graph.ts';
export { PlanLedger } from './plan-ledger.ts';
export { APPROVE, REJECT } from './plan-questions.ts';
export { pageOf } from './plan-page.ts';
export { canBeRetried, nextRetryOf } from './plan-retry.ts';
export { type PlanFilter, PlanWatch } from './plan-watch.ts';
export type { Rejection } from './rejections.ts';
export { mermaidOf } from './mermaid.ts';
export { summaryOf, viewOf } from './plan-view.ts';
export { type AttemptRecord, lastFailureIn } from './task-attempt.ts';
export { type Assignment, hasEnded, lastAttemptOf, type Plan, statusOf, takenBack, type Task } from './plan.ts';
