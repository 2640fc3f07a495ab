// Decides the next actions from the plans and the agents: no I/O, no clock, no memory of its own.
import type { CancelCause } from '@hypercode/contracts';
import {
  approvalId,
  type Assignment,
  deadlineOf,
  hasEnded,
  lastAttemptOf,
  lastFailureIn,
  type Plan,
  type Task,
  takenBack,
} from '@hypercode/plans';
import {
  type Action,
  assignmentKey,
  planningKey,
  questionKey,
  rejectionKey,
  stallKey,
  voidKey,
  withdrawalKey,
} from './action.ts';
import { AgentChoice } from './agent-choice.ts';
import { acceptanceOf, isLeading, lossOf } from './candidates.ts';
import type { Judgement } from './checks.ts';
import type { Decision, Scene, ScheduleSettings } from './scene.ts';

/** Longest delay between two attempts, in milliseconds. */
const MAX_RETRY_DELAY_MS = 60_000;
/**
 * How often a task may be taken back without a failure (its agent drained, was restarted, did not begin) for each
 * attempt that may fail, before its plan fails. Of as many as an upgrade of a swarm causes, none counts.
 */
const TAKEN_BACK_PER_ATTEMPT = 5;
/** After a question whether a plan may begin was withdrawn, people are asked again, in milliseconds. */
const ASKED_AGAIN_MS = 15_000;
/** Plans whose approval is asked for at a time: an agent has at most 100 open questions. */
const MAX_APPROVALS = 90;
/** Times that a task is taken back until the next attempt is delayed as after a failure. */
const FREE_REASSIGNMENTS = 3;

export function schedule(scene: Scene, settings: ScheduleSettings): Decision {
  const round = new Round(scene, settings);
  for (const plan of scene.ledger.active()) round.observe(plan);
  for (const plan of scene.ledger.active()) round.consider(plan);
  round.reject();
  round.assign();
  round.move();
  return round;
}

class Round implements Decision {
  readonly actions: Action[] = [];
  readonly stuck = new Set<string>();
  wakeAt = Infinity;
  readonly #scene: Scene;
  readonly #settings: ScheduleSettings;
  readonly #choice: AgentChoice;
  /** Capabilities whose agents all have as many tasks as they take. */
  readonly #exhausted = new Set<string>();
  /** Plans whose tasks can be assigned. */
  readonly #running: Plan[] = [];
  /** Agents that have begun a task that is not done. */
  readonly #working = new Set<string>();
  /** Attempts that have not begun in time, since their agents work on others. */
  readonly #queued: { readonly plan: Plan; readonly task: Task; readonly assignment: Assignment }[] = [];
  /** Plans whose approval is asked for. */
  #approvals = 0;
  readonly #isLeading: boolean;

  constructor(scene: Scene, settings: ScheduleSettings) {
    this.#scene = scene;
    this.#settings = settings;
    this.#choice = new AgentChoice(scene, settings);
    this.#isLeading = isLeading(scene.self, scene.agents);
  }

  observe(plan: Plan): void {
    for (const taskId of plan.open) {
      const assignment = plan.tasks.get(taskId)?.assignment;
      if (assignment?.accepted === true) this.#working.add(assignment.agent);
    }
  }

