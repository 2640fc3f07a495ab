// Groups, their members and what they have under way, as callers see them.
import type { GroupInfo, GroupMember, OpenDelivery } from '@hypercode/contracts';
import { commonest } from '../store/group-deaths.ts';
import type { GroupPause, StoredGroup, StoredMember, StoredOpenDelivery } from '../store/group-store.ts';
import { formatPosition } from '../store/position.ts';
import { settingsShown } from './delivery.ts';
import { formatDeliveryId, type NamingGroup } from './delivery-id.ts';

export function groupInfo(stored: StoredGroup): GroupInfo {
  const { group, id, topics, ackDeadlineMs, maxDeliveries, cursor, lag, inFlight, waiting, deadLetters } = stored;
  const { paused, ownedBy, madeBy, madeAt, deadByReason, oldestDeadAt, oldestUnreadAt, members, ratePerSecond } =
    stored;
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
    deadByReason: deadLetters === 0 ? [] : commonest(deadByReason),
    oldestDeadAt: timeShown(oldestDeadAt),
    oldestUnreadAt: timeShown(oldestUnreadAt),
    members,
    ratePerSecond: Math.round(ratePerSecond * 100) / 100,
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

export function openShown(open: StoredOpenDelivery, naming: NamingGroup): OpenDelivery {
  const { position, topic, state, attempt, consumer, deliveredAt, dueAt } = open;
  return {
    deliveryId: formatDeliveryId(open, naming),
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
