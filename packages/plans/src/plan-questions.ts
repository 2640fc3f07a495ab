// What people are asked about plans: questions of agents about their attempts, and of the Architect whether a plan may begin.
import type { QuestionAsked } from '@hypercode/contracts';
import type { QuestionFact } from './fact.ts';
import { fitting } from './liberal-reading.ts';
import { holdAt, releaseAt } from './holds.ts';
import { hasEnded, type Plan, type PlanQuestionRecord, type Task } from './plan.ts';
import { planIdOf } from './plan-ids.ts';

/** Questions that a task shows: the newest. */
const SHOWN_QUESTIONS = 20;
/** Characters of the text that are kept. */
const TEXT_LENGTH = 256;
/** Questions of which the plan is remembered. */
const MAX_REMEMBERED = 20_000;

export const APPROVE = 'approve';
export const REJECT = 'reject';

export class PlanQuestions {
  /** The plan of each question, by agent and question. */
  readonly #planIds = new Map<string, string>();

  /** The plan that the fact is about; null: none that is known. */
  planIdOf(fact: QuestionFact): string | null {
    if (fact.kind !== 'question.asked') return this.planIdOfQuestion(fact.agent, fact.data.questionId);
    const planId = aboutPlan(fact.data);
    if (planId !== null) this.remember(fact.agent, fact.data.questionId, planId);
    return planId;
  }

  planIdOfQuestion(agent: string, questionId: string): string | null {
    return this.#planIds.get(keyOf(agent, questionId)) ?? null;
  }

  remember(agent: string, questionId: string, planId: string): void {
    const key = keyOf(agent, questionId);
    this.#planIds.delete(key);
    this.#planIds.set(key, planId);
    for (const oldest of this.#planIds.keys()) {
      if (this.#planIds.size <= MAX_REMEMBERED) return;
      this.#planIds.delete(oldest);
    }
  }
}

/** An agent asks about its own open attempt, and the owner of the plan about the goal; others change nothing. */
export function applyQuestion(plan: Plan, fact: QuestionFact): void {
  const isOwn = fact.source.startsWith('/agents/') && fact.source.endsWith(`/${fact.agent}`);
  if (fact.kind === 'question.asked') {
    if (isOwn) ask(plan, fact);
  } else if (fact.kind === 'question.withdrawn' || !isOwn) end(plan, fact);
  refreshHold(plan, fact.at);
}

/** The deadline of a plan stands still while that of one of its tasks does, or while its approval is asked for. */
export function refreshHold(plan: Plan, at: number): void {
  if (plan.hold.heldSince === null && !isHeld(plan)) return;
  plan.hold = isHeld(plan) ? holdAt(plan.hold, at) : releaseAt(plan.hold, at);
}

function isHeld(plan: Plan): boolean {
  if (hasEnded(plan)) return false;
  if (plan.approval?.question?.endedAt === null) return true;
  for (const taskId of plan.open) if (plan.tasks.get(taskId)?.assignment?.hold.heldSince != null) return true;
  return false;
}

/** The attempt of the task has ended, so what it asked is no longer of use. */
export function endQuestions(task: Task, at: number): void {
  for (const [index, question] of task.questions.entries()) {
    if (question.endedAt === null) task.questions[index] = { ...question, endedAt: at };
  }
}

function ask(plan: Plan, { agent, data, at, source }: Extract<QuestionFact, { kind: 'question.asked' }>): void {
  const { questionId, about, text } = data;
  const asked = { agent, questionId, text: fitting(text, TEXT_LENGTH), askedAt: at, endedAt: null };
  if (about === undefined) return;
  if ('goalId' in about) {
    if (
      plan.approval?.state !== 'waiting' ||
      plan.owner !== source ||
      plan.approval.question?.questionId === questionId
    )
      return;
    plan.approval = { ...plan.approval, question: { ...asked, attempt: null }, asked: plan.approval.asked + 1 };
    return;
  }
  const task = plan.tasks.get(about.taskId);
  const assignment = task?.assignment;
  if (task === undefined || assignment?.agent !== agent || assignment.attempt !== about.attempt) return;
  const known = task.questions.findIndex((one) => one.agent === agent && one.questionId === questionId);
  if (known >= 0) task.questions.splice(known, 1);
  task.questions.push({ ...asked, attempt: about.attempt });
  if (task.questions.length > SHOWN_QUESTIONS) task.questions.shift();
  const hold = holdAt(assignment.hold, Math.max(at, assignment.assignedAt));
  task.assignment = { ...assignment, hold, signAt: Math.max(assignment.signAt, at), stalledAt: null };
}

function end(plan: Plan, fact: Exclude<QuestionFact, { kind: 'question.asked' }>): void {
  const { agent, data, at } = fact;
  const isThis = (one: PlanQuestionRecord | null | undefined): one is PlanQuestionRecord =>
    one?.agent === agent && one.questionId === data.questionId && one.endedAt === null;
  const { approval } = plan;
  if (approval !== null && isThis(approval.question)) {
    const question = { ...approval.question, endedAt: at };
    if (fact.kind === 'question.withdrawn') plan.approval = { ...approval, question };
    else {
      const { answer, by = fact.source, comment = null } = fact.data;
      plan.approval = { ...approval, question, state: answer === APPROVE ? 'approved' : 'rejected', by, comment };
    }
    plan.causationId = fact.id;
    return;
  }
  for (const taskId of plan.open) {
    const task = plan.tasks.get(taskId);
    const index = task?.questions.findIndex(isThis) ?? -1;
    if (task === undefined || index < 0) continue;
    const question = task.questions[index];
    if (question !== undefined) task.questions[index] = { ...question, endedAt: at };
    const { assignment } = task;
    if (assignment === null || task.questions.some(({ endedAt }) => endedAt === null)) return;
    task.assignment = { ...assignment, hold: releaseAt(assignment.hold, at), signAt: Math.max(assignment.signAt, at) };
    return;
  }
}

function aboutPlan({ about }: QuestionAsked): string | null {
  if (about === undefined) return null;
  return 'planId' in about ? about.planId : planIdOf(about.goalId);
}

const keyOf = (agent: string, questionId: string): string => `${agent}/${questionId}`;
