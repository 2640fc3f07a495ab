// What a replica reports of itself.
import type { Replica } from '@hypercode/contracts';

/** Does not change while the process runs. */
export interface ReplicaIdentity {
  /** New for each start. */
  readonly id: string;
  readonly version: string;
  readonly host: string;
}

/** What only other parts of the core know. */
export interface ReplicaVitals {
  readonly streams: Replica['streams'];
  /** Namespaces whose mass-failure guard holds, if this replica judges. */
  readonly suspended: readonly string[];
}

export type ReplicaState = Omit<Replica, 'seenAt'> & Pick<ReplicaVitals, 'suspended'>;
