// For the tests of this package and of those that call a core: one in their own process, data folders for others, and
// calls and watches as a program without our client makes them.
export {
  accepted,
  allAgents,
  call,
  callBatch,
  type Core,
  type Outcome,
  refusalCode,
  registration,
  send,
} from './call.ts';
export { type ChangeEvent, faultOf, expectedChanges, holeIn, readChangeLog, stateAfter } from './change-record.ts';
export { connect, type Transport, TRANSPORTS } from './connections.ts';
export {
  expectProblem,
  sharedCore,
  START_TIMEOUT_MS,
  startTestCore,
  type TestCore,
  type TestCoreOptions,
  type TestRequest,
} from './core.ts';
export { coreFolder } from './core-folder.ts';
export { HealthEndpoint } from './health-endpoint.ts';
export { digestOf, Watcher } from './watcher.ts';
