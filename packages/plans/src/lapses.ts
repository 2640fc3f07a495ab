// Which agents have let tasks pass, or failed them at once: such an agent is asked last, and later each time.
//
//   none ──a lapse──> 1 ──a lapse of a later assignment──> 2 ──…
//   each ──the agent completes a task, is restarted, or an hour has passed──> none

export interface Lapse {
  /** The agent. */
  readonly agent: string;
  /** For failures: of the tasks that failed. Null: the agent does not answer, whatever it is asked. */
  readonly capability: string | null;
  /** Of the agent; another one begins without lapses. */
  readonly incarnation: string | null;
  readonly count: number;
  /** How many of them make the agent wait: not those in which it found fault with the task. */
  readonly pauses: number;
  /** Of the last one, in milliseconds since the epoch. */
  readonly at: number;
}

/** A failure so soon after the assignment says that the agent cannot do such tasks, in milliseconds. */
export const AT_ONCE_MS = 2_000;
/** From the first lapse until the agent is asked again, in milliseconds; doubles with each lapse. */
const FIRST_PAUSE_MS = 500;
const MAX_PAUSE_MS = 600_000;
/** After which a lapse is forgotten, in milliseconds. */
const MEMORY_MS = 3_600_000;
/** Agents and capabilities of which lapses are kept. */
const KEPT = 10_000;

export class Lapses {
  readonly #lapses = new Map<string, Lapse>();

  /** Tasks that were assigned at the same time lapse together, and count once. */
  add({ isPause, ...lapse }: Omit<Lapse, 'count' | 'pauses'> & { isPause: boolean }, assignedAt: number): void {
    const key = keyOf(lapse.agent, lapse.capability);
    const known = this.#lapses.get(key);
    const isSame = known !== undefined && known.incarnation === lapse.incarnation;
    if (isSame && assignedAt <= known.at) return;
    const before = isSame && lapse.at - known.at < MEMORY_MS ? known : { count: 0, pauses: 0 };
    this.#put(key, { ...lapse, count: before.count + 1, pauses: before.pauses + (isPause ? 1 : 0) });
  }

  /** What a checkpoint knows: the later of two counts. */
  restore(lapse: Lapse): void {
    const key = keyOf(lapse.agent, lapse.capability);
    const known = this.#lapses.get(key);
    if (known === undefined || known.at < lapse.at) this.#put(key, lapse);
  }

  /** The agent has completed a task. */
  clear(agent: string, capability: string): void {
    this.#lapses.delete(keyOf(agent, null));
    this.#lapses.delete(keyOf(agent, capability));
  }

  /** The lapses of an agent that count for tasks of a capability: those that let it be asked last. */
  of(
    { name, incarnation }: { name: string; incarnation: string | null },
    capability: string,
    now: number,
  ): Lapse | null {
    let worst: Lapse | null = null;
    for (const key of [keyOf(name, null), keyOf(name, capability)]) {
      const lapse = this.#lapses.get(key);
      if (lapse === undefined || lapse.incarnation !== incarnation || now - lapse.at >= MEMORY_MS) continue;
      if (worst === null || lapse.count > worst.count) worst = lapse;
    }
    return worst;
  }

  /** All lapses of these agents. */
  *among(agents: ReadonlySet<string>): IterableIterator<Lapse> {
    for (const lapse of this.#lapses.values()) if (agents.has(lapse.agent)) yield lapse;
  }

  #put(key: string, lapse: Lapse): void {
    this.#lapses.delete(key);
    this.#lapses.set(key, lapse);
    for (const oldest of this.#lapses.keys()) {
      if (this.#lapses.size <= KEPT) return;
      this.#lapses.delete(oldest);
    }
  }
}

/** When the agent may be asked again, in milliseconds since the epoch. */
export const askedAgainAt = ({ pauses, at }: Lapse): number =>
  pauses === 0 ? at : at + Math.min(MAX_PAUSE_MS, FIRST_PAUSE_MS * 2 ** (pauses - 1));

const keyOf = (agent: string, capability: string | null): string =>
  capability === null ? agent : `${agent}/${capability}`;
