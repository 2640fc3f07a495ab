// What a ledger holds back while the past is read: facts of plans whose beginning retention has removed, until a
// checkpoint restores the plan, and checkpoints of which the last part is still to come.
import { type CheckpointEntry, type CheckpointPart, entriesIn } from './checkpoint.ts';
import { type CancelFact, type EndFact, isEnd, type QuestionFact, type RetryFact, type TaskFact } from './fact.ts';
import { newPlan, type Plan } from './plan.ts';

/** A fact that needs a plan to change. */
export type PlanFact = TaskFact | EndFact | RetryFact | CancelFact | QuestionFact;

/** A fact, and the position of its event, when that is known. */
export interface PlacedFact {
  readonly fact: PlanFact;
  readonly position: string | null;
}

/** Characters of JSON that are held back where memory is bounded, of facts and of checkpoints. Of more, the oldest are dropped. */
const HELD_LENGTH = 32 * 1024 * 1024;

export class UnreadPast {
  readonly #maxLength: number;
  #factsLength = 0;
  #checkpointsLength = 0;
  readonly #facts = new Map<string, PlacedFact[]>();
  /** The parts of the checkpoint of each plan, up to the last one that was read. */
  readonly #checkpoints = new Map<string, CheckpointPart[]>();

  /** `isBounded`: for a ledger that conducts no plan. One that does cannot do without what it holds back. */
  constructor({ isBounded }: { readonly isBounded: boolean }) {
    this.#maxLength = isBounded ? HELD_LENGTH : Infinity;
  }

  /** Holds a fact of an unknown plan back. */
  hold(planId: string, placed: PlacedFact): void {
    const facts = this.#facts.get(planId);
    if (facts === undefined) this.#facts.set(planId, [placed]);
    else facts.push(placed);
    if (this.#maxLength === Infinity) return;
    this.#factsLength += lengthOf(placed);
    for (const oldest of this.#facts.keys()) {
      if (this.#factsLength <= this.#maxLength) return;
      this.take(oldest);
    }
  }

  /** The facts that were held back for a plan, which is known now. */
  take(planId: string): readonly PlacedFact[] {
    const facts = this.#facts.get(planId) ?? [];
    this.#facts.delete(planId);
    if (this.#maxLength < Infinity) for (const placed of facts) this.#factsLength -= lengthOf(placed);
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
    this.#dropCheckpoint(planId);
    if (parts.length === part.parts) return entriesIn(parts);
    this.#checkpoints.set(planId, parts);
    this.#checkpointsLength += textLength(parts);
    for (const oldest of this.#checkpoints.keys()) {
      if (this.#checkpointsLength <= this.#maxLength) break;
      this.#dropCheckpoint(oldest);
    }
    return null;
  }

  #dropCheckpoint(planId: string): void {
    this.#checkpointsLength -= textLength(this.#checkpoints.get(planId) ?? []);
    this.#checkpoints.delete(planId);
  }

  /** Plans that run, and of which neither the beginning nor a checkpoint was read. */
  *lost(): IterableIterator<Plan> {
    for (const [planId, placed] of this.#facts) {
      const facts = placed.map(({ fact }) => fact);
      const assigned = facts.find((fact) => fact.kind === 'task.assigned');
      if (assigned === undefined) continue;
      const { at, source, data } = assigned;
      if (facts.some((fact) => isEnd(fact) && fact.source === source)) continue;
      const plan = newPlan({ planId, goalId: data.goalId, title: data.title, submittedAt: at }, assigned);
      yield { ...plan, status: 'running', owner: source, isLost: true };
    }
  }
}

const lengthOf = ({ fact }: PlacedFact): number => JSON.stringify(fact).length;
const textLength = (parts: readonly CheckpointPart[]): number => parts.reduce((sum, { text }) => sum + text.length, 0);
