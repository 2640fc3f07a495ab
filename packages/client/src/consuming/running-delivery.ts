// A delivery whose handler runs: its signal is aborted when the deadline passes, and when the client is closed.
import type { Clock } from '@hypercode/clock';
import { SwarmError } from '@hypercode/contracts';
import { abortError } from '../transport/bounded.ts';
import { onAbort } from '../transport/on-abort.ts';
import type { OpenDelivery } from './extensions.ts';

export class RunningDelivery implements OpenDelivery {
  readonly deliveryId: string;
  readonly beganAt: number;
  /** Settles when the handler has ended and its outcome is settled. */
  done: Promise<void> = Promise.resolve();
  readonly #clock: Clock;
  readonly #controller = new AbortController();
  readonly #release: () => void;
  #deadline: number;
  #cancel = (): void => {};
  #hasEnded = false;

  /** `closed` aborts it, too. */
  constructor(clock: Clock, closed: AbortSignal, delivery: { readonly deliveryId: string; readonly deadline: number }) {
    this.#clock = clock;
    this.deliveryId = delivery.deliveryId;
    this.beganAt = clock.monotonicMs();
    this.#deadline = delivery.deadline;
    this.#release = onAbort(closed, () => this.abort(abortError(closed)));
    this.moveDeadline(delivery.deadline);
  }

  get deadline(): number {
    return this.#deadline;
  }

  get signal(): AbortSignal {
    return this.#controller.signal;
  }

  moveDeadline(deadline: number): void {
    if (this.#hasEnded) return;
    this.#deadline = deadline;
    this.#cancel();
    this.#cancel = this.#clock.schedule(deadline - this.#clock.monotonicMs(), () => {
      const ms = Math.round(deadline - this.beganAt);
      this.abort(new SwarmError('UNAVAILABLE', `the delivery was not acknowledged within ${ms} ms`));
    });
  }

  abort(reason: SwarmError): void {
    this.#controller.abort(reason);
  }

  /** The handler has ended. */
  end(): void {
    this.#hasEnded = true;
    this.#cancel();
    this.#release();
  }
}
