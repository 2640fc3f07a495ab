// The migrations of operations, oldest first by name. A migration that has been released is never edited.
import type { Migration } from 'kysely/migration';
import * as audit from './20261201-operations-audit.ts';
import * as reports from './20261201-operations-reports.ts';
import * as streams from './20261207-operations-streams.ts';
import * as sessions from './20261208-operations-sessions.ts';
import * as questions from './20261209-operations-questions.ts';

export const operationsMigrations: Record<string, Migration> = {
  '20261201-operations-audit': audit,
  '20261201-operations-reports': reports,
  '20261207-operations-streams': streams,
  '20261208-operations-sessions': sessions,
  '20261209-operations-questions': questions,
};
