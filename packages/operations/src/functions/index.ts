// The functions of operations.
import type { FunctionSources } from '@hypercode/stores';
import { appendAudit } from './append-audit.ts';
import { foldQuestions } from './fold-questions.ts';

/** Raise `release` with the first change after a release. */
export const operationsFunctions: FunctionSources = {
  release: 1,
  sources: [appendAudit, foldQuestions],
};
