// The events that the core itself publishes: changes of circuits, tokens and consumer groups, deaths in groups, and that liveness is suspended or has resumed.
import type { Bus, DeathNotice, GroupNotice } from '@hypercode/bus';
import type { Clock } from '@hypercode/clock';
import {
  CIRCUIT_TOPICS,
  type CircuitEventData,
  DEFAULT_NAMESPACE,
  GROUP_DEAD_TOPIC,
  GROUP_TOPICS,
  LIVENESS_TOPICS,
  type LivenessSuspendedData,
  operatorSource,
  type PublishInput,
  SwarmError,
  TOKEN_TOPICS,
  type TokenEventData,
} from '@hypercode/contracts';
import type { CircuitChange, GuardNotice, GuardNumbers, TokenNotice } from '@hypercode/registry';
import { v5 as uuidv5 } from 'uuid';

export interface SystemEventsOptions {
  readonly bus: Bus;
  readonly clock: Clock;
  readonly onError: (error: unknown) => void;
}

/** For ids of circuit events: the same change, published again, is the same event. */
const CIRCUIT_EVENTS = '5f0c8f0e-9a55-4c5b-8d0b-3f3f6a3b6c11';
const RETRY_MS = 1000;
/** How long an event without an outbox is retried while the bus' store is unavailable, in milliseconds. */
const GIVE_UP_MS = 60_000;

/** What the registry makes known, on the bus. `close` ends the retries that wait. */
export class SystemEvents {
  readonly #options: SystemEventsOptions;
  /** What cancels each retry that waits. */
  readonly #retries = new Set<() => void>();
  #closed = false;

  constructor(options: SystemEventsOptions) {
    this.#options = options;
  }

  /** Liveness of a namespace is suspended, or has resumed. It is retried for a minute, and then reported. */
  guard(namespace: string, notice: GuardNotice, numbers: GuardNumbers | null): void {
    const found: LivenessSuspendedData | null = numbers;
    const event = { id: this.#options.clock.newId(), topic: LIVENESS_TOPICS[notice], data: found ?? {} };
    this.#publish(namespace, event, 0);
  }

  /**
   * An admin created or revoked a token, in the namespace of the call. That of an admin belongs to no namespace, and is made known
   * in `default`, too, so that it cannot be hidden in a namespace that is not observed. It is retried for a minute, and then reported.
   */
  tokenChanged({ change, token, namespace, by }: TokenNotice): void {
    const { id, kind, name, roles, names, expiresAt } = token;
    const data: TokenEventData = {
      id,
      kind,
      namespace: token.namespace,
      name,
      roles,
      names,
      expiresAt,
      by: operatorSource(by),
    };
    const event = { id: this.#options.clock.newId(), topic: TOKEN_TOPICS[change], data, subject: id };
    const namespaces = new Set(token.namespace === null ? [namespace, DEFAULT_NAMESPACE] : [namespace]);
    for (const each of namespaces) this.#publish(each, event, 0);
  }

  /** An operator changed a consumer group. It is retried for a minute, and then reported. */
  groupChanged({ namespace, change, data }: GroupNotice): void {
    const id = this.#options.clock.newId();
    const event = { id, topic: GROUP_TOPICS[change], data: data as PublishInput['data'], subject: data.group };
    this.#publish(namespace, event, 0);
  }

  /** Events of a consumer group died. It is retried for a minute, and then reported. */
  groupDied({ namespace, data }: DeathNotice): void {
    this.#publish(
      namespace,
      { id: this.#options.clock.newId(), topic: GROUP_DEAD_TOPIC, data, subject: data.group },
      0,
    );
  }

  /** Resolves once the event is stored; the registry calls again for a change whose event was not. */
  async circuitChanged(change: CircuitChange): Promise<void> {
    const { namespace, agentId, name, role, revision, circuit, reason } = change;
    const data: CircuitEventData = { agent: name, role, circuit, reason, revision };
    const id = uuidv5(`${agentId} ${revision}`, CIRCUIT_EVENTS);
    await this.#options.bus.publishSystem(namespace, { id, topic: CIRCUIT_TOPICS[circuit], data, subject: name });
  }

  close(): void {
    this.#closed = true;
    for (const cancel of this.#retries) cancel();
  }

  #publish(namespace: string, event: Parameters<Bus['publishSystem']>[1], triedMs: number): void {
    const { bus, clock, onError } = this.#options;
    bus.publishSystem(namespace, event).catch((error: unknown) => {
      const mayRetry = error instanceof SwarmError && error.retryable && triedMs < GIVE_UP_MS;
      if (this.#closed || !mayRetry) return onError(error);
      const cancel = clock.schedule(RETRY_MS, () => {
        this.#retries.delete(cancel);
        this.#publish(namespace, event, triedMs + RETRY_MS);
      });
      this.#retries.add(cancel);
    });
  }
}
