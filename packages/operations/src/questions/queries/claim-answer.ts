// Claims an open question for an answer: of two that are given, one comes first, whichever replicas take them.
import { type Kysely, sql } from 'kysely';
import type { QuestionOrigin, QuestionOutcome, Schema } from '../../schema.ts';

export interface Claim {
  readonly namespace: string;
  readonly agent: string;
  readonly questionId: string;
  readonly outcome: QuestionOutcome;
  /** Of the event that publishes the answer. */
  readonly eventId: string;
}

/** The event that asked; null when the question is not open. */
export async function claimAnswer(
  db: Kysely<Schema>,
  { namespace, agent, questionId, outcome, eventId }: Claim,
): Promise<QuestionOrigin | null> {
  const { rows } = await sql<{ origin: QuestionOrigin }>`
    update questions set state = 'answered', outcome = ${JSON.stringify(outcome)}::jsonb, ended_at = now(),
      event_id = ${eventId}, pending_since = now()
    where namespace = ${namespace} and agent = ${agent} and question_id = ${questionId} and state = 'open'
      and (expires_at is null or expires_at > now())
    returning origin`.execute(db);
  return rows[0]?.origin ?? null;
}
