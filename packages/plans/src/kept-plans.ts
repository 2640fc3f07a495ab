// The plans that a ledger keeps in memory, which are bounded, and the ids of those that it has forgotten.
import { hasEnded, type Plan } from './plan.ts';

/** How many plans, and how much memory they may take together, in characters of JSON. The oldest are forgotten. */
interface Room {
  readonly plans: number;
  readonly length: number;
}

interface Rooms {
  readonly ended: Room;
  /** Running plans of others. Such a plan may never end, so the one that was written longest ago is forgotten first. */
  readonly others: Room;
  /** Goals without a plan. */
  readonly goals: number;
}

const MIB = 1024 * 1024;
/** Of an Architect, which plans every goal. */
const CONDUCTING: Rooms = {
  ended: { plans: 200, length: 32 * MIB },
  others: { plans: 200, length: 32 * MIB },
  goals: Infinity,
};
/** Of a ledger that conducts no plan: a process may have one for each of many namespaces. */
const READING: Rooms = {
  ended: { plans: 200, length: 8 * MIB },
  others: { plans: 1_000, length: 16 * MIB },
  goals: 1_000,
};
/** Forgotten plans whose ids are kept. */
const FORGOTTEN_PLANS = 50_000;
/** Facts of a running plan of others after which it is measured again. */
const FACTS_PER_MEASURE = 64;

export interface KeptPlansOptions {
  /** The owner whose running plans are never forgotten; null for none. */
  readonly self: string | null;
  /** The plan is no longer kept. */
  readonly onForgotten: (plan: Plan) => void;
}

export class KeptPlans {
  readonly #options: KeptPlansOptions;
  readonly #rooms: Rooms;
  readonly #plans = new Map<string, Plan>();
  /** Oldest first. */
  readonly #ended = new MeasuredPlans();
  /** Running plans of other owners, in the order in which they were last written. */
  readonly #others = new MeasuredPlans();
  /** Goals without a plan, oldest first. */
  readonly #goals = new Set<string>();
  /** Oldest first. A goal whose plan was forgotten does not begin again when it is submitted again. */
  readonly #forgotten = new Set<string>();

  constructor(options: KeptPlansOptions) {
    this.#options = options;
    this.#rooms = options.self === null ? READING : CONDUCTING;
  }

  get all(): ReadonlyMap<string, Plan> {
    return this.#plans;
  }

  get(planId: string): Plan | undefined {
    return this.#plans.get(planId);
  }

  isForgotten(planId: string): boolean {
    return this.#forgotten.has(planId);
  }

  put(plan: Plan): void {
    const { planId, status } = plan;
    this.#plans.set(planId, plan);
    if (status !== 'planning') return;
    this.#goals.add(planId);
    for (const oldest of this.#goals) {
      if (this.#goals.size <= this.#rooms.goals) return;
      // A plan that is created for it is kept then.
      this.#goals.delete(oldest);
      this.#plans.delete(oldest);
    }
  }

  /** The running plan was written as a whole. Makes room among the plans of other owners. */
  written(plan: Plan): void {
    this.#goals.delete(plan.planId);
    if (plan.owner === this.#options.self) return;
    this.#others.delete(plan.planId);
    this.#others.put(plan);
    this.#forgetOthers();
  }

  /** A fact has changed the plan. */
  changed(plan: Plan): void {
    if (!this.#others.isMeasureDue(plan.planId)) return;
    this.#others.put(plan);
    this.#forgetOthers();
  }

  #forgetOthers(): void {
    const { plans, length } = this.#rooms.others;
    while (this.#others.size > plans || (this.#others.length > length && this.#others.size > 1)) {
      const [oldest = ''] = this.#others.ids();
      this.#others.delete(oldest);
      this.#forget(oldest);
    }
  }

  /** The plan has ended. Makes room among the ended plans. */
  ended(plan: Plan): void {
    this.#goals.delete(plan.planId);
    this.#others.delete(plan.planId);
    this.#ended.put(plan);
    this.#forgetEnded();
  }

  /** The plan has begun again. */
  retried(plan: Plan): void {
    this.#ended.delete(plan.planId);
    if (plan.status === 'running') this.written(plan);
    else this.put(plan);
  }

  /** Keeps the last plan, and each plan with an open task, whose agent must still be notified. */
  #forgetEnded(): void {
    const { plans, length } = this.#rooms.ended;
    for (const planId of this.#ended.ids()) {
      const isTooMuch = this.#ended.size > plans || this.#ended.length > length;
      if (!isTooMuch || this.#ended.size === 1) return;
      if (this.#options.self !== null && (this.#plans.get(planId)?.open.size ?? 0) > 0) continue;
      this.#ended.delete(planId);
      this.#forget(planId);
    }
  }

  #forget(planId: string): void {
    const plan = this.#plans.get(planId);
    this.#plans.delete(planId);
    if (plan !== undefined) this.#options.onForgotten(plan);
    this.#forgotten.add(planId);
    for (const oldest of this.#forgotten) {
      if (this.#forgotten.size <= FORGOTTEN_PLANS) return;
      this.#forgotten.delete(oldest);
    }
  }

  /** Plans that have not ended, oldest first, and ended ones with open tasks, or whose approval is still asked for. */
  *active(): IterableIterator<Plan> {
    for (const plan of this.#plans.values()) {
      if (!hasEnded(plan) || plan.open.size > 0 || plan.approval?.question?.endedAt === null) yield plan;
    }
  }
}

/** Plans in the order in which they were put, with the memory that each takes. */
class MeasuredPlans {
  readonly #plans = new Map<string, { readonly length: number; facts: number }>();
  #length = 0;

  get size(): number {
    return this.#plans.size;
  }

  /** Of all together, in characters of JSON. */
  get length(): number {
    return this.#length;
  }

  ids(): IterableIterator<string> {
    return this.#plans.keys();
  }

  /** Measures the plan. One that is there keeps its place. */
  put(plan: Plan): void {
    const length = lengthOf(plan);
    this.#length -= this.#plans.get(plan.planId)?.length ?? 0;
    this.#plans.set(plan.planId, { length, facts: 0 });
    this.#length += length;
  }

  delete(planId: string): void {
    this.#length -= this.#plans.get(planId)?.length ?? 0;
    this.#plans.delete(planId);
  }

  /** Counts a fact of the plan. */
  isMeasureDue(planId: string): boolean {
    const measured = this.#plans.get(planId);
    if (measured === undefined) return false;
    measured.facts += 1;
    return measured.facts >= FACTS_PER_MEASURE;
  }
}

/** About how much memory a plan takes: its goal, inputs, outputs and attempts, in characters of JSON. */
function lengthOf({ goal, tasks }: Plan): number {
  let length = JSON.stringify(goal).length;
  for (const { spec, result, records } of tasks.values()) {
    length += JSON.stringify(spec).length + JSON.stringify(result?.output ?? null).length;
    length += JSON.stringify([...records.values()]).length;
  }
  return length;
}
