// The Architect's decisions in memory, for tests: a log of events, a ledger that follows it, and the schedule. Nothing
// runs by itself: the test decides which agent answers what, and when.
import { causedBy, type Correlation, type PublishOptions } from '@hypercode/client';
import { agentSource, type Goal, LIMITS, type PlanTask, PublishInput, type SwarmEvent } from '@hypercode/contracts';
import { type Plan, planEventId, planIdOf, PlanLedger } from '@hypercode/plans';
import { announce, type ArchitectBus, correlationOf } from '../../src/conducting/announce.ts';
import { withReviews } from '../../src/planning/with-reviews.ts';
import { type Checks, type Judgement, type Swarm, verdictOf } from '../../src/scheduling/checks.ts';
import type { Action } from '../../src/scheduling/action.ts';
import type { ScheduleSettings } from '../../src/scheduling/scene.ts';
import { schedule } from '../../src/scheduling/schedule.ts';
import { NOW } from '../sample-swarm.ts';

const SETTINGS: ScheduleSettings = {
  maxAttempts: 3,
  taskDeadlineMs: 60_000,
  acceptMs: 15_000,
  maxTasksPerAgent: 2,
  patienceMs: 30_000,
  retryDelayMs: 0,
  stallMs: 20_000,
  questionPatienceMs: 100_000,
};

interface Published {
  readonly id?: string;
  readonly source?: string;
}

export class Simulation {
  readonly log: SwarmEvent[] = [];
  readonly agents: Map<string, ReturnType<Swarm['get']> & object>;
  readonly self = agentSource('default', 'architect');
  readonly #stuckSince = new Map<string, number>();
  readonly #settings: ScheduleSettings;
  /** Comparisons with schemas. Default: everything fits. */
  checks: Partial<Checks> = {};
  ledger = new PlanLedger(this.self);
  now = NOW;

  constructor(agents: Iterable<ReturnType<Swarm['get']> & object>, settings: Partial<ScheduleSettings> = {}) {
    this.agents = new Map([...agents].map((agent) => [agent.name, agent]));
    this.#settings = { ...SETTINGS, ...settings };
    this.ledger.caughtUp();
  }

  /** Appends an event that the core would accept, unless the log has one with this source and id. */
  publish(
    topic: string,
    data: unknown,
    { id = crypto.randomUUID(), source = this.self, ...correlation }: Partial<Correlation> & Published = {},
  ): void {
    if (this.log.some((event) => event.id === id && event.source === source)) return;
    PublishInput.parse({ id, topic, data });
    if (Buffer.byteLength(JSON.stringify({ id, topic, data })) > LIMITS.eventBytes) throw new Error('too large');
    const time = new Date(this.now).toISOString();
    // As it comes back from the wire.
    const event: SwarmEvent = JSON.parse(
      JSON.stringify({ id, topic, source, time, namespace: 'default', data, ...correlation }),
    );
    this.log.push(event);
    apply(this.ledger, event, this.log.length);
  }

  submit(goal: Goal, correlation: Partial<Correlation> = {}): string {
    this.publish('goal.submitted', goal, { source: '/operators/test', ...correlation });
    return planIdOf(goal.goalId);
  }

  /** What is decided now. */
  decide(): readonly Action[] {
    const agents: Swarm = { get: (name) => this.agents.get(name), [Symbol.iterator]: () => this.agents.values() };
    const checks: Checks = { unsettled: verdictsIn, inputFault: () => null, ...this.checks };
    const scene = { ledger: this.ledger, self: this.self, agents, underWay: new Map(), checks, now: this.now };
    const { actions, stuck } = schedule({ ...scene, stuckSince: this.#stuckSince }, this.#settings);
    for (const key of this.#stuckSince.keys()) if (!stuck.has(key)) this.#stuckSince.delete(key);
    for (const key of stuck) if (!this.#stuckSince.has(key)) this.#stuckSince.set(key, this.now);
    return actions;
  }

  /** Decides and publishes until there is no further action. */
  settle(): void {
    for (let actions = this.decide(); actions.length > 0; actions = this.decide()) {
      for (const action of actions) this.perform(action);
    }
  }

  perform(action: Action): void {
    if (action.kind === 'plan') return this.#plan(action.plan);
    const publish = (topic: string, data: unknown, options: PublishOptions = {}): Promise<never> => {
      const { id = crypto.randomUUID(), correlationId = '', causationId = '', traceparent } = options;
      this.publish(topic, data, { id, correlationId, causationId, traceparent });
      return new Promise(() => {});
    };
    const bus: Pick<ArchitectBus, 'publish'> = { publish };
    void announce(bus, action, 'architect');
  }

  #plan(plan: Plan): void {
    const { planId, goalId, title, goal, deadlineAt } = plan;
    const tasks = withReviews((goal?.steps ?? []).map(({ id, ...step }): PlanTask => ({ taskId: id, ...step })));
    const deadline = deadlineAt === null ? null : new Date(deadlineAt).toISOString();
    const data = {
      planId,
      goalId,
      title,
      tasks,
      planner: 'steps',
      missing: [],
      deadlineAt: deadline,
      ...(goal?.approval === true ? { approval: true } : {}),
    };
    this.publish('plan.created', data, { id: planEventId(planId, 'created'), ...correlationOf(plan) });
  }

  answer(agent: string, kind: string, data: object): void {
    const assigned = this.log.findLast(({ topic }) => topic === `task.${agent}.assigned`);
    const correlation = assigned === undefined ? {} : causedBy(assigned);
    this.publish(`task.${agent}.${kind}`, data, { source: agentSource('default', agent), ...correlation });
  }

  /** A ledger that reads the log from its event `from` on. */
  replay(from = 0): PlanLedger {
    const ledger = new PlanLedger(this.self);
    for (const [index, event] of this.log.slice(from).entries()) apply(ledger, event, from + index + 1);
    ledger.caughtUp();
    return ledger;
  }

  /** The event at a position. */
  at(position: string): SwarmEvent | undefined {
    return this.log[Number(position.replace('log-', '')) - 1];
  }

  plan(planId: string): Plan {
    const plan = this.ledger.plans.get(planId);
    if (plan === undefined) throw new Error(`there is no plan ${planId}`);
    return plan;
  }
}

/** `place`: of the event in the log, from 1 on. */
function apply(ledger: PlanLedger, event: SwarmEvent, place: number): void {
  const fact = ledger.apply(event, `log-${place}`);
  if (fact.kind === null) throw fact.error;
}

/** What reviewers did not accept. */
function verdictsIn(plan: Plan): Map<string, Judgement> {
  const found = new Map<string, Judgement>();
  for (const [taskId, task] of plan.tasks) {
    const judgement = task.result === null ? null : verdictOf(task, task.result.output);
    if (judgement !== null) found.set(taskId, judgement);
  }
  return found;
}
