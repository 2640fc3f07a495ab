// Is notified of what becomes of deliveries.
import type { DeathReport } from '../store/group-deaths.ts';
import type { GroupDelivery } from '../store/group-store.ts';

export interface GroupObserver {
  /** Deliveries were handed out to a member. */
  onDeliver(namespace: string, group: string, deliveries: readonly GroupDelivery[]): void;
  /** So many deliveries were acknowledged. */
  onAck(namespace: string, count: number): void;
  /** Events of a group have died, here or through other replicas; each death is reported to one replica. */
  onDead(report: DeathReport): void;
}
