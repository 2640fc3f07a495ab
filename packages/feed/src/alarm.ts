// Wakes one waiter. An alarm that rings while there is no waiter ends the next wait at once.

export class Alarm {
  #wake: (() => void) | null = null;
  #rung = false;

  ring(): void {
    const wake = this.#wake;
    if (wake === null) {
      this.#rung = true;
      return;
    }
    this.#wake = null;
    wake();
  }

  /** Settles when the alarm rings, at once if it has rung since the last wait. For one waiter at a time. */
  wait(): Promise<void> {
    if (this.#rung) {
      this.#rung = false;
      return Promise.resolve();
    }
    return new Promise((resolve) => {
      this.#wake = resolve;
    });
  }
}
