// How a row becomes what callers see of a question.
import type { QuestionView } from '@hypercode/contracts';
import type { Selectable } from 'kysely';
import type { QuestionTable } from '../schema.ts';

export type QuestionRow = Omit<Selectable<QuestionTable>, 'seq' | 'pending_since' | 'settled' | 'namespace'>;

export function questionOf({ asked, outcome, ...row }: QuestionRow): QuestionView {
  const answered = outcome !== null && 'answer' in outcome ? outcome : null;
  return {
    agent: row.agent,
    questionId: row.question_id,
    state: row.state,
    text: asked.text,
    options: asked.options ?? null,
    schema: asked.schema ?? null,
    about: asked.about ?? null,
    askedAt: row.asked_at.toISOString(),
    expiresAt: row.expires_at?.toISOString() ?? null,
    answer: answered?.answer ?? null,
    comment: answered?.comment ?? null,
    by: answered?.by ?? null,
    reason: outcome !== null && 'reason' in outcome ? outcome.reason : null,
    endedAt: row.ended_at?.toISOString() ?? null,
  };
}
