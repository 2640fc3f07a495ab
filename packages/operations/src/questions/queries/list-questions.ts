// Questions of a namespace in one state: open ones oldest first, others newest first.
import type { QuestionState } from '@hypercode/contracts';
import type { Kysely } from 'kysely';
import type { Schema } from '../../schema.ts';
import type { QuestionRow } from '../question-row.ts';

export interface QuestionPage {
  readonly namespace: string;
  readonly state: QuestionState;
  readonly agent: string | undefined;
  /** The last one of the page before. */
  readonly after: number | null;
  readonly limit: number;
}

const COLUMNS = [
  'agent',
  'question_id',
  'asked',
  'origin',
  'asked_at',
  'expires_at',
  'state',
  'outcome',
  'ended_at',
  'event_id',
] as const;

export async function listQuestions(
  db: Kysely<Schema>,
  { namespace, state, agent, after, limit }: QuestionPage,
): Promise<(QuestionRow & { readonly seq: number })[]> {
  const isForward = state === 'open';
  let query = db.selectFrom('questions').select([...COLUMNS, 'seq']);
  query = query.where('namespace', '=', namespace).where('state', '=', state);
  if (agent !== undefined) query = query.where('agent', '=', agent);
  if (after !== null) query = query.where('seq', isForward ? '>' : '<', after);
  return query
    .orderBy('seq', isForward ? 'asc' : 'desc')
    .limit(limit)
    .execute();
}

export function findQuestion(
  db: Kysely<Schema>,
  { namespace, agent, questionId }: { readonly namespace: string; readonly agent: string; readonly questionId: string },
): Promise<QuestionRow | undefined> {
  return db
    .selectFrom('questions')
    .select(COLUMNS)
    .where('namespace', '=', namespace)
    .where('agent', '=', agent)
    .where('question_id', '=', questionId)
    .executeTakeFirst();
}
