// Questions of agents to people, as the server answers about them: the table, the duty, and the schemas that answers are compared with.
import type { Bus, EventIntake } from '@hypercode/bus';
import type { Clock } from '@hypercode/clock';
import {
  type AnsweredQuestion,
  type AnswerQuestionInput,
  invalidField,
  type Json,
  type ListQuestionsInput,
  type QuestionList,
  type QuestionView,
} from '@hypercode/contracts';
import type { PendingQuestion, Questions } from '@hypercode/operations';
import { faultInWords, SchemaChecks } from '@hypercode/schemas';
import { QuestionDuty } from './question-duty.ts';
import { QuestionIntake } from './question-intake.ts';

export interface QuestionDeskOptions {
  /** Functions, since the bus is made with the intake, before there are others. */
  readonly bus: () => Pick<Bus, 'read' | 'subscribe' | 'publishSystem'>;
  readonly questions: () => Questions;
  readonly isAgent: (namespace: string, name: string) => Promise<boolean>;
  readonly clock: Clock;
  /** Called with failures in the background; each is tried again by itself. */
  readonly onError: (error: unknown) => void;
}

/** `start` begins the duty; until then questions are taken in, and no log is read. */
export class QuestionDesk {
  /** Of the bus. */
  readonly intake: EventIntake;
  readonly #options: QuestionDeskOptions;
  readonly #checks: SchemaChecks;
  #duty: QuestionDuty | null = null;

  constructor(options: QuestionDeskOptions) {
    this.#options = options;
    const { clock } = options;
    this.#checks = new SchemaChecks({ clock });
    this.intake = new QuestionIntake({ ...options, onFollowed: () => this.#duty?.poke() });
  }

  start(): void {
    const { bus, questions, isAgent, clock, onError } = this.#options;
    const publish = (outcome: PendingQuestion) => this.#publish(outcome);
    this.#duty ??= new QuestionDuty({ bus: bus(), questions: questions(), isAgent, publish, clock, onError });
  }

  list(input: ListQuestionsInput): Promise<QuestionList> {
    return this.#options.questions().list(input);
  }

  countOpen(namespace: string): Promise<number> {
    return this.#options.questions().countOpen(namespace);
  }

  /**
   * Claims the question, then publishes the answer: when the store of events does not take it, the replica on duty publishes it later.
   * `by`: who answers. INVALID_INPUT, NOT_FOUND, CONFLICT, UNAVAILABLE.
   */
  async answer({ namespace, answer, comment, ...named }: AnswerQuestionInput, by: string): Promise<AnsweredQuestion> {
    const questions = this.#options.questions();
    const question = await questions.get({ namespace, ...named });
    const unchecked = question.state === 'open' ? await this.#unchecked(question, answer) : null;
    const eventId = this.#options.clock.newId();
    const outcome = { answer, comment: comment ?? null, by };
    const origin = await questions.claim({ namespace, ...named, outcome, eventId });
    let position: string | null = null;
    try {
      ({ position } = await this.#publish({ namespace, ...named, state: 'answered', outcome, origin, eventId }));
      await questions.published([{ namespace, ...named, eventId }]);
    } catch (error) {
      this.#options.onError(error);
    }
    return { ...named, eventId, position, unchecked };
  }

  async close(): Promise<void> {
    await this.#duty?.close();
    await this.#checks.close();
  }

  /** What of the answer was not compared with the schema. INVALID_INPUT when the answer does not fit. */
  async #unchecked({ options, schema }: QuestionView, answer: Json): Promise<string | null> {
    if (options !== null && !options.some(({ id }) => id === answer)) {
      const ids = options.map(({ id }) => JSON.stringify(id)).join(', ');
      throw invalidField('answer', `must be the id of an option: ${ids}`);
    }
    if (schema === null) return null;
    const { fault, unchecked } = await this.#checks.check(schema, answer);
    if (fault !== null) throw invalidField('answer', `does not fit the schema of the question: ${faultInWords(fault)}`);
    return unchecked;
  }

  async #publish(given: PendingQuestion): Promise<{ position: string }> {
    const { namespace, agent, questionId, state, outcome, origin, eventId } = given;
    const data =
      'answer' in outcome
        ? { answer: outcome.answer, by: outcome.by, ...(outcome.comment === null ? {} : { comment: outcome.comment }) }
        : outcome;
    const { position } = await this.#options.bus().publishSystem(namespace, {
      id: eventId,
      topic: `question.${agent}.${state}`,
      data: { questionId, ...data },
      correlationId: origin.correlationId,
      causationId: origin.id,
      ...(origin.traceparent === null ? {} : { traceparent: origin.traceparent }),
    });
    return { position };
  }
}
