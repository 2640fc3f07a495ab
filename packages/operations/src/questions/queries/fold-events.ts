// Applies events of the log of a namespace. Returns whether this replica was the one to read on from `before`.
import { LIMITS } from '@hypercode/contracts';
import { type Kysely, sql } from 'kysely';
import type { Schema } from '../../schema.ts';
import type { QuestionFact } from '../question-fact.ts';

export interface ReadLog {
  readonly namespace: string;
  readonly before: string | null;
  readonly after: string;
  readonly facts: readonly QuestionFact[];
}

const REFUSAL = JSON.stringify({ reason: `the agent has ${LIMITS.openQuestions} open questions already` });

export async function foldEvents(db: Kysely<Schema>, { namespace, before, after, facts }: ReadLog): Promise<boolean> {
  const { rows } = await sql<{ done: boolean }>`
    select fold_questions(${namespace}, ${before}::text, ${after}::text, ${JSON.stringify(facts)}::jsonb,
      ${LIMITS.openQuestions}::integer, ${REFUSAL}::jsonb) as done`.execute(db);
  return rows[0]?.done ?? false;
}
