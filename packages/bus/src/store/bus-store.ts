// What a driver brings: the log, the groups, and their upkeep.
import type { EventLog } from './event-log.ts';
import type { GroupStore } from './group-store.ts';

export interface BusStore {
  readonly log: EventLog;
  readonly groups: GroupStore;
  /** Rejects when the store does not answer. Resolves with a warning when it answers, but may not keep what it is given. */
  check(): Promise<string | null>;
  /** Applies retention and forgets what is past its time. Any replica may do it, at any time. */
  applyRetention(): Promise<void>;
  /** Ends what the driver itself has opened. */
  close(): Promise<void>;
}
