// The plans of the namespaces in use. A namespace is read with its first call, and released when none has used it for a while.
import type { Bus } from '@hypercode/bus';
import type { Clock } from '@hypercode/clock';
import type { SwarmError } from '@hypercode/contracts';
import { PlanFold } from './plan-fold.ts';

export interface PlanFoldsOptions {
  readonly bus: Pick<Bus, 'read' | 'subscribe'>;
  readonly clock: Clock;
  readonly onError: (error: SwarmError, namespace: string) => void;
  /** How long the plans of a namespace are kept without a caller, in milliseconds. Default: five minutes. */
  readonly idleMs?: number;
  /** Namespaces whose plans are kept; of more, those without a caller are released first. Default: 32. */
  readonly maxFolds?: number;
}

const IDLE_MS = 300_000;
const MAX_FOLDS = 32;

interface Entry {
  readonly fold: PlanFold;
  /** Calls and streams that use it. */
  users: number;
  cancelRelease: () => void;
}

/** The caller calls `leave` once, when it no longer uses the fold. */
export interface UsedFold {
  readonly fold: PlanFold;
  readonly leave: () => void;
}

export class PlanFolds {
  readonly #options: Required<PlanFoldsOptions>;
  /** By namespace; the one that was used last is the last. */
  readonly #entries = new Map<string, Entry>();
  readonly #closing = new Set<Promise<void>>();

  constructor(options: PlanFoldsOptions) {
    this.#options = { idleMs: IDLE_MS, maxFolds: MAX_FOLDS, ...options };
  }

  /** Namespaces whose plans are kept. */
  get size(): number {
    return this.#entries.size;
  }

  enter(namespace: string): UsedFold {
    const { bus, clock, onError } = this.#options;
    const entry = this.#entries.get(namespace) ?? {
      fold: new PlanFold({ bus, namespace, clock, onError: (error) => onError(error, namespace) }),
      users: 0,
      cancelRelease: () => {},
    };
    entry.cancelRelease();
    entry.users += 1;
    this.#entries.delete(namespace);
    this.#entries.set(namespace, entry);
    this.#makeRoom();
    return { fold: entry.fold, leave: () => this.#leave(namespace, entry) };
  }

  /** Runs `work` with the plans of a namespace. */
  async use<T>(namespace: string, work: (fold: PlanFold) => Promise<T>): Promise<T> {
    const { fold, leave } = this.enter(namespace);
    try {
      return await work(fold);
    } finally {
      leave();
    }
  }

  /** Calls and streams have ended. */
  async close(): Promise<void> {
    for (const namespace of this.#entries.keys()) this.#release(namespace);
    await Promise.all(this.#closing);
  }

  #leave(namespace: string, entry: Entry): void {
    entry.users -= 1;
    if (entry.users > 0 || this.#entries.get(namespace) !== entry) return;
    // Reading a namespace without events must make no state.
    if (entry.fold.isBlank) return this.#release(namespace);
    entry.cancelRelease = this.#options.clock.schedule(this.#options.idleMs, () => this.#release(namespace));
    this.#makeRoom();
  }

  #makeRoom(): void {
    for (const [namespace, { users }] of this.#entries) {
      if (this.#entries.size <= this.#options.maxFolds) return;
      if (users === 0) this.#release(namespace);
    }
  }

  #release(namespace: string): void {
    const entry = this.#entries.get(namespace);
    if (entry === undefined) return;
    this.#entries.delete(namespace);
    entry.cancelRelease();
    const closing = entry.fold.close().finally(() => this.#closing.delete(closing));
    this.#closing.add(closing);
  }
}
