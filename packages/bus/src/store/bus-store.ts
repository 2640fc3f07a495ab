// What a driver brings: the log, the groups, and their upkeep.
import type { EventLog } from './event-log.ts';
import type { GroupStore } from './group-store.ts';

export interface BusStore {
  readonly log: EventLog;
  readonly groups: GroupStore;
  /** Rejects when the store does not answer. Resolves with a warning when it answers, but may not keep what it is given. */
  check(): Promise<string | null>;
  /** The namespaces that have a log, in no order. A log that began less than a second ago may be missing. */
  namespaces(): Promise<string[]>;
  /** Applies retention and forgets what is past its time. Any replica may do it, at any time. */
  applyRetention(): Promise<void>;
  /** Ends what the driver itself has opened. */
  close(): Promise<void>;
}
