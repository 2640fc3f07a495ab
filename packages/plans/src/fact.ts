// Facts: events about goals, plans and tasks, read and checked. A ledger is made of nothing else.
import {
  AgentName,
  architectEvents,
  Goal,
  GoalCancelled,
  GoalRejected,
  invalidInput,
  LIMITS,
  PlanCancelled,
  PlanCompleted,
  PlanCreated,
  PlanFailed,
  PlanRetry,
  QuestionAnswered,
  QuestionAsked,
  questionEvents,
  QuestionWithdrawn,
  type SwarmError,
  type SwarmEvent,
  TaskAccepted,
  TaskAssigned,
  TaskCancelled,
  TaskCompleted,
  TaskFailed,
  TaskProgress,
  TaskRejected,
  TaskStalled,
} from '@hypercode/contracts';
import { z } from 'zod';
import { CheckpointPart } from './checkpoint.ts';
import { fitting, plainly } from './liberal-reading.ts';
import { goalIdOf } from './plan-ids.ts';
import type { Rejection } from './rejections.ts';

const published = {
  /** The publisher, as the core sets it. */
  source: z.string(),
  /** When it was published, in milliseconds since the epoch. */
  at: z.number(),
  /** The id of the event. */
  id: z.string(),
  /** The conversation that it belongs to; of one that belongs to none, its own id. */
  correlationId: z.string(),
  /** W3C Trace Context. */
  traceparent: z.string().optional(),
};
/** `agent` is the second token of the topic. */
const ofAgent = { ...published, agent: AgentName };

/** What an invalid goal must have at least, so that a plan can show its refusal. */
const NamedGoal = z.object({ goalId: Goal.shape.goalId, title: Goal.shape.title.catch('a goal without a title') });
/** What an answer may show of the plan that it is about, also when it cannot be understood. */
const NamedPlan = z.object({ planId: z.uuid() });

const Fact = z.discriminatedUnion('kind', [
  z.object({ ...published, kind: z.literal('goal.submitted'), data: Goal }),
  z.object({
    ...published,
    kind: z.literal('goal.refused'),
    data: z.object({ ...NamedGoal.shape, refusal: z.string() }),
  }),
  z.object({ ...published, kind: z.literal('goal.cancelled'), data: GoalCancelled }),
  z.object({ ...published, kind: z.literal('goal.rejected'), data: GoalRejected }),
  z.object({ ...published, kind: z.literal('plan.created'), data: PlanCreated }),
  z.object({ ...published, kind: z.literal('plan.completed'), data: PlanCompleted }),
  z.object({ ...published, kind: z.literal('plan.failed'), data: PlanFailed }),
  z.object({ ...published, kind: z.literal('plan.cancelled'), data: PlanCancelled }),
  z.object({ ...published, kind: z.literal('plan.retry'), data: PlanRetry }),
  z.object({ ...ofAgent, kind: z.literal('task.assigned'), data: TaskAssigned }),
  z.object({ ...ofAgent, kind: z.literal('task.accepted'), data: TaskAccepted }),
  z.object({ ...ofAgent, kind: z.literal('task.progress'), data: TaskProgress }),
  z.object({ ...ofAgent, kind: z.literal('task.completed'), data: TaskCompleted }),
  z.object({ ...ofAgent, kind: z.literal('task.failed'), data: TaskFailed }),
  z.object({ ...ofAgent, kind: z.literal('task.cancelled'), data: TaskCancelled }),
  z.object({ ...ofAgent, kind: z.literal('task.rejected'), data: TaskRejected }),
  z.object({ ...ofAgent, kind: z.literal('task.stalled'), data: TaskStalled }),
  z.object({ ...ofAgent, kind: z.literal('question.asked'), data: QuestionAsked }),
  z.object({ ...ofAgent, kind: z.literal('question.answered'), data: QuestionAnswered }),
  z.object({ ...ofAgent, kind: z.literal('question.withdrawn'), data: QuestionWithdrawn }),
  z.object({ ...ofAgent, kind: z.literal('architect.checkpoint'), data: CheckpointPart }),
]);
/** `goal.refused` is no topic: it is a `goal.submitted` whose goal is invalid. */
export type Fact = z.output<typeof Fact>;
export type TaskFact = Extract<Fact, { kind: `task.${string}`; data: { taskId: string } }>;
/** What an agent answers. */
export type AnswerFact = Exclude<TaskFact, { kind: 'task.assigned' | 'task.cancelled' | 'task.stalled' }>;
/** What people are asked, and what comes of it. */
export type QuestionFact = Extract<Fact, { kind: `question.${string}` }>;
export type EndFact = Extract<Fact, { kind: 'plan.completed' | 'plan.failed' | 'plan.cancelled' }>;
export type RetryFact = Extract<Fact, { kind: 'plan.retry' }>;
export type CancelFact = Extract<Fact, { kind: 'goal.cancelled' }>;

