// What one watcher of plans is sent next, and when: each plan as it is, `synced`, then each plan that has changed.
import type { PlanStatus } from '@hypercode/contracts';
import type { Plan } from './plan.ts';

/** Least time between two views of one plan, in milliseconds. */
const PAUSE_MS = 500;

export interface PlanFilter {
  /** Only this plan. */
  readonly planId?: string | undefined;
  /** Only plans with this status; one that no longer has it is sent once more. */
  readonly state?: PlanStatus | undefined;
}

/**
 *   sending each ──all were sent──> following ──begin()──> sending each
 *
 * Times are monotonic, in milliseconds. What it holds is bounded by the plans that are named to it: a plan that changes often while
 * the watcher does not read is sent once.
 */
export class PlanWatch {
  readonly #filter: PlanFilter;
  /** When each plan is due, in the order in which they changed. */
  readonly #dueAt = new Map<string, number>();
  /** When each plan was last taken; of those taken in the last `PAUSE_MS`, and perhaps of some before. */
  readonly #takenAt = new Map<string, number>();
  /** Plans that were sent with the status that is asked for. */
  readonly #matching = new Set<string>();
  /** Plans that are to be sent before `synced`; null afterwards. */
  #unsent: Set<string> | null = null;

  constructor(filter: PlanFilter) {
    this.#filter = filter;
  }

  /** All of these plans are to be sent. */
  begin(plans: ReadonlyMap<string, Plan>, now: number): void {
    const { planId } = this.#filter;
    this.#dueAt.clear();
    this.#takenAt.clear();
    this.#matching.clear();
    this.#unsent = new Set(planId === undefined ? plans.keys() : [planId]);
    for (const id of this.#unsent) this.#dueAt.set(id, now);
  }

  /** A plan has changed. */
  changed(planId: string, now: number): void {
    const { planId: only = planId } = this.#filter;
    if (only !== planId || this.#dueAt.has(planId)) return;
    this.#dueAt.set(planId, Math.max(now, (this.#takenAt.get(planId) ?? -Infinity) + PAUSE_MS));
  }

  /** What to send now: the plan that changed first of those that are due; null: nothing. */
  next(plans: ReadonlyMap<string, Plan>, now: number): Plan | 'synced' | null {
    for (;;) {
      if (this.#unsent?.size === 0) {
        this.#unsent = null;
        return 'synced';
      }
      const planId = this.#take(now);
      if (planId === null) return null;
      this.#unsent?.delete(planId);
      const plan = plans.get(planId);
      if (plan !== undefined && this.#isWanted(plan)) return plan;
    }
  }

  /** When there may be something to send; Infinity: when a plan has changed. */
  get nextAt(): number {
    return Math.min(Infinity, ...this.#dueAt.values());
  }

  #take(now: number): string | null {
    for (const [planId, dueAt] of this.#dueAt) {
      if (dueAt > now) continue;
      this.#dueAt.delete(planId);
      this.#takenAt.delete(planId);
      this.#takenAt.set(planId, now);
      this.#forgetTaken(now);
      return planId;
    }
    return null;
  }

  #forgetTaken(now: number): void {
    for (const [planId, takenAt] of this.#takenAt) {
      if (takenAt + PAUSE_MS > now) return;
      this.#takenAt.delete(planId);
    }
  }

  #isWanted({ planId, status }: Plan): boolean {
    const { state } = this.#filter;
    const matched = this.#matching.delete(planId);
    if (state === undefined) return true;
    if (status !== state) return matched;
    this.#matching.add(planId);
    return true;
  }
}
