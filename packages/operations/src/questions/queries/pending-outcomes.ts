// Outcomes whose events are to be published.
import { type Kysely, sql } from 'kysely';
import type { QuestionOrigin, QuestionOutcome, Schema } from '../../schema.ts';

export interface PendingOutcome {
  readonly namespace: string;
  readonly agent: string;
  readonly questionId: string;
  readonly state: 'answered' | 'withdrawn';
  readonly outcome: QuestionOutcome;
  readonly origin: QuestionOrigin;
  readonly eventId: string;
}

/** Of answers that were just claimed, those that wait for so long: the replica that claimed one publishes it first. */
export async function pendingOutcomes(
  db: Kysely<Schema>,
  { waitMs, limit }: { readonly waitMs: number; readonly limit: number },
): Promise<PendingOutcome[]> {
  const { rows } = await sql<PendingOutcome>`
    select namespace, agent, question_id as "questionId", state, outcome, origin, event_id as "eventId"
    from questions
    where pending_since is not null
      and (state = 'withdrawn' or settled or pending_since <= now() - ${waitMs}::double precision * interval '1 millisecond')
    order by pending_since limit ${limit}`.execute(db);
  return rows;
}

type Published = Pick<PendingOutcome, 'namespace' | 'agent' | 'questionId' | 'eventId'>;

/** Their events are in the log. */
export async function outcomesPublished(db: Kysely<Schema>, outcomes: readonly Published[]): Promise<void> {
  const of = (field: keyof Published): string[] => outcomes.map((outcome) => outcome[field]);
  await sql`
    update questions q set pending_since = null
    from unnest(${of('namespace')}::text[], ${of('agent')}::text[], ${of('questionId')}::uuid[], ${of('eventId')}::uuid[])
      as p(namespace, agent, question_id, event_id)
    where q.namespace = p.namespace and q.agent = p.agent and q.question_id = p.question_id
      and q.event_id = p.event_id`.execute(db);
}
