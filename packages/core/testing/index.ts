// For the tests of this package and of those that call a core: one in their own process.
export { expectProblem, sharedCore, START_TIMEOUT_MS, startTestCore, type TestCore, type TestRequest } from './core.ts';
export { coreFolder } from './core-folder.ts';
