// What a caller asks of a group that it takes part in.
import type { GroupStart } from '@hypercode/contracts';
import type { WantedSettings } from '../store/group-settings.ts';
import type { GroupMaker } from '../store/group-store.ts';

export interface GroupRequest {
  namespace: string;
  group: string;
  /** The group that the caller comes back to. */
  groupId?: string | undefined;
  /** What the caller names of the settings. */
  settings: WantedSettings;
  /** Where the group begins if it is made now. */
  from: GroupStart;
  /** Default: a name of its own. */
  consumer: string | undefined;
  /** Who makes the group if it is made now. */
  maker?: GroupMaker;
  /** Refuses a member that may not receive these topics: those of the group, also after they were changed. */
  admit?: (topics: readonly string[]) => Promise<void>;
}
