// The procedures by which people answer what agents ask.
import { LIMITS } from '../limits.ts';
import { AnsweredQuestion, AnswerQuestionInput, ListQuestionsInput, QuestionList } from '../question-calls.ts';
import { mutation, query } from './procedure.ts';
import { OPERATE, OVERSEE } from './rights.ts';

/** An answer as a body; namespace, agent and question are in the URL. */
const AnswerBody = AnswerQuestionInput.omit({ namespace: true, agent: true, questionId: true }).meta({
  id: 'QuestionAnswerBody',
});

export const questionsApi = {
  list: query({
    input: ListQuestionsInput,
    output: QuestionList,
    maxAnswerBytes: LIMITS.pageBytes,
    summary: 'List questions of agents to people',
    description:
      'Open questions come oldest first, others newest first. Questions that have ended are kept for seven days, and at most 1,000 ' +
      'of a namespace.',
    rights: OVERSEE,
    errors: [],
    rest: {
      method: 'GET',
      path: '/v1/questions',
      operationId: 'listQuestions',
      tag: 'questions',
      answers: { 200: 'A page of questions.' },
    },
  }),

  answer: mutation({
    input: AnswerQuestionInput,
    output: AnsweredQuestion,
    summary: 'Answer a question of an agent',
    description:
      'INVALID_INPUT for an answer that does not fit the options or the schema of the question. The first answer counts: a second ' +
      'one is CONFLICT, on every replica, and so is an answer to a question that was withdrawn.',
    rights: OPERATE,
    audited: false,
    errors: ['NOT_FOUND', 'CONFLICT'],
    maxInputBytes: LIMITS.eventBytes,
    rest: {
      method: 'POST',
      path: '/v1/questions/{agent}/{questionId}/answer',
      operationId: 'answerQuestion',
      tag: 'questions',
      body: AnswerBody,
      answers: { 200: 'The answer counts.' },
    },
  }),
};
