// Is notified of what becomes of deliveries.
import type { GroupDelivery } from '../store/group-store.ts';

export interface GroupObserver {
  /** Deliveries were handed out to a member. */
  onDeliver(namespace: string, group: string, deliveries: readonly GroupDelivery[]): void;
  /** So many deliveries were acknowledged. */
  onAck(namespace: string, count: number): void;
  /** The last attempt at so many events has failed. */
  onDead(namespace: string, count: number): void;
}