  consider(plan: Plan): void {
    const { self, underWay } = this.#scene;
    if (plan.owner === null ? !this.#isLeading : plan.owner !== self) return;
    if (underWay.has(plan.planId)) return;
    const unsettled = this.#scene.checks.unsettled(plan);
    const end = hasEnded(plan) ? null : this.#endOf(plan, unsettled);
    if (end !== null) this.actions.push(end);
    else if (plan.status === 'planning' && !underWay.has(planningKey(plan.planId)))
      this.actions.push({ kind: 'plan', plan });
    for (const taskId of plan.open) this.#examine(plan, taskId);
    if (end === null && plan.status === 'running') {
      this.#judge(plan, unsettled);
      if (plan.approval === null || plan.approval.state === 'approved') this.#running.push(plan);
    }
    if (plan.approval !== null) this.#approve(plan);
  }

  /** Results that do not fit, or that a reviewer did not accept, are taken back. */
  #judge(plan: Plan, unsettled: ReadonlyMap<string, Judgement>): void {
    for (const [taskId, judgement] of unsettled) {
      const judged = plan.tasks.get(taskId);
      if (judgement.kind === 'checking' || judged === undefined || judged.result === null) continue;
      const { kind } = judgement;
      const task = kind === 'invalid' ? judged : plan.tasks.get(judged.spec.reviews ?? '');
      if (task === undefined || task.result === null) continue;
      const { agent, attempt } = task.result;
      if (this.#scene.underWay.has(voidKey(plan.planId, task.spec.taskId, attempt))) continue;
      const reason =
        kind === 'invalid' ? judgement.reason : `${judged.result.agent} did not accept the result: ${judgement.reason}`;
      this.actions.push({ kind: 'void', plan, taskId: task.spec.taskId, attempt, agent, cause: kind, reason });
    }
  }

  /** Asks people whether the plan may begin, and no longer once it has ended. */
  #approve(plan: Plan): void {
    const { now, underWay } = this.#scene;
    const { state, question, asked } = plan.approval ?? {};
    const isOpen = question?.endedAt === null;
    if (hasEnded(plan)) {
      if (!isOpen || underWay.has(questionKey(question.questionId, 'unask'))) return;
      this.actions.push({ kind: 'unask', plan, questionId: question.questionId });
      return;
    }
    if (isOpen) this.#approvals += 1;
    if (state !== 'waiting' || isOpen || plan.status !== 'running') return;
    const again = (question?.endedAt ?? -Infinity) + ASKED_AGAIN_MS;
    if (again > now) return this.#wake(again);
    const questionId = approvalId(plan.planId, asked ?? 0);
    if (this.#approvals >= MAX_APPROVALS || underWay.has(questionKey(questionId, 'ask'))) return;
    this.#approvals += 1;
    this.actions.push({ kind: 'ask', plan, questionId });
  }

  /** Notifies the publishers of what could not be understood: of answers about its own plans, and the leader of others. */
  reject(): void {
    const { ledger, self, underWay } = this.#scene;
    for (const rejection of ledger.rejections()) {
      const owner = rejection.planId === null ? null : (ledger.plans.get(rejection.planId)?.owner ?? null);
      if (owner === null ? !this.#isLeading : owner !== self) continue;
      if (!underWay.has(rejectionKey(rejection.eventId))) this.actions.push({ kind: 'reject', rejection });
    }
  }

  /** The action that ends the plan now; null when it continues. */
  #endOf(plan: Plan, unsettled: ReadonlyMap<string, Judgement>): Action | null {
    const { now } = this.#scene;
    if (plan.isLost) {
      return {
        kind: 'fail',
        plan,
        reason: 'the event that created the plan is no longer on the bus, so the tasks of the plan are unknown',
      };
    }
    if (plan.refusal !== null) return { kind: 'fail', plan, reason: plan.refusal };
    if (plan.cancelReason !== null) return { kind: 'cancel', plan, reason: plan.cancelReason };
    if (plan.approval?.state === 'rejected') {
      const { by, comment } = plan.approval;
      return {
        kind: 'cancel',
        plan,
        reason: `${by} did not approve the plan${comment === null ? '' : `: ${comment}`}`,
      };
    }
    if (plan.status === 'running' && plan.completed === plan.tasks.size && unsettled.size === 0)
      return { kind: 'complete', plan };
    const deadlineAt = this.#deadlineOfPlan(plan);
    if (deadlineAt !== null) {
      if (now >= deadlineAt)
        return { kind: 'fail', plan, reason: `not completed by the deadline, ${timeOf(deadlineAt)}` };
      this.#wake(this.#latest(deadlineAt, plan.deadlineAt ?? deadlineAt, plan.hold, 0));
    }
    return this.#failureOf(plan);
  }

  /** As questions to people have moved it; null: the plan has none. */
  #deadlineOfPlan({ deadlineAt, hold }: Plan): number | null {
    if (deadlineAt === null) return null;
    return deadlineOf(deadlineAt, hold, this.#scene.now, this.#settings.questionPatienceMs);
  }

  /** When to look at a deadline again: while it stands still, when the patience ends; an answer is a fact, and comes before. */
  #latest(deadline: number, deadlineAt: number, { heldSince }: Assignment['hold'], heldBefore: number): number {
    return heldSince === null ? deadline : deadlineAt + Math.max(0, this.#settings.questionPatienceMs - heldBefore);
  }

  /** The failure of a plan with a task that is not tried again, or that has waited too long for an agent. */
  #failureOf(plan: Plan): Action | null {
    const { patienceMs } = this.#settings;
    for (const taskId of plan.ready) {
      const task = plan.tasks.get(taskId);
      if (task === undefined) continue;
      if (task.attempts.size > 0) {
        const hopeless = this.#hopelessness(task);
        if (hopeless !== null) return { kind: 'fail', plan, reason: hopeless };
      }
      const refusal = this.#choice.inputRefusal(plan, task);
      if (refusal !== null) return { kind: 'fail', plan, reason: refusal };
      if (!this.#choice.isStuck(plan, task)) continue;
      const key = waitKey(plan, task);
      const since = this.#scene.stuckSince.get(key) ?? this.#scene.now;
      if (this.#scene.now < since + patienceMs) {
        this.stuck.add(key);
        this.#wake(since + patienceMs);
        continue;
      }
      const reason = `${nameOf(task)} found no agent for ${Math.round(patienceMs / 1000)} s: ${this.#choice.whyStuck(plan, task)}`;
      return { kind: 'fail', plan, reason };
    }
    return null;
  }

  /** Why the task is not tried again; null when it is. */
  #hopelessness(task: Task): string | null {
    const { failure, spec } = task;
    const last = lastFailureOf(task);
    if (failure !== null && !failure.retryable)
      return `${nameOf(task)} failed with an error that is not retryable${last}`;
    const maxAttempts = spec.maxAttempts ?? this.#settings.maxAttempts;
    if (task.failed >= maxAttempts) {
      return `${nameOf(task)} was tried ${task.failed === 1 ? 'once' : `${task.failed} times`} without success${last}`;
    }
    const unfinished = takenBack(task);
    if (unfinished < maxAttempts * TAKEN_BACK_PER_ATTEMPT) return null;
    return `${nameOf(task)} was taken back from its agents ${unfinished} times, before one of them could answer${last}`;
  }

