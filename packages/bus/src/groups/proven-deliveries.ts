// Which of the deliveries that a caller names were handed out by the group: the others count for nothing.
import type { Clock } from '@hypercode/clock';
import type { DeliveryRef } from '../store/group-store.ts';
import { deliveryIn, type DeliveryName, isProven } from './delivery-id.ts';
import type { KnownGroups } from './known-groups.ts';

export class ProvenDeliveries {
  readonly #known: KnownGroups;
  readonly #clock: Pick<Clock, 'epochMs'>;

  constructor(known: KnownGroups, clock: Pick<Clock, 'epochMs'>) {
    this.#known = known;
    this.#clock = clock;
  }

  /**
   * Those that are proven, in their order. A group that is known here may have been made anew: it is read again before an id is found
   * to be unproven. INVALID_INPUT for an id that is none, NOT_FOUND.
   */
  async of(namespace: string, group: string, deliveryIds: readonly string[]): Promise<readonly DeliveryRef[]> {
    const names = deliveryIds.map(deliveryIn);
    const proven = await this.#among(names, namespace, group);
    if (proven.length === names.length) return proven;
    this.#known.forget(namespace, group);
    return this.#among(names, namespace, group);
  }

  async #among(names: readonly DeliveryName[], namespace: string, group: string): Promise<readonly DeliveryName[]> {
    const naming = { namespace, group, state: await this.#known.get(namespace, group) };
    const now = this.#clock.epochMs();
    return names.filter((name) => isProven(name, naming, now));
  }
}
