// The questions of agents to people: a table that the log of events is folded into, and from which answers are claimed.
import {
  invalidField,
  LIMITS,
  type ListQuestionsInput,
  type QuestionList,
  type QuestionView,
  SwarmError,
} from '@hypercode/contracts';
import type { Kysely } from 'kysely';
import { refusalOf } from '@hypercode/stores';
import type { QuestionOrigin, Schema } from '../schema.ts';
import { questionOf } from './question-row.ts';
import { type Claim, claimAnswer } from './queries/claim-answer.ts';
import { followLog, leaveIdleLogs, leaveQuestionDuty, takeQuestionDuty, touchLog } from './queries/follow-logs.ts';
import { foldEvents, type ReadLog } from './queries/fold-events.ts';
import { findQuestion, listQuestions } from './queries/list-questions.ts';
import { outcomesPublished, type PendingOutcome, pendingOutcomes } from './queries/pending-outcomes.ts';
import { retainQuestions } from './queries/retain-questions.ts';
import { withdrawExpired, withdrawOf } from './queries/withdraw-questions.ts';

export type PendingQuestion = PendingOutcome;

/** How long ended questions are kept, in milliseconds, and how many in a namespace. */
const RETENTION = { maxAgeMs: 7 * 24 * 3_600_000, maxEnded: 1_000 };

/** Every method rejects with UNAVAILABLE when the database does not answer. */
export class Questions {
  readonly #db: Kysely<Schema>;

  constructor(db: Kysely<Schema>) {
    this.#db = db;
  }

  /** INVALID_INPUT for a cursor that this call did not return. */
  async list({ namespace, state, agent, limit, cursor }: ListQuestionsInput): Promise<QuestionList> {
    const after = cursor === undefined ? null : seqIn(cursor);
    const rows = await this.#do(() => listQuestions(this.#db, { namespace, state, agent, after, limit: limit + 1 }));
    const questions: QuestionView[] = [];
    let bytes = 0;
    let last: number | null = null;
    for (const { seq, ...row } of rows) {
      const question = questionOf(row);
      bytes += Buffer.byteLength(JSON.stringify(question));
      if (questions.length === limit || (bytes > LIMITS.pageBytes && questions.length > 0)) {
        return { questions, nextCursor: String(last) };
      }
      questions.push(question);
      last = seq;
    }
    return { questions, nextCursor: null };
  }

  /** NOT_FOUND. */
  async get(named: {
    readonly namespace: string;
    readonly agent: string;
    readonly questionId: string;
  }): Promise<QuestionView> {
    const row = await this.#do(() => findQuestion(this.#db, named));
    if (row === undefined) {
      throw new SwarmError('NOT_FOUND', `the agent "${named.agent}" has asked no question ${named.questionId}`);
    }
    return questionOf(row);
  }

  /** How many questions of the namespace wait for an answer. */
  async countOpen(namespace: string): Promise<number> {
    const { count } = await this.#do(() =>
      this.#db
        .selectFrom('questions')
        .select(({ fn }) => fn.countAll<number>().as('count'))
        .where('namespace', '=', namespace)
        .where('state', '=', 'open')
        .executeTakeFirstOrThrow(),
    );
    return count;
  }

  /** The event that asked. CONFLICT when the question has ended, NOT_FOUND. */
  async claim(claim: Claim): Promise<QuestionOrigin> {
    const origin = await this.#do(() => claimAnswer(this.#db, claim));
    if (origin !== null) return origin;
    const { state, by, reason } = await this.get(claim);
    const how = state === 'answered' ? `answered by ${by}` : `withdrawn: ${reason ?? 'it has expired'}`;
    throw new SwarmError('CONFLICT', `the question was ${how}`);
  }

  /** Whether the log of the namespace is read; see `follow`. */
  isFollowed(namespace: string): Promise<boolean> {
    return this.#do(() => touchLog(this.#db, namespace));
  }

  /** From now on the log of the namespace is read, from the position on (null: its beginning), if it is not read already. */
  follow(namespace: string, position: string | null): Promise<void> {
    return this.#do(() => followLog(this.#db, namespace, position));
  }

  /** The logs that are read, and how far each was. */
  logs(): Promise<{ namespace: string; position: string | null }[]> {
    return this.#do(() => this.#db.selectFrom('question_logs').select(['namespace', 'position']).execute());
  }

  /** Returns whether this replica was the one to read on. */
  fold(read: ReadLog): Promise<boolean> {
    return this.#do(() => foldEvents(this.#db, read));
  }

  leaveIdle(read: readonly { readonly namespace: string; readonly position: string }[], idleMs: number): Promise<void> {
    return this.#do(() => leaveIdleLogs(this.#db, read, idleMs));
  }

  /** Whether this replica has the duty to read the logs and to publish outcomes, for so long. */
  takeDuty(holder: string, forMs: number): Promise<boolean> {
    return this.#do(() => takeQuestionDuty(this.#db, holder, forMs));
  }

  leaveDuty(holder: string): Promise<void> {
    return this.#do(() => leaveQuestionDuty(this.#db, holder));
  }

  withdrawExpired(): Promise<void> {
    return this.#do(() => withdrawExpired(this.#db));
  }

  /** The agent has left. */
  withdrawOf(namespace: string, agent: string): Promise<void> {
    return this.#do(() => withdrawOf(this.#db, namespace, agent));
  }

  /** Agents with open questions. */
  asking(): Promise<{ namespace: string; agent: string }[]> {
    return this.#do(() =>
      this.#db.selectFrom('questions').select(['namespace', 'agent']).distinct().where('state', '=', 'open').execute(),
    );
  }

  /** Outcomes whose events are to be published, the oldest first; answers only if they wait for so long. */
  pending(waitMs: number, limit: number): Promise<PendingQuestion[]> {
    return this.#do(() => pendingOutcomes(this.#db, { waitMs, limit }));
  }

  /** Their events are in the log. */
  published(
    outcomes: readonly Pick<PendingQuestion, 'namespace' | 'agent' | 'questionId' | 'eventId'>[],
  ): Promise<void> {
    return this.#do(() => outcomesPublished(this.#db, outcomes));
  }

  applyRetention(): Promise<void> {
    return this.#do(() => retainQuestions(this.#db, RETENTION));
  }

  async #do<T>(work: () => Promise<T>): Promise<T> {
    try {
      return await work();
    } catch (error) {
      throw error instanceof SwarmError ? error : refusalOf(error);
    }
  }
}

function seqIn(cursor: string): number {
  if (!/^[1-9]\d{0,14}$/.test(cursor)) throw invalidField('cursor', 'was not returned by this call');
  return Number(cursor);
}
