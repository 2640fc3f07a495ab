// Questions: what an agent asks people, and what comes of it. Events on the bus; the core keeps those that are open.
import { z } from 'zod';
import { LIMITS } from './limits.ts';
import { TaskAttempt } from './task.ts';
import { json, text } from './text.ts';
import { defineEvents } from './typed-events.ts';

/** Names a question of one agent. The agent that asks it again asks the same question. */
export const QuestionId = z.uuid().toLowerCase();
export type QuestionId = z.infer<typeof QuestionId>;

/** An answer to choose. The answer is its `id`. */
export const QuestionOption = z.object({
  id: text(LIMITS.questionOptionIdLength, 1),
  label: text(LIMITS.questionOptionLength, 1),
});
export type QuestionOption = z.output<typeof QuestionOption>;

/** What waits for the answer: an attempt at a task, or a goal. Their deadlines stand still as long as the question is open. */
export const QuestionAbout = z.union([TaskAttempt, z.object({ goalId: z.uuid().toLowerCase() })]);
export type QuestionAbout = z.output<typeof QuestionAbout>;

/** What may be left out of a question is the same for every surface on which one is asked. */
const asked = {
  text: text(LIMITS.questionLength, 1),
  /** The answer is the `id` of one of them. */
  options: z
    .array(QuestionOption)
    .min(1)
    .max(LIMITS.questionOptions)
    .refine((options) => new Set(options.map(({ id }) => id)).size === options.length, 'must have different ids')
    .optional(),
  /** JSON Schema (draft 2020-12) of the answer. */
  schema: json.optional(),
  about: QuestionAbout.optional(),
  /** When the core withdraws the question. Default: never. */
  expiresAt: z.iso.datetime().optional(),
};

/** `question.<agent>.asked`, from the agent. */
export const QuestionAsked = z.object({ questionId: QuestionId, ...asked });
export type QuestionAsked = z.output<typeof QuestionAsked>;

/** `question.<agent>.answered`, from the core, or from an agent whose role may publish it. The first one in the log counts. */
export const QuestionAnswered = z.object({
  questionId: QuestionId,
  answer: json,
  comment: text(LIMITS.reasonLength).optional(),
  /** Who answered, as the source of events is written. Default: the source of this event. */
  by: text(LIMITS.actorLength, 1).optional(),
});
export type QuestionAnswered = z.output<typeof QuestionAnswered>;

/** There will be no answer. `question.<agent>.withdrawn`, from the agent or the core. */
export const QuestionWithdrawn = z.object({ questionId: QuestionId, reason: text(LIMITS.reasonLength, 1) });
export type QuestionWithdrawn = z.output<typeof QuestionWithdrawn>;

/** What is said of questions. The second token of the topic is the agent that asks. */
export const questionEvents = defineEvents({
  'question.*.asked': QuestionAsked,
  'question.*.answered': QuestionAnswered,
  'question.*.withdrawn': QuestionWithdrawn,
});

/** How the topics of questions begin. */
export const QUESTION_PREFIX = 'question.';
