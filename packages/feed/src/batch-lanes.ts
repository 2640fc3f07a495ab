// One batching lane for each namespace in which something is written.
import { BatchLane, type BatchLaneOptions, type Job } from './batch-lane.ts';

export interface BatchLanesOptions<T, R> extends Omit<BatchLaneOptions<T, R>, 'write'> {
  /** See `BatchLaneOptions.write`. */
  write: (namespace: string, batch: readonly Job<T, R>[]) => Promise<readonly Job<T, R>[]>;
}

/** A lane is made with its first item, and released when it is idle. Lanes do not wait for each other. */
export class BatchLanes<T, R> {
  readonly #options: BatchLanesOptions<T, R>;
  readonly #lanes = new Map<string, BatchLane<T, R>>();
  #onAllIdle: (() => void)[] = [];

  constructor(options: BatchLanesOptions<T, R>) {
    this.#options = options;
  }

  /** See `BatchLane.submit`. */
  submit(namespace: string, item: T): Promise<R> {
    let lane = this.#lanes.get(namespace);
    if (lane === undefined) this.#lanes.set(namespace, (lane = this.#laneOf(namespace)));
    return lane.submit(item);
  }

  /** Resolves when everything that was submitted has been settled. */
  async idle(): Promise<void> {
    if (this.#lanes.size > 0) await new Promise<void>((resolve) => this.#onAllIdle.push(resolve));
  }

  #laneOf(namespace: string): BatchLane<T, R> {
    const write = (batch: readonly Job<T, R>[]) => this.#options.write(namespace, batch);
    const lane = new BatchLane<T, R>({ ...this.#options, write }, () => {
      // A lane may report twice that it is idle, and another may have taken its place.
      if (this.#lanes.get(namespace) === lane) this.#lanes.delete(namespace);
      if (this.#lanes.size > 0) return;
      for (const resolve of this.#onAllIdle.splice(0)) resolve();
    });
    return lane;
  }
}
