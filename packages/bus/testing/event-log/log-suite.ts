// What the parts of the contract of the EventLog port are given.
import type { describeIn } from '@hypercode/testkit';
import type { OpenStores, Replicas } from '../bus-store.ts';

export interface LogSuite {
  /** Two replicas with limits that no test reaches; in hooks and tests. */
  readonly replicas: () => Replicas;
  readonly open: OpenStores;
  /** A `describe` that runs unless the driver repeats another one. */
  readonly describeWhole: ReturnType<typeof describeIn>;
}
