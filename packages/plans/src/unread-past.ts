// What a ledger holds back while the past is read: facts of plans whose beginning retention has removed, until a
// checkpoint restores the plan, and checkpoints of which the last part is still to come.
import { type CheckpointEntry, type CheckpointPart, entriesIn } from './checkpoint.ts';
import type { CancelFact, EndFact, TaskFact } from './fact.ts';
import { newPlan, type Plan } from './plan.ts';

/** A fact that needs a plan to change. */
export type PlanFact = TaskFact | EndFact | CancelFact;

/** A fact, and the position of its event, when that is known. */
export interface PlacedFact {
  readonly fact: PlanFact;
  readonly position: string | null;
}

export class UnreadPast {
  readonly #facts = new Map<string, PlacedFact[]>();
  /** The parts of the checkpoint of each plan, up to the last one that was read. */
  readonly #checkpoints = new Map<string, CheckpointPart[]>();

  /** Holds a fact of an unknown plan back. */
  hold(planId: string, placed: PlacedFact): void {
    const facts = this.#facts.get(planId);
    if (facts === undefined) this.#facts.set(planId, [placed]);
    else facts.push(placed);
  }

  /** The facts that were held back for a plan, which is known now. */
  take(planId: string): readonly PlacedFact[] {
    const facts = this.#facts.get(planId) ?? [];
    this.#facts.delete(planId);
    return facts;
  }

  /**
   * The entries of a checkpoint, with its last part; null before, and for one with a part missing or that cannot be
   * read.
   */
  read(part: CheckpointPart): CheckpointEntry[] | null {
    const { planId, checkpointId } = part;
    const before = part.part === 1 ? [] : (this.#checkpoints.get(planId) ?? []);
    const isNext = before.length === part.part - 1 && before.every((other) => other.checkpointId === checkpointId);
    if (!isNext) return null;
    const parts = [...before, part];
    if (parts.length < part.parts) {
      this.#checkpoints.set(planId, parts);
      return null;
    }
    this.#checkpoints.delete(planId);
    return entriesIn(parts);
  }

  /** Plans that run, and of which neither the beginning nor a checkpoint was read. */
  *lost(): IterableIterator<Plan> {
    for (const [planId, placed] of this.#facts) {
      const facts = placed.map(({ fact }) => fact);
      const assigned = facts.find((fact) => fact.kind === 'task.assigned');
      if (assigned === undefined) continue;
      const { at, source, data } = assigned;
      if (facts.some((fact) => fact.kind.startsWith('plan.') && fact.source === source)) continue;
      const plan = newPlan({ planId, goalId: data.goalId, title: data.title, submittedAt: at });
      yield { ...plan, status: 'running', owner: source, isLost: true };
    }
  }
}
