// Deliveries on the wire: the values of a `consume` stream.
import type { ClaimResult, GroupEvent, SwarmEvent } from '@hypercode/contracts';
import { type StreamItem, ValueItem } from '@hypercode/feed';
import type { ClaimOutcome, GroupDelivery, GroupState, UsedGroup } from '../store/group-store.ts';
import { formatPosition, type LogPosition } from '../store/position.ts';

/** A value on its way to a consumer, with its tracked id. */
export type GroupItem = StreamItem<GroupEvent>;

/** A delivery with its id. */
export interface IdentifiedDelivery extends GroupDelivery {
  readonly id: string;
}

/** What a claim brought. */
export interface IdentifiedOutcome extends ClaimOutcome {
  readonly deliveries: readonly IdentifiedDelivery[];
}

/** A delivery. The event's text is put into the frame as it is. */
export class DeliveryItem implements StreamItem<GroupEvent> {
  readonly type = 'delivery';
  readonly delivery: IdentifiedDelivery;
  #isSent = false;

  constructor(delivery: IdentifiedDelivery) {
    this.delivery = delivery;
  }

  get id(): string {
    return this.delivery.id;
  }

  /** Whether the transport was handed it: the member may have received it. */
  get isSent(): boolean {
    return this.#isSent;
  }

  sent(): void {
    this.#isSent = true;
  }

  get json(): string {
    const { position, attempt, dueAt, text } = this.delivery;
    return (
      `{"type":"delivery","deliveryId":"${this.id}","attempt":${attempt},"dueAt":"${new Date(dueAt).toISOString()}",` +
      `"position":"${formatPosition(position)}","event":${text}}`
    );
  }

  get event(): GroupEvent {
    return { type: 'delivery', ...deliveryOf(this.delivery) };
  }
}

/** The settings of a group with their version, as callers see them. */
export const settingsShown = ({ version, topics, ackDeadlineMs, maxDeliveries }: GroupState) => ({
  version,
  topics: [...topics],
  ackDeadlineMs,
  maxDeliveries,
});

/** The first value of a stream. */
export function joinedItem(
  consumer: string,
  { cursor, state, paused }: { cursor: LogPosition; state: UsedGroup; paused: boolean },
): GroupItem {
  const settings = settingsShown(state);
  return new ValueItem<GroupEvent>(formatPosition(cursor), {
    type: 'joined',
    groupId: state.id,
    consumer,
    settings,
    paused,
  });
}

/** `cursor` is the group's. */
export function groupBookmarkItem(cursor: LogPosition, { paused = false } = {}): GroupItem {
  const position = formatPosition(cursor);
  return new ValueItem<GroupEvent>(position, { type: 'bookmark', position, paused });
}

/** A gap, for the member that met it; its id is the group's cursor, although a group resumes by itself. */
export const groupGapItem = (gap: NonNullable<ClaimOutcome['gap']>, cursor: LogPosition): GroupItem =>
  new ValueItem<GroupEvent>(formatPosition(cursor), { type: 'gap', ...gap });

export const deliveryOf = (delivery: IdentifiedDelivery): ClaimResult['deliveries'][number] => ({
  deliveryId: delivery.id,
  attempt: delivery.attempt,
  dueAt: new Date(delivery.dueAt).toISOString(),
  position: formatPosition(delivery.position),
  event: JSON.parse(delivery.text) as SwarmEvent,
});
