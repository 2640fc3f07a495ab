// The functions through which agents are written.
import type { FunctionSources } from '@hypercode/stores';
import { commitWrites } from './commit-writes.ts';
import { forgetOldestProcesses } from './forget-oldest-processes.ts';
import { noteCircuit } from './note-circuit.ts';

/** Raise `release` with the first change after a release. */
export const registryFunctions: FunctionSources = {
  release: 4,
  sources: [forgetOldestProcesses, commitWrites, noteCircuit],
};
