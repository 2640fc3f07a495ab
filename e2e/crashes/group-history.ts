// What the members and operators of one consumer group sent, and what they were answered. A call without an answer may have been done.
import type { SoughtGroup } from '@hypercode/contracts';
import { SwarmError } from '@hypercode/client';

/** What the id of a delivery names. To callers it is opaque; here it shows which delivery of an event came after which. */
export interface DeliveryName {
  readonly position: string;
  readonly life: number;
  readonly attempt: number;
  /** Deliveries before this one that did not count. */
  readonly uncounted: number;
}

export function deliveryNamed(deliveryId: string): DeliveryName {
  const [position = '', life, attempt, uncounted] = deliveryId.split('.');
  return { position, life: Number(life), attempt: Number(attempt), uncounted: Number(uncounted) };
}

/** Where an event stands in the log. */
export const placeOf = (position: string): number => Number.parseInt(position.split('-')[1] ?? '', 36);

/** A delivery that reached a member. */
export interface HandedOut extends DeliveryName {
  readonly deliveryId: string;
  readonly consumer: string;
  readonly topic: string;
  /** When the store handed it out, in milliseconds since the epoch, as all times here. */
  readonly handedOutAt: number;
  /** When its deadline passes, as far as is known: an extension without an answer may have moved it to later. */
  dueAt: number;
}

/** `none`: nothing was changed. `unknown`: the answer was lost, or spoke of several deliveries of which some were changed. */
export type Outcome = 'done' | 'none' | 'unknown';

interface Settling extends DeliveryName {
  readonly outcome: Outcome;
  readonly answeredAt: number;
}

export interface Ack extends Settling {
  readonly consumer: string;
  /** Answered before the deadline: no other delivery of the event can have come between. */
  readonly inTime: boolean;
}

export interface Nack extends Settling {
  readonly reason: string;
}

/** All that happened to one event in the group. */
export class EventHistory {
  readonly handedOut: HandedOut[] = [];
  readonly acks: Ack[] = [];
  readonly nacks: Nack[] = [];
  readonly discards: Settling[] = [];
}

export interface Seek {
  readonly dropOpen: boolean;
  /** Null: the answer was lost. */
  readonly sought: SoughtGroup | null;
}

/** A time in which the group was so for certain: from the answer of the call that made it so to the next call that changes it. */
export interface Span {
  readonly from: number;
  readonly to: number;
}

export class GroupHistory {
  readonly group: string;
  /** Whether an operator works on it. */
  readonly isSteered: boolean;
  readonly events = new Map<string, EventHistory>();
  readonly seeks: Seek[] = [];
  readonly pauses: Span[] = [];
  /** Topics that the group was given, or may have been. */
  readonly topics: (readonly string[])[] = [];
  /** When it had which topics. */
  readonly readings: (Span & { readonly topics: readonly string[] })[] = [];
  /** What no crash explains. */
  readonly failures: unknown[] = [];
  /** Acknowledgements that were answered as stored. */
  acknowledged = 0;
  /** Calls without an answer. */
  lost = 0;
  #reasons = 0;

  constructor(group: string, { isSteered }: { isSteered: boolean }) {
    this.group = group;
    this.isSteered = isSteered;
  }

  of(position: string): EventHistory {
    let history = this.events.get(position);
    if (history === undefined) {
      history = new EventHistory();
      this.events.set(position, history);
    }
    return history;
  }

  noteAck(ack: Ack): void {
    this.of(ack.position).acks.push(ack);
    if (ack.outcome === 'done') this.acknowledged += 1;
  }

  /** A reason that no other nack has. */
  newReason(): string {
    this.#reasons += 1;
    return `refused ${this.#reasons}`;
  }

  /** Null: there was no answer, or one that the call may be tried again. */
  async answered<T>(call: () => Promise<T>): Promise<T | null> {
    try {
      return await call();
    } catch (error) {
      if (SwarmError.from(error).retryable) this.lost += 1;
      else this.failures.push(error);
      return null;
    }
  }
}

/** Of a call that named so many, and was answered with how many were changed. */
export function outcomeOf(named: number, changed: number | undefined): Outcome {
  if (changed === undefined) return 'unknown';
  if (changed === named) return 'done';
  return changed === 0 ? 'none' : 'unknown';
}