/** An event from which no fact can be read. */
export interface InvalidEvent {
  readonly kind: null;
  readonly error: SwarmError;
}

/** What was read from an event: a fact, or nothing; and what its publisher has to know of it. */
export interface Reading {
  readonly fact: Fact | InvalidEvent;
  /** Null for what is understood, and for events that are not answered. */
  readonly rejection: Rejection | null;
}

/** The topics that a ledger is made of. */
export const PLAN_TOPICS: readonly string[] = [
  ...Object.keys(architectEvents.schemas),
  ...Object.keys(questionEvents.schemas),
  'architect.*.checkpoint',
];

export const isQuestion = (fact: Fact): fact is QuestionFact => fact.kind.startsWith('question.');

/** What agents publish about their tasks; who published it is notified when it cannot be understood. */
const ANSWERS: ReadonlySet<string> = new Set(['task.accepted', 'task.progress', 'task.completed', 'task.failed']);

export const isAnswer = (fact: Fact): fact is AnswerFact => ANSWERS.has(fact.kind);

const ENDS: ReadonlySet<string> = new Set(['plan.completed', 'plan.failed', 'plan.cancelled']);

export const isEnd = (fact: Fact): fact is EndFact => ENDS.has(fact.kind);

/** Checks the form only. Whether the publisher was allowed to publish it was decided by the policy of the bus. */
export function readFact(event: SwarmEvent): Reading {
  const { id, topic, source, time, correlationId = id, traceparent } = event;
  const at = Date.parse(time);
  const [first, second, third, ...others] = topic.split('.');
  const hasAgent = third !== undefined && others.length === 0;
  const kind = hasAgent ? `${first}.${third}` : topic;
  const data = kind === 'goal.submitted' ? withGoalId(event) : plainly(kind, event.data);
  const origin = { source, at, id, correlationId, traceparent };
  const { error: fault, data: fact } = Fact.safeParse({ kind, agent: second, ...origin, data });
  if (fault === undefined) return { fact, rejection: null };
  const error = invalidInput(fault);
  const reason = fitting(error.message, LIMITS.reasonLength);
  const about = { eventId: id, source, topic, at, correlationId, traceparent, reason };
  if (ANSWERS.has(kind)) {
    const agent = AgentName.safeParse(second);
    const plan = NamedPlan.safeParse(data);
    const planId = plan.success ? plan.data.planId : null;
    const rejection = agent.success ? { ...about, agent: agent.data, planId } : null;
    return { fact: { kind: null, error }, rejection };
  }
  if (kind !== 'goal.submitted') return { fact: { kind: null, error }, rejection: null };
  const rejection = { ...about, agent: null, planId: null };
  const goal = NamedGoal.safeParse(data);
  if (!goal.success) return { fact: { kind: null, error }, rejection };
  return {
    fact: { kind: 'goal.refused', ...origin, data: { ...goal.data, refusal: error.message } },
    rejection,
  };
}

/** A goal whose submitter left its id out has one all the same. */
function withGoalId({ id, source, data }: SwarmEvent): unknown {
  if (typeof data !== 'object' || data === null || Array.isArray(data)) return data;
  return 'goalId' in data && data.goalId !== null && data.goalId !== undefined
    ? data
    : { ...data, goalId: goalIdOf(source, id) };
}
