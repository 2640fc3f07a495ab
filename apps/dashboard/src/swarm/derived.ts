// What is made from the newest of a row of inputs, in slices: the newest result stays until the next one is whole.
//
//   idle ──> working        an input came, and the rest has passed
//   working ──> idle        the result is shown; then it rests, four times as long as it has worked
//   working ──> working     another input is urgent: what is under way is given up
import { type Clock, systemClock } from '@hypercode/clock';
import { inSlices, type SlicedWork } from './slices.ts';
import { Store } from './store.ts';

interface DerivedOptions<Input, Output> {
  readonly initial: Output;
  readonly work: (input: Input) => SlicedWork<Output>;
  /** Whether a person waits for what follows from this input, so that work on the one before is of no more use. Default: no. */
  readonly isUrgent?: (input: Input, before: Input) => boolean;
  /** The least time between two results that are not urgent, in milliseconds. Default 0. */
  readonly restMs?: number;
  readonly clock?: Clock;
}

/** Of its time it works a fifth at most, however often inputs come. */
const REST_FACTOR = 4;

export class Derived<Input, Output> {
  readonly view: Store<Output>;
  readonly #work: (input: Input) => SlicedWork<Output>;
  readonly #isUrgent: (input: Input, before: Input) => boolean;
  readonly #restMs: number;
  readonly #clock: Clock;
  /** Of the work under way; null while there is none. */
  #current: AbortController | null = null;
  #cancelRest: (() => void) | null = null;
  #latest: { readonly input: Input } | null = null;
  #isFresh = false;

  constructor({
    initial,
    work,
    isUrgent = () => false,
    restMs = 0,
    clock = systemClock,
  }: DerivedOptions<Input, Output>) {
    this.view = new Store(initial);
    this.#work = work;
    this.#isUrgent = isUrgent;
    this.#restMs = restMs;
    this.#clock = clock;
  }

  /** The result of this input is wanted, or of a later one. */
  ask(input: Input): void {
    const before = this.#latest;
    this.#latest = { input };
    this.#isFresh = true;
    if (before === null || this.#isUrgent(input, before.input)) {
      this.#cancelRest?.();
      this.#cancelRest = null;
      this.#current?.abort();
      this.#current = null;
    }
    this.#begin();
  }

  close(): void {
    this.#current?.abort();
    this.#cancelRest?.();
    this.#isFresh = false;
  }

  #begin(): void {
    if (this.#current !== null || this.#cancelRest !== null || !this.#isFresh || this.#latest === null) return;
    void this.#run(this.#latest.input, (this.#current = new AbortController()));
  }

  async #run(input: Input, current: AbortController): Promise<void> {
    this.#isFresh = false;
    const begun = this.#clock.monotonicMs();
    const output = await inSlices(this.#work(input), { signal: current.signal, clock: this.#clock });
    if (output === undefined || this.#current !== current) return;
    this.#current = null;
    const restMs = Math.max(this.#restMs, (this.#clock.monotonicMs() - begun) * REST_FACTOR);
    this.#cancelRest = this.#clock.schedule(restMs, () => {
      this.#cancelRest = null;
      this.#begin();
    });
    this.view.set(output);
  }
}
