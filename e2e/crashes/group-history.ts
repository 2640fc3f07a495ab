// What the members and operators of one consumer group sent, and what they were answered. A call without an answer may have been done.
import type { SoughtGroup } from '@hypercode/contracts';
import { SwarmError } from '@hypercode/client';

/** What the id of a delivery names. To callers it is opaque; here it shows which delivery of an event came after which. */
export interface DeliveryName {
  readonly position: string;
  readonly life: number;
  readonly attempt: number;
}

export function deliveryNamed(deliveryId: string): DeliveryName {
  const [position = '', life, attempt] = deliveryId.split('.');
  return { position, life: Number(life), attempt: Number(attempt) };
}

/** Where an event stands in the log. */
export const placeOf = (position: string): number => Number.parseInt(position.split('-')[1] ?? '', 36);

/** A delivery that reached a member. */
export interface HandedOut extends DeliveryName {
  readonly deliveryId: string;
  readonly consumer: string;
  /** When the claim was sent that brought it, in milliseconds since the epoch; null: a stream brought it. */
  readonly claimedAt: number | null;
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
  /** Null: the answer was lost. */
  readonly sought: SoughtGroup | null;
}

export interface Pause {
  /** Nothing is handed out to a claim that is sent after `from` and answered before `to`; milliseconds since the epoch. */
  readonly from: number;
  readonly to: number;
}

export class GroupHistory {
  readonly group: string;
  readonly events = new Map<string, EventHistory>();
  readonly seeks: Seek[] = [];
  readonly pauses: Pause[] = [];
  /** Topics that the group was given, or may have been. */
  readonly topics: (readonly string[])[] = [];
  readonly claims: { readonly sentAt: number; readonly answeredAt: number; readonly deliveries: number }[] = [];
  /** What no crash explains. */
  readonly failures: unknown[] = [];
  /** Calls without an answer. */
  lost = 0;
  #reasons = 0;

  constructor(group: string) {
    this.group = group;
  }

  of(position: string): EventHistory {
    let history = this.events.get(position);
    if (history === undefined) {
      history = new EventHistory();
      this.events.set(position, history);
    }
    return history;
  }

  /** Acknowledgements that were answered as stored. */
  get acknowledged(): number {
    let count = 0;
    for (const { acks } of this.events.values()) count += acks.filter(({ outcome }) => outcome === 'done').length;
    return count;
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
