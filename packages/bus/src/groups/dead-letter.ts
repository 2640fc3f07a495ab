// Dead letters on the wire.
import type { DeadLetter, SwarmEvent } from '@hypercode/contracts';
import type { StoredDeadLetter } from '../store/group-store.ts';
import { formatPosition } from '../store/position.ts';
import { formatDeliveryId, type NamingGroup } from './delivery-id.ts';

export function toDeadLetter(letter: StoredDeadLetter, naming: NamingGroup): DeadLetter {
  const { position, text, deadAt, history } = letter;
  return {
    deliveryId: formatDeliveryId(letter, naming),
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
