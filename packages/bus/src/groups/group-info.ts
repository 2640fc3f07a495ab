// Groups, their members and what they have under way, as callers see them.
import type { GroupInfo, GroupMember, OpenDelivery } from '@hypercode/contracts';
import type { GroupPause, StoredGroup, StoredMember, StoredOpenDelivery } from '../store/group-store.ts';
import { formatPosition } from '../store/position.ts';
import { formatDeliveryId, settingsShown } from './delivery.ts';

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

export const memberShown = ({ consumer, inFlight, lastSignAt, isSilent }: StoredMember): GroupMember => ({
  consumer,
  inFlight,
  lastSignAt: new Date(lastSignAt).toISOString(),
  passedOver: isSilent,
});

export function openShown(open: StoredOpenDelivery): OpenDelivery {
  const { position, topic, state, attempt, consumer, deliveredAt, dueAt } = open;
  return {
    deliveryId: formatDeliveryId(open),
    position: formatPosition(position),
    topic,
    state,
    attempt,
    consumer,
    deliveredAt: timeShown(deliveredAt),
    dueAt: new Date(dueAt).toISOString(),
  };
}

export const pauseShown = (pause: GroupPause | null): GroupInfo['paused'] =>
  pause === null ? null : { ...pause, at: new Date(pause.at).toISOString() };

const timeShown = (ms: number | null): string | null => (ms === null ? null : new Date(ms).toISOString());
