// Which agent gets a task, why that one, and why none.
import type { Agent } from '@hypercode/contracts';
import { askedAgainAt, type Plan, type Task } from '@hypercode/plans';
import { capacityOf, offersOf, unfitness } from './candidates.ts';
import { inputRefusal } from './checks.ts';
import type { Scene, ScheduleSettings } from './scene.ts';

export interface Choice {
  /** The agent, and why it is that one, in words; null: there is none now. */
  readonly chosen: { readonly agent: Agent; readonly because: string } | null;
  /** When an agent may be asked that is not asked now, in milliseconds since the epoch; Infinity: there is none. */
  readonly askAgainAt: number;
  /** Whether an agent was left out that does not take this task, and may take others of its capability. */
  readonly hasPassedOver: boolean;
}

/** The choices of one round: each knows of the tasks that were given before it. */
export class AgentChoice {
  readonly #scene: Scene;
  readonly #settings: ScheduleSettings;
  readonly #offers: Map<string, Agent[]>;
  /** Tasks under way to each agent, beside those that it has. */
  readonly #loads = new Map<string, number>();
  /** Whether no agent can do tasks of the capability, busy ones included; a cache. */
  readonly #isWithoutAgent = new Map<string, boolean>();

  constructor(scene: Scene, settings: ScheduleSettings) {
    this.#scene = scene;
    this.#settings = settings;
    this.#offers = offersOf(scene.agents);
    for (const { action } of scene.underWay.values()) {
      if (action.kind === 'assign') this.give(action.agent.name);
      else if (action.kind === 'withdraw' && action.toward !== undefined) this.give(action.toward);
    }
  }

  /** Counts a task to the agent from now on. */
  give(agent: string): void {
    this.#loads.set(agent, this.#loadOf(agent) + 1);
  }

  /**
   * An agent that has let no task pass before others; then one that has not tried this one, has the fewest tasks, is not
   * busy, and is first by name. An agent that has let tasks pass is asked after a pause.
   */
  choose(plan: Plan, task: Task, except: string | null): Choice {
    const { now, ledger, checks } = this.#scene;
    const author = authorOf(plan, task);
    const { capability } = task.spec;
    const tried = new Set(task.attempts.values());
    const offering = this.#offers.get(capability) ?? [];
    let askAgainAt = Infinity;
    let hasPassedOver = false;
    let best: Agent | null = null;
    let bestRank: Rank = [];
    let secondRank: Rank | null = null;
    for (const agent of offering) {
      if (agent.name === except || unfitness(agent) !== null) continue;
      if (agent.name === author || checks.inputFault(plan, task, agent) !== null) {
        hasPassedOver = true;
        continue;
      }
      const load = ledger.openTasksOf(agent.name) + this.#loadOf(agent.name);
      if (load >= capacityOf(agent, this.#settings.maxTasksPerAgent)) continue;
      const lapse = ledger.lapses.of(agent, capability, now);
      // Nor does it wait for a clock that is ahead.
      if (lapse !== null && lapse.at <= now && now < askedAgainAt(lapse)) {
        askAgainAt = Math.min(askAgainAt, askedAgainAt(lapse));
        continue;
      }
      const isBusy = agent.status.activity === 'busy';
      const rank = [lapse?.count ?? 0, tried.has(agent.name) ? 1 : 0, load, isBusy ? 1 : 0, agent.name];
      if (best !== null && !isBefore(rank, bestRank)) {
        if (secondRank === null || isBefore(rank, secondRank)) secondRank = rank;
        continue;
      }
      if (best !== null) secondRank = bestRank;
      best = agent;
      bestRank = rank;
    }
    const chosen = best === null ? null : { agent: best, because: whyChosen(bestRank, secondRank, offering.length) };
    return { chosen, askAgainAt, hasPassedOver };
  }

  /** Whether no agent can do the task, also once the busy ones are free. */
  isStuck(plan: Plan, task: Task): boolean {
    const { capability } = task.spec;
    const author = authorOf(plan, task);
    if (author !== null) {
      return (this.#offers.get(capability) ?? []).every((agent) => agent.name === author || unfitness(agent) !== null);
    }
    let isStuck = this.#isWithoutAgent.get(capability);
    if (isStuck === undefined) {
      isStuck = (this.#offers.get(capability) ?? []).every((agent) => unfitness(agent) !== null);
      this.#isWithoutAgent.set(capability, isStuck);
    }
    return isStuck;
  }

  whyStuck(plan: Plan, task: Task): string {
    const { spec } = task;
    const author = authorOf(plan, task);
    const offering = this.#offers.get(spec.capability) ?? [];
    if (offering.length === 0) return `no agent offers "${spec.capability}"`;
    const reasons = offering
      .slice(0, 3)
      .map((agent) => `${agent.name} ${agent.name === author ? 'is the author' : unfitness(agent)}`);
    const others = offering.length > 3 ? `, and ${offering.length - 3} more` : '';
    return `of the agents that offer "${spec.capability}", ${reasons.join(', ')}${others}`;
  }

  /** Why no agent takes the input of the task; null when one does, or may. */
  inputRefusal(plan: Plan, task: Task): string | null {
    const offering = this.#offers.get(task.spec.capability) ?? [];
    const faults: string[] = [];
    for (const agent of offering) {
      const fault = this.#scene.checks.inputFault(plan, task, agent);
      if (typeof fault !== 'string') return null;
      faults.push(`${agent.name}: ${fault}`);
    }
    return faults.length === 0 ? null : inputRefusal(task.spec, faults);
  }

  #loadOf(agent: string): number {
    return this.#loads.get(agent) ?? 0;
  }
}

/** What decides between agents: tasks let pass, whether it has tried this one, tasks that it has, whether it is busy, its name. */
type Rank = readonly (number | string)[];

const ADVANTAGES = [
  'has let fewer tasks pass',
  'has not tried the task yet',
  'has fewer tasks',
  'is not busy',
  'is first by name of those that are as good',
];

function whyChosen(rank: Rank, second: Rank | null, offering: number): string {
  if (second === null) {
    return offering === 1
      ? 'only this agent offers the capability'
      : `of ${offering} agents, only this one has room now`;
  }
  const decided = rank.findIndex((value, index) => value !== second[index]);
  return `of ${offering} agents, this one ${ADVANTAGES[decided] ?? 'came first'}`;
}

function isBefore(rank: Rank, other: Rank): boolean {
  for (const [index, value] of rank.entries()) {
    const against = other[index];
    if (against === undefined || value === against) continue;
    return value < against;
  }
  return false;
}

/** Who made the result that a task reviews: no agent reviews its own; null: the task is no review. */
const authorOf = ({ tasks }: Plan, { spec }: Task): string | null =>
  spec.reviews === undefined ? null : (tasks.get(spec.reviews)?.result?.agent ?? null);
