// Inputs and outputs of the procedures of questions.
import { z } from 'zod';
import { Position } from './event.ts';
import { LIMITS } from './limits.ts';
import { AgentName, inNamespace } from './name.ts';
import { QuestionAbout, QuestionAnswered, QuestionId, QuestionOption } from './question.ts';
import { json, text } from './text.ts';

/**
 * - `open`: waits for an answer.
 * - `answered`: the first answer counts.
 * - `withdrawn`: there will be no answer: the agent withdrew it or left, it expired, or the agent had too many open questions.
 */
export const QuestionState = z.enum(['open', 'answered', 'withdrawn']);
export type QuestionState = z.infer<typeof QuestionState>;

const Time = z.iso.datetime();

export const QuestionView = z
  .object({
    agent: AgentName,
    questionId: QuestionId,
    state: QuestionState,
    text: z.string().describe("The agent's own words."),
    options: z.array(QuestionOption).nullable().describe('The answer is the `id` of one of them.'),
    schema: json.describe('JSON Schema of the answer; null: any JSON.'),
    about: QuestionAbout.nullable().describe('The attempt at a task, or the goal, that waits for the answer.'),
    askedAt: Time,
    expiresAt: Time.nullable(),
    answer: json.describe('Null while there is none.'),
    comment: z.string().nullable(),
    by: z.string().nullable().describe('Who answered.'),
    reason: z.string().nullable().describe('Why it was withdrawn.'),
    endedAt: Time.nullable(),
  })
  .meta({ id: 'QuestionView' });
export type QuestionView = z.infer<typeof QuestionView>;

export const ListQuestionsInput = z.object({
  ...inNamespace,
  state: QuestionState.default('open').describe('Only questions in this state. Default: `open`.'),
  agent: AgentName.optional().describe('Only questions of this agent.'),
  limit: z
    .number()
    .int()
    .min(1)
    .max(LIMITS.questionsPage)
    .default(50)
    .describe('Maximum number of questions on a page.'),
  cursor: text(LIMITS.cursorLength).optional().describe('`nextCursor` of the previous page.'),
});
export type ListQuestionsInput = z.output<typeof ListQuestionsInput>;

export const QuestionList = z
  .object({ questions: z.array(QuestionView), nextCursor: z.string().nullable() })
  .meta({ id: 'QuestionList' });
export type QuestionList = z.infer<typeof QuestionList>;

export const AnswerQuestionInput = z.object({
  ...inNamespace,
  agent: AgentName,
  questionId: QuestionId,
  answer: json.describe('The `id` of an option, or what the schema of the question asks for.'),
  comment: QuestionAnswered.shape.comment,
});
export type AnswerQuestionInput = z.output<typeof AnswerQuestionInput>;

export const AnsweredQuestion = z
  .object({
    agent: AgentName,
    questionId: QuestionId,
    eventId: z.uuid().describe('Of the event `question.<agent>.answered`.'),
    position: Position.nullable().describe(
      'Of that event. Null: the answer counts, and is published as soon as the store of events takes it.',
    ),
    unchecked: z
      .string()
      .nullable()
      .describe('Why the answer, or a part of it, was not compared with the schema; null: it was.'),
  })
  .meta({ id: 'AnsweredQuestion' });
export type AnsweredQuestion = z.infer<typeof AnsweredQuestion>;
