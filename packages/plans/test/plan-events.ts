// A log of events about plans, for tests, and the ledgers that are made of it.
import {
  agentSource,
  PublishInput,
  type GoalStep,
  type Json,
  type SwarmEvent,
  type TaskAssigned,
} from '@hypercode/contracts';
import { checkpointOf, type Plan, planIdOf, PlanLedger } from '../src/index.ts';

/** Sources of two Architects. */
export const OURS = agentSource('default', 'architect');
export const THEIRS = agentSource('default', 'another-architect');

const TIME = Date.parse('2026-01-01T00:00:00Z');
const DEADLINE = new Date(TIME + 60_000).toISOString();

export interface AttemptOf {
  readonly planId: string;
  readonly taskId: string;
  readonly attempt: number;
}

export class PlanEvents {
  readonly events: SwarmEvent[] = [];

  publish(topic: string, data: unknown, source: string): SwarmEvent {
    const { id } = PublishInput.parse({ id: crypto.randomUUID(), topic, data });
    const { time } = this;
    // As it comes back from the wire.
    const event: SwarmEvent = JSON.parse(JSON.stringify({ id, topic, source, time, namespace: 'default', data }));
    this.events.push(event);
    return event;
  }

  /** Creates a plan of these steps, in which no task is assigned; its id. */
  create(steps: readonly GoalStep[], source = OURS, deadlineMs: number | null = null): string {
    const goalId = crypto.randomUUID();
    const planId = planIdOf(goalId);
    const deadlineAt = deadlineMs === null ? null : new Date(Date.parse(this.time) + deadlineMs).toISOString();
    const tasks = steps.map(({ id: taskId, ...step }) => ({ taskId, ...step }));
    const plan = { planId, goalId, title: 'a plan', planner: 'steps', missing: [], deadlineAt };
    this.publish('plan.created', { ...plan, tasks }, source);
    return planId;
  }

  /** When the next event is published. */
  get time(): string {
    return new Date(TIME + this.events.length).toISOString();
  }

  assign(agent: string, attempt: AttemptOf, source = OURS, fields: Partial<TaskAssigned> = {}): void {
    const task = { ...attempt, goalId: attempt.planId, capability: 'work', title: 'x', input: null, dependencies: {} };
    this.publish(`task.${agent}.assigned`, { ...task, deadlineAt: DEADLINE, incarnation: null, ...fields }, source);
  }

  progress(agent: string, attempt: AttemptOf, progress: number): void {
    this.publish(`task.${agent}.progress`, { ...attempt, progress }, agentSource('default', agent));
  }

  complete(agent: string, attempt: AttemptOf, output: Json = null): void {
    this.publish(`task.${agent}.completed`, { ...attempt, output }, agentSource('default', agent));
  }

  fail(agent: string, attempt: AttemptOf): void {
    const error = { message: 'no luck', retryable: false };
    this.publish(`task.${agent}.failed`, { ...attempt, error }, agentSource('default', agent));
  }

  planFailed(planId: string, retries = 0, source = OURS): void {
    this.publish('plan.failed', { planId, goalId: planId, reason: 'no luck', retries }, source);
  }

  retry(planId: string): SwarmEvent {
    return this.publish('plan.retry', { planId, reason: 'the fault is mended' }, '/operators/test');
  }

  end(planId: string, source = OURS): void {
    this.publish('plan.completed', { planId, goalId: planId, outputs: {} }, source);
  }

  checkpoint(plan: Plan, source = OURS): void {
    const name = source.split('/').at(-1);
    for (const part of checkpointOf(plan, crypto.randomUUID())) {
      this.publish(`architect.${name}.checkpoint`, part, source);
    }
  }

  /** A ledger that has read the events from `from` on as the past. */
  read(self: string | null, from = 0): PlanLedger {
    const ledger = new PlanLedger(self);
    applyTo(ledger, this.events.slice(from));
    ledger.caughtUp();
    return ledger;
  }

  /** A ledger that was there from the beginning. */
  follow(self: string | null): PlanLedger {
    const ledger = new PlanLedger(self);
    ledger.caughtUp();
    applyTo(ledger, this.events);
    return ledger;
  }
}

export function applyTo(ledger: PlanLedger, events: readonly SwarmEvent[]): void {
  for (const event of events) {
    const fact = ledger.apply(event);
    if (fact.kind === null) throw fact.error;
  }
}

export const planIn = (ledger: PlanLedger, planId: string): Plan => {
  const plan = ledger.plans.get(planId);
  if (plan === undefined) throw new Error(`the ledger has no plan ${planId}`);
  return plan;
};

export const step = (id: string, dependsOn: string[] = []): GoalStep => ({
  id,
  title: `do ${id}`,
  capability: 'work',
  dependsOn,
});
