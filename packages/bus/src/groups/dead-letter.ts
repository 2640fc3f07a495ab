// Dead letters on the wire.
import type { DeadLetter, SwarmEvent } from '@hypercode/contracts';
import type { StoredDeadLetter } from '../store/group-store.ts';
import { formatPosition } from '../store/position.ts';
import { formatDeliveryId } from './delivery.ts';

export function toDeadLetter({
  position,
  life,
  attempt,
  uncounted,
  text,
  deadAt,
  history,
}: StoredDeadLetter): DeadLetter {
  return {
    deliveryId: formatDeliveryId({ position, life, attempt, uncounted }),
    position: formatPosition(position),
    event: JSON.parse(text) as SwarmEvent,
    deadAt: new Date(deadAt).toISOString(),
    reason: history.at(-1)?.reason ?? null,
    history: history.map(({ deliveredAt, failedAt, ...rest }) => ({
      ...rest,
      deliveredAt: new Date(deliveredAt).toISOString(),
      failedAt: new Date(failedAt).toISOString(),
    })),
  };
}
