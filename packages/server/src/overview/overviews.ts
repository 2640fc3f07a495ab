// Overviews of namespaces: computed once for all followers of a namespace, and only while there are any.
import type { Clock } from '@hypercode/clock';
import type { Overview } from '@hypercode/contracts';
import { Alarm, ended, type StreamBatch, type StreamItem, ValueItem } from '@hypercode/feed';
import { changeBetween, type OverviewState } from './overview-change.ts';

export type OverviewItem = StreamItem<Overview>;

export interface OverviewsOptions {
  readonly read: (namespace: string) => Promise<OverviewState>;
  readonly clock: Clock;
  /** Called when an overview that was read before could not be read again. */
  readonly onError: (error: unknown) => void;
}

/** From the end of a reading to the next, in milliseconds. */
const INTERVAL_MS = 2000;
/** Every so many readings it counts that figures moved: memory, latencies, times. */
const READINGS_OF_FIGURES = 5;

export class Overviews {
  readonly #options: OverviewsOptions;
  readonly #followed = new Map<string, FollowedOverview>();

  constructor(options: OverviewsOptions) {
    this.#options = options;
  }

  /** Namespaces that are followed now. */
  get size(): number {
    return this.#followed.size;
  }

  /**
   * The first value has everything, and each later one what changed since. A follower that was too slow for a value gets everything again.
   * Ends when `signal` aborts: silently, or by throwing the signal's reason if that is a SwarmError. Throws what the first reading throws.
   */
  async *follow(namespace: string, signal: AbortSignal): AsyncGenerator<StreamBatch<OverviewItem>, void, undefined> {
    const overview = this.#enter(namespace);
    const alarm = new Alarm();
    const ring = () => alarm.ring();
    const leave = overview.join(alarm);
    signal.addEventListener('abort', ring);
    let version = 0;
    try {
      while (!ended(signal)) {
        const item = overview.after(version);
        if (item === null) {
          await alarm.wait();
          continue;
        }
        ({ version } = overview);
        yield [item];
      }
    } finally {
      signal.removeEventListener('abort', ring);
      leave();
    }
  }

  #enter(namespace: string): FollowedOverview {
    const known = this.#followed.get(namespace);
    if (known !== undefined) return known;
    const overview = new FollowedOverview(namespace, this.#options, () => {
      if (this.#followed.get(namespace) === overview) this.#followed.delete(namespace);
    });
    this.#followed.set(namespace, overview);
    return overview;
  }
}

/**
 * The overview of one namespace. It is read from the first follower until the last one has left. `version` counts the changes. A reading
 * that fails leaves it as it is; one that fails before there is anything ends every follower.
 */
class FollowedOverview {
  version = 0;
  readonly #namespace: string;
  readonly #options: OverviewsOptions;
  readonly #onEnd: () => void;
  readonly #alarms = new Set<Alarm>();
  #state: OverviewState | null = null;
  /** From the version before to this one. */
  #change: OverviewItem | null = null;
  /** Everything, of this version; made for the first follower that needs it. */
  #whole: OverviewItem | null = null;
  #failure: { readonly error: unknown } | null = null;
  #readings = 0;
  #cancel = (): void => {};

  constructor(namespace: string, options: OverviewsOptions, onEnd: () => void) {
    this.#namespace = namespace;
    this.#options = options;
    this.#onEnd = onEnd;
  }

  /** Rings the alarm when there is something new, until the returned function is called. */
  join(alarm: Alarm): () => void {
    this.#alarms.add(alarm);
    if (this.#alarms.size === 1) void this.#read();
    return () => {
      if (!this.#alarms.delete(alarm) || this.#alarms.size > 0) return;
      this.#cancel();
      this.#onEnd();
    };
  }

  /** What a follower that has `version` is sent; null: nothing yet. Throws what the first reading threw. */
  after(version: number): OverviewItem | null {
    if (this.#failure !== null) throw this.#failure.error;
    if (this.#state === null || version === this.version) return null;
    if (version === this.version - 1 && this.#change !== null) return this.#change;
    return (this.#whole ??= this.#item({ reset: true, ...this.#state, groups: [...this.#state.groups] }));
  }

  async #read(): Promise<void> {
    try {
      this.#take(await this.#options.read(this.#namespace));
    } catch (error) {
      if (this.#state === null) this.#failure = { error };
      else this.#options.onError(error);
    }
    for (const alarm of this.#alarms) alarm.ring();
    if (this.#failure !== null) this.#onEnd();
    else if (this.#alarms.size > 0) this.#cancel = this.#options.clock.schedule(INTERVAL_MS, () => this.#read());
  }

  #take(state: OverviewState): void {
    const before = this.#state;
    this.#readings += 1;
    const figures = this.#readings % READINGS_OF_FIGURES === 0;
    const change = before === null ? null : changeBetween(before, state, { figures });
    if (before !== null && change === null) return;
    this.version += 1;
    this.#state = state;
    this.#whole = null;
    this.#change = change === null ? null : this.#item({ reset: false, ...change });
  }

  #item(value: Omit<Overview, 'type' | 'at'>): OverviewItem {
    const at = new Date(this.#options.clock.epochMs()).toISOString();
    return new ValueItem<Overview>(String(this.version), { type: 'overview', ...value, at });
  }
}
