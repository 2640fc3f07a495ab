// Goals, plans and tasks as a fold over the events of the bus. Pure: no I/O, no clock. Runs in browsers too.
export { CheckpointPart, checkpointOf } from './checkpoint.ts';
export { type Fact, FACT_TOPICS, factOf } from './fact.ts';
export { Ledger } from './ledger.ts';
export { checkpointEventId, goalEventId, planEventId, planIdOf } from './plan-ids.ts';
export { mermaidOf, type PlanSummary, type PlanView, summaryOf, viewOf } from './plan-view.ts';
export { type Assignment, hasEnded, lastAttemptOf, type Plan, statusOf, type Task } from './plan.ts';
