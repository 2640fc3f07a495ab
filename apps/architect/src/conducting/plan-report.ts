// Log lines and counters of goals and plans: one for each, by whichever Architect they were published.
import type { Fact, InvalidEvent, PlanLedger } from '@hypercode/plans';
import { planIdOf } from '@hypercode/plans';
import type { Logger } from '../logger.ts';
import type { ArchitectMetrics } from '../metrics.ts';

/** Attempts, goals and plans of which is remembered that they were reported. */
const REMEMBERED = 10_000;

export class PlanReport {
  readonly #logger: Logger;
  readonly #metrics: ArchitectMetrics;
  readonly #reported = new Set<string>();

  constructor({ logger, metrics }: { readonly logger: Logger; readonly metrics: ArchitectMetrics }) {
    this.#logger = logger;
    this.#metrics = metrics;
  }

  /** All that the bus has kept is in the ledger. */
  caughtUp(ledger: PlanLedger): void {
    let underWay = 0;
    for (const _ of ledger.active()) underWay += 1;
    this.#logger.info({ plans: ledger.plans.size, underWay }, 'the plans on the bus are known');
  }

  /** A fact that is in the ledger. What changed nothing there is not reported. */
  received(fact: Fact | InvalidEvent, ledger: PlanLedger): void {
    switch (fact.kind) {
      case 'goal.submitted': {
        const { goalId, title } = fact.data;
        const planId = planIdOf(goalId);
        if (ledger.plans.get(planId)?.submittedAt !== fact.at || !this.#isFirst(planId, 'submitted')) return;
        this.#metrics.goals.inc();
        return this.#logger.info({ goalId, planId, title, source: fact.source }, 'goal submitted');
      }
      case 'goal.rejected':
        return this.#logger.info(fact.data, 'goal rejected');
      case 'plan.created': {
        const { goalId, planId, planner, tasks, missing } = fact.data;
        if (ledger.plans.get(planId)?.owner !== fact.source || !this.#isFirst(planId, 'created')) return;
        return this.#logger.info({ goalId, planId, planner, tasks: tasks.length, missing }, 'plan created');
      }
      case 'plan.completed':
      case 'plan.failed':
      case 'plan.cancelled': {
        const { goalId, planId } = fact.data;
        const plan = ledger.plans.get(planId);
        if (plan?.endedAt !== fact.at || !this.#isFirst(planId, plan.retries, 'ended')) return;
        this.#metrics.ended.labels({ status: plan.status }).inc();
        const why = plan.reason === null ? {} : { reason: plan.reason };
        return this.#logger.info({ goalId, planId, ...why }, `plan ${plan.status}`);
      }
      case 'plan.retry': {
        const { planId, reason } = fact.data;
        const plan = ledger.plans.get(planId);
        if (plan?.retriedAt !== fact.at || !this.#isFirst(planId, plan.retries, 'retried')) return;
        return this.#logger.info({ goalId: plan.goalId, planId, reason, source: fact.source }, 'plan retried');
      }
      case 'task.assigned':
      case 'task.failed':
      case 'task.completed':
      case 'task.cancelled':
        return this.#attempt(fact, ledger);
      case 'task.stalled': {
        const { planId, taskId, attempt, silentMs } = fact.data;
        const about = { planId, taskId, attempt, agent: fact.agent, silentMs };
        return this.#logger.warn(about, 'the agent of a task reports nothing');
      }
      case null:
      case 'question.asked':
      case 'question.answered':
      case 'question.withdrawn':
      case 'architect.checkpoint':
      case 'goal.cancelled':
      case 'goal.refused':
      case 'task.accepted':
      case 'task.progress':
      case 'task.rejected':
    }
  }

  #attempt({ kind, data, agent }: AttemptFact, ledger: PlanLedger): void {
    const { planId, taskId, attempt } = data;
    const record = ledger.plans.get(planId)?.tasks.get(taskId)?.records.get(attempt);
    if (record === undefined || record.agent !== agent) return;
    if (kind === 'task.assigned') {
      if (!this.#isFirst(planId, taskId, attempt, 'assigned')) return;
      return this.#logger.debug({ planId, taskId, attempt, agent, because: record.because }, 'task assigned');
    }
    const { outcome, error } = record;
    if (outcome === 'running' || !this.#isFirst(planId, taskId, attempt, outcome)) return;
    this.#metrics.attempts.labels({ outcome }).inc();
    const about = { planId, taskId, attempt, agent };
    if (outcome === 'completed' || outcome === 'cancelled') this.#logger.debug(about, `attempt ${outcome}`);
    else this.#logger.info({ ...about, error }, `attempt ${outcome.replace('_', ' ')}`);
  }

  /** An agent may publish the same again and again. */
  #isFirst(...parts: readonly (string | number)[]): boolean {
    const key = parts.join('/');
    if (this.#reported.has(key)) return false;
    this.#reported.add(key);
    for (const oldest of this.#reported) {
      if (this.#reported.size <= REMEMBERED) break;
      this.#reported.delete(oldest);
    }
    return true;
  }
}

type AttemptFact = Extract<Fact, { kind: 'task.assigned' | 'task.failed' | 'task.completed' | 'task.cancelled' }>;
