// Groups as lists show them.
import type { GroupInfo } from '@hypercode/contracts';
import type { GroupPause, StoredGroup } from '../store/group-store.ts';
import { formatPosition } from '../store/position.ts';
import { settingsShown } from './delivery.ts';

export function groupInfo(stored: StoredGroup): GroupInfo {
  const { group, id, topics, ackDeadlineMs, maxDeliveries, cursor, lag, inFlight, waiting, deadLetters } = stored;
  const { paused, ownedBy, madeBy, madeAt } = stored;
  return {
    group,
    groupId: id,
    topics: [...topics],
    ackDeadlineMs,
    maxDeliveries,
    settings: settingsShown(stored),
    position: formatPosition(cursor),
    lag,
    inFlight,
    waiting,
    deadLetters,
    paused: pauseShown(paused),
    ownedBy,
    madeBy,
    madeAt: timeShown(madeAt),
  };
}

export const pauseShown = (pause: GroupPause | null): GroupInfo['paused'] =>
  pause === null ? null : { ...pause, at: new Date(pause.at).toISOString() };

const timeShown = (ms: number | null): string | null => (ms === null ? null : new Date(ms).toISOString());