  #examine(plan: Plan, taskId: string): void {
    const task = plan.tasks.get(taskId);
    const assignment = task?.assignment;
    if (task === undefined || assignment === undefined || assignment === null) return;
    const { agent, attempt } = assignment;
    if (this.#scene.underWay.has(withdrawalKey(plan.planId, taskId, attempt))) return;
    const end = this.#endOfAttempt(plan, task, assignment);
    if (end !== null) this.actions.push({ kind: 'withdraw', plan, taskId, attempt, agent, ...end });
    else this.#notice(plan, taskId, assignment);
  }

  /** An agent that has begun, reports nothing, and waits for no person. */
  #notice(
    plan: Plan,
    taskId: string,
    { agent, attempt, accepted, assignedAt, signAt, stalledAt, hold }: Assignment,
  ): void {
    const { now, underWay } = this.#scene;
    if (!accepted || stalledAt !== null || hold.heldSince !== null) return;
    // The clock of an agent may be ahead.
    const since = signAt > now ? assignedAt : signAt;
    const silentMs = now - since;
    if (silentMs < this.#settings.stallMs) return this.#wake(since + this.#settings.stallMs);
    if (underWay.has(stallKey(plan.planId, taskId, attempt))) return;
    this.actions.push({ kind: 'stall', plan, taskId, attempt, agent, signAt: since, silentMs });
  }

  /** Why an attempt is taken back now; null when it goes on. */
  #endOfAttempt(plan: Plan, task: Task, assignment: Assignment): AttemptEnd | null {
    const { agent, acceptBy, accepted, hold, heldBefore } = assignment;
    const { now, agents } = this.#scene;
    const patienceMs = this.#settings.questionPatienceMs - heldBefore;
    const deadlineAt = deadlineOf(assignment.deadlineAt, hold, now, patienceMs);
    if (task.result !== null) return { cause: 'over', reason: `${task.result.agent} has completed the task` };
    if (hasEnded(plan)) return { cause: 'over', reason: `the plan is ${plan.status}` };
    const loss = lossOf(assignment, agents.get(agent));
    if (loss !== null) return { cause: 'lost', reason: `${agent} ${loss}` };
    if (now >= deadlineAt) {
      // An agent that works on other tasks could not begin.
      const isLate = accepted || (task.spec.timeoutMs !== undefined && !this.#working.has(agent));
      const reason = `timed out: no answer by the deadline, ${timeOf(deadlineAt)}`;
      return { cause: isLate ? 'late' : 'silent', reason };
    }
    this.#wake(this.#latest(deadlineAt, assignment.deadlineAt, hold, heldBefore));
    if (accepted || acceptBy === null) return null;
    if (now < acceptBy) {
      this.#wake(acceptBy);
      return null;
    }
    if (!this.#working.has(agent)) return { cause: 'silent', reason: `${agent} did not accept the task in time` };
    this.#queued.push({ plan, task, assignment });
    return null;
  }

  /** Takes tasks back from agents that are busy with others, as far as there is room with agents that are free. */
  move(): void {
    for (const { plan, task, assignment } of this.#queued) {
      const { capability, taskId } = task.spec;
      if (this.#exhausted.has(capability)) continue;
      const { agent, attempt } = assignment;
      const { chosen, askAgainAt } = this.#choice.choose(plan, task, agent);
      this.#wake(askAgainAt);
      if (chosen === null) continue;
      const toward = chosen.agent.name;
      const reason = `${agent} works on other tasks, and ${toward} is free`;
      this.actions.push({ kind: 'withdraw', plan, taskId, attempt, agent, cause: 'moved', reason, toward });
      this.#choice.give(toward);
    }
  }

  /** Assigns one task of each plan in turn, so that a plan of a thousand tasks does not delay the others. */
  assign(): void {
    const served = this.#running.toSorted((a, b) => a.open.size - b.open.size);
    let turns = served.map((plan) => this.#assignments(plan));
    while (turns.length > 0) turns = turns.filter((turn) => turn.next().done !== true);
  }

  /** Assigns a task with each step. */
  *#assignments(plan: Plan): Generator<void, void, void> {
    const { now, checks } = this.#scene;
    const unsettled = checks.unsettled(plan);
    for (const taskId of plan.ready) {
      const task = plan.tasks.get(taskId);
      if (task === undefined || this.#exhausted.has(task.spec.capability)) continue;
      if (task.spec.dependsOn.some((id) => unsettled.has(id))) continue;
      const attempt = lastAttemptOf(task) + 1;
      const retryAt = this.#retryAt(task);
      if (retryAt > now) {
        this.#wake(retryAt);
        continue;
      }
      if (this.#scene.underWay.has(assignmentKey(plan.planId, taskId, attempt))) continue;
      const { chosen, askAgainAt, hasPassedOver } = this.#choice.choose(plan, task, null);
      this.#wake(askAgainAt);
      if (chosen === null) {
        // An agent that does not take this task may take others.
        if (!hasPassedOver) this.#exhausted.add(task.spec.capability);
        continue;
      }
      const { agent } = chosen;
      const timeoutMs = task.spec.timeoutMs ?? this.#settings.taskDeadlineMs;
      const deadlineAt = Math.min(now + timeoutMs, this.#deadlineOfPlan(plan) ?? Infinity);
      const acceptMs = acceptanceOf(agent, this.#settings.acceptMs);
      const acceptBy = Math.min(now + acceptMs, deadlineAt);
      this.actions.push({ kind: 'assign', plan, task, attempt, ...chosen, deadlineAt, acceptBy });
      this.#choice.give(agent.name);
      yield;
    }
  }

  /**
   * When the task may be tried again. The time of a failure is from the event; if the clock that set it is ahead, the
   * task does not wait.
   */
  #retryAt(task: Task): number {
    const { failed, failure, endedAt } = task;
    const delayed = (at: number | undefined | null, times: number): number =>
      at === undefined || at === null || at > this.#scene.now || times <= 0
        ? -Infinity
        : at + Math.min(MAX_RETRY_DELAY_MS, this.#settings.retryDelayMs * 2 ** (times - 1));
    return Math.max(delayed(failure?.at, failed), delayed(endedAt, takenBack(task) - FREE_REASSIGNMENTS));
  }

  #wake(at: number): void {
    this.wakeAt = Math.min(this.wakeAt, at);
  }
}

interface AttemptEnd {
  readonly cause: CancelCause;
  readonly reason: string;
}

/** The last failure, as the end of a sentence; empty when there is none. */
function lastFailureOf({ failure, records }: Task): string {
  const last = lastFailureIn(records);
  if (last?.outcome === 'timed_out') return `: the last attempt, by ${last.agent}, timed out`;
  return failure === null ? '' : `: ${failure.agent} reported "${failure.message}"`;
}

/** A plan's tasks of one capability wait together. */
const waitKey = ({ planId }: Plan, { spec }: Task): string => `${planId}/${spec.capability}`;
const timeOf = (ms: number): string => new Date(ms).toISOString();
const nameOf = ({ spec }: Task): string => `the task "${spec.taskId}" (${spec.title})`;
