// A question that gets no answer.

/** There will be no answer: the question was withdrawn, it expired, or its agent had too many open ones. */
export class QuestionError extends Error {
  override readonly name = 'QuestionError';
  readonly questionId: string;
  /** Why it was withdrawn. The core writes it, or the agent or operator that withdrew the question. */
  readonly reason: string;

  constructor(questionId: string, reason: string) {
    super(`the question was withdrawn: ${reason}`);
    this.questionId = questionId;
    this.reason = reason;
  }
}
