// Makes known how many events of groups died, and why: in figures, and on the log.
import { type Clock, repeat } from '@hypercode/clock';
import { type GroupDeadData, SwarmError } from '@hypercode/contracts';
import { commonest } from '../store/group-deaths.ts';
import type { GroupStore } from '../store/group-store.ts';
import type { GroupObserver } from './group-observer.ts';
import type { GroupTally } from './groups.ts';

/** Deaths that are to be published. */
export interface DeathNotice {
  readonly namespace: string;
  readonly data: GroupDeadData;
}

export interface DeathReportsOptions {
  store: Pick<GroupStore, 'takeDeaths'>;
  clock: Pick<Clock, 'schedule'>;
  observers: ReadonlySet<Partial<GroupObserver>>;
  tally: Pick<GroupTally, 'dead' | 'dropped'>;
  /** Called with the deaths in each group. */
  onNotice: (notice: DeathNotice) => void;
  onError: (error: unknown) => void;
}

/** How often the store is asked, in milliseconds. */
const INTERVAL_MS = 5000;

/**
 * A deadline that passed is noticed by whichever operation comes next to the group, through any replica: so the store notes deaths, and
 * one replica takes what was noted. A replica that stops between taking and publishing takes its report with it.
 */
export class DeathReports {
  readonly #options: DeathReportsOptions;
  readonly #end: () => void;
  #reporting: Promise<void> = Promise.resolve();

  constructor(options: DeathReportsOptions) {
    this.#options = options;
    this.#end = repeat(options.clock, INTERVAL_MS, () => {
      this.#reporting = this.report().catch((error: unknown) => {
        // What is noted stays noted.
        if (!(error instanceof SwarmError)) options.onError(error);
      });
      return this.#reporting;
    });
  }

  async report(): Promise<void> {
    const { store, observers, tally, onNotice } = this.#options;
    for (const death of await store.takeDeaths()) {
      const { namespace, group, count, dropped, reasons } = death;
      tally.dead += count;
      tally.dropped += dropped;
      for (const observer of observers) observer.onDead?.(death);
      onNotice({ namespace, data: { group, count, dropped, reasons: commonest(reasons) } });
    }
  }

  async close(): Promise<void> {
    this.#end();
    await this.#reporting;
  }
}
