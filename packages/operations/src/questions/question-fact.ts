// What an event says of a question, read and checked. What cannot be read says nothing.
import {
  AgentName,
  agentSource,
  CORE_SOURCE,
  QuestionAnswered,
  QuestionAsked,
  QuestionWithdrawn,
  type SwarmEvent,
} from '@hypercode/contracts';
import type { QuestionOrigin, QuestionOutcome, QuestionTable } from '../schema.ts';

interface OfQuestion {
  readonly agent: string;
  readonly questionId: string;
}

export type QuestionFact =
  | (OfQuestion & {
      readonly kind: 'asked';
      readonly asked: QuestionTable['asked'];
      readonly origin: QuestionOrigin;
      readonly expiresAt: string | null;
      /** The id of the event that answers again, if the question has ended. */
      readonly replyId: string;
    })
  | (OfQuestion & {
      readonly kind: 'answered' | 'withdrawn';
      readonly outcome: QuestionOutcome;
      readonly eventId: string;
      readonly isCore: boolean;
    });

/** Null for an event that changes no question: an agent asks for itself alone, and does not answer itself. */
export function questionFactOf(
  { id, topic, source, data, namespace, correlationId = id, traceparent }: SwarmEvent,
  newId: () => string,
): QuestionFact | null {
  const [, name, kind] = topic.split('.');
  const { success, data: agent } = AgentName.safeParse(name);
  if (!success) return null;
  const isOwn = source === agentSource(namespace, agent);
  const isCore = source === CORE_SOURCE;
  if (kind === 'asked') {
    const asked = QuestionAsked.safeParse(data);
    if (!isOwn || !asked.success) return null;
    const { questionId, expiresAt = null, ...rest } = asked.data;
    return {
      kind,
      agent,
      questionId,
      asked: rest,
      origin: { id, correlationId, traceparent: traceparent ?? null },
      expiresAt,
      replyId: newId(),
    };
  }
  if (kind === 'answered') {
    const answered = QuestionAnswered.safeParse(data);
    if (isOwn || !answered.success) return null;
    const { questionId, answer, comment = null, by = source } = answered.data;
    // Only the core says on whose behalf it answers.
    const outcome = { answer, comment, by: isCore ? by : source };
    return { kind, agent, questionId, outcome, eventId: id, isCore };
  }
  if (kind !== 'withdrawn') return null;
  const withdrawn = QuestionWithdrawn.safeParse(data);
  if (!withdrawn.success) return null;
  const { questionId, reason } = withdrawn.data;
  return { kind, agent, questionId, outcome: { reason }, eventId: id, isCore };
}
