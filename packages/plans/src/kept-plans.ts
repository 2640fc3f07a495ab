// The plans that a ledger keeps in memory, which are bounded, and the ids of those that it has forgotten.
import { hasEnded, type Plan } from './plan.ts';

/**
 * Ended plans that are kept, and the memory that they may take together, in characters of JSON. The oldest are
 * forgotten.
 */
const ENDED_PLANS = 200;
const ENDED_LENGTH = 32 * 1024 * 1024;
/**
 * Running plans of other owners that are kept. Such a plan may never end, so the one that was written longest ago is
 * forgotten first.
 */
const OTHERS_PLANS = 200;
/** Forgotten plans whose ids are kept. */
const FORGOTTEN_PLANS = 50_000;

export interface KeptPlansOptions {
  /** The owner whose running plans are never forgotten; null for none. */
  readonly self: string | null;
  /** The plan is no longer kept. */
  readonly onForgotten: (plan: Plan) => void;
}

export class KeptPlans {
  readonly #options: KeptPlansOptions;
  readonly #plans = new Map<string, Plan>();
  /** The length of each ended plan, oldest first. */
  readonly #ended = new Map<string, number>();
  #endedLength = 0;
  /** Running plans of other owners, in the order in which they were last written. */
  readonly #others = new Set<string>();
  /** Oldest first. A goal whose plan was forgotten does not begin again when it is submitted again. */
  readonly #forgotten = new Set<string>();

  constructor(options: KeptPlansOptions) {
    this.#options = options;
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
    this.#plans.set(plan.planId, plan);
  }

  /** The running plan was written as a whole. Makes room among the plans of other owners. */
  written({ planId, owner }: Plan): void {
    if (owner === this.#options.self) return;
    this.#others.delete(planId);
    this.#others.add(planId);
    for (const oldest of this.#others) {
      if (this.#others.size <= OTHERS_PLANS) return;
      this.#others.delete(oldest);
      this.#forget(oldest);
    }
  }

  /** The plan has ended. Makes room among the ended plans. */
  ended(plan: Plan): void {
    this.#others.delete(plan.planId);
    const length = lengthOf(plan);
    this.#ended.set(plan.planId, length);
    this.#endedLength += length;
    this.#forgetEnded();
  }

  /** Keeps the last plan, and each plan with an open task, whose agent must still be notified. */
  #forgetEnded(): void {
    for (const [planId, length] of this.#ended) {
      const isTooMuch = this.#ended.size > ENDED_PLANS || this.#endedLength > ENDED_LENGTH;
      if (!isTooMuch || this.#ended.size === 1) return;
      if ((this.#plans.get(planId)?.open.size ?? 0) > 0) continue;
      this.#endedLength -= length;
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

  /** Plans that have not ended, oldest first, and ended ones with open tasks. */
  *active(): IterableIterator<Plan> {
    for (const plan of this.#plans.values()) if (!hasEnded(plan) || plan.open.size > 0) yield plan;
  }
}

/** About how much memory a plan takes: its inputs, outputs and attempts, in characters of JSON. */
function lengthOf({ tasks }: Plan): number {
  let length = 0;
  for (const { spec, result, records } of tasks.values()) {
    length += JSON.stringify(spec).length + JSON.stringify(result?.output ?? null).length;
    length += JSON.stringify([...records.values()]).length;
  }
  return length;
}
