// The bus as a client has it: one publisher and one queue of acks for all that it publishes and consumes.
import type { CircuitState, EventCatalogue, PublishResult, SwarmEvent } from '@hypercode/contracts';
import { sleep } from '@hypercode/clock';
import type { Connection } from '../transport/connection.ts';
import { ConsumerLoad } from '../consuming/consumer-load.ts';
import {
  type ConsumeOptions,
  type Consumer,
  type Deliveries,
  deliveriesOf,
  type DeliveriesOptions,
  type DeliveryHandler,
  GroupConsumer,
} from '../consuming/consumer.ts';
import type { PublishOptions } from '../publishing/outgoing-event.ts';
import { OwnCircuit } from '../publishing/own-circuit.ts';
import { Publisher } from '../publishing/publisher.ts';
import { SettleQueue } from '../consuming/settle-queue.ts';
import {
  listenTo,
  type ListenOptions,
  type SubscribeOptions,
  subscribeTo,
  type Subscription,
  type TopicListener,
} from '../consuming/subscription.ts';
import { type TypedEvents, typedEvents } from './typed-events.ts';

export interface BusCalls {
  /**
   * Publishes an event. Calls that are made at the same time travel as one request, and each is repeated under its id
   * while the core does not answer or asks to wait, until `publishTimeoutMs`: a repetition is never a second event.
   * While the agent's circuit is open, all of them wait (`whenCircuitOpen`), and what has waited for too long rejects
   * with CIRCUIT_OPEN, whose `details` are the `circuit`, the `reason` and the `id`.
   *
   * Calls of which each awaits the one before stay in this order; concurrent ones may land in any.
   *
   * Rejects with the core's refusal of this event, with INVALID_INPUT and the path of what JSON cannot express, or with UNAVAILABLE, whose
   * `details.id` is the id to publish it with again, since the outcome is unknown.
   */
  publish(topic: string, data: unknown, options?: PublishOptions): Promise<PublishResult>;
  /** Resolves when every publish, ack and nack that was begun before has settled. */
  flush(): Promise<void>;
  /**
   * The events that match, in the order of the log. The first value is a bookmark at the position of attachment. A lost
   * connection is resumed without gap or repeat; events that the log no longer has are reported as a `gap`.
   *
   * The reader's pace is the stream's. Leaving the loop closes the connection; so do `signal` and `close`, which end the
   * loop without an error. The loop throws a SwarmError that no retry can help (ACL_DENIED, UNAUTHENTICATED …).
   */
  subscribe(options: SubscribeOptions): Subscription;
  /** Calls `handler` with each event that matches, one at a time and in order. */
  on(
    topics: string | readonly string[],
    handler: (event: SwarmEvent) => unknown,
    options?: ListenOptions,
  ): TopicListener;
  /**
   * Works as a member of a consumer group: up to `maxInFlight` handlers at a time. An event is acknowledged when its
   * handler returns, and given back, with the error's message as the reason, when it throws. It then comes again after
   * `retryDelayMs`.
   */
  consume(options: ConsumeOptions, handler: DeliveryHandler): Consumer;
  /** The deliveries of a consumer group, to be acknowledged by hand (`client.bus.ack`). */
  deliveries(options: DeliveriesOptions): Deliveries;
  /** The same, typed and checked by a catalogue of events (`defineEvents`). */
  events<C extends EventCatalogue>(catalogue: C): TypedEvents<C>;
}

export interface Bus {
  readonly calls: BusCalls;
  readonly circuit: OwnCircuit;
  readonly load: ConsumerLoad;
  /** Stops the consumers and sends what is to be sent, but not for longer than `limitMs`. */
  drain(limitMs: number): Promise<void>;
}

export interface BusListeners {
  /** What is known of the caller's circuit has changed. */
  readonly onCircuit?: (circuit: CircuitState, reason: string | null) => void;
  /** The activity that follows from the load of the consumers has changed. */
  readonly onLoad?: () => void;
}

export function openBus(connection: Connection, { onCircuit, onLoad }: BusListeners = {}): Bus {
  const circuit = new OwnCircuit();
  if (onCircuit !== undefined) circuit.onChange(onCircuit);
  const load = new ConsumerLoad({ clock: connection.clock, closed: connection.closed, onChange: onLoad });
  const publisher = new Publisher(connection, circuit);
  const settleQueue = new SettleQueue(connection);
  const consumers = new Set<Consumer>();
  const flush = async (): Promise<void> => {
    await Promise.all([publisher.flush(), settleQueue.flush()]);
  };
  const calls: BusCalls = {
    publish: (topic, data, options) => publisher.publish(topic, data, options),
    flush,
    subscribe: (options) => subscribeTo(connection, options),
    on: (topics, handler, options) => listenTo(connection, topics, handler, options),
    consume(options, handler) {
      const consumer = new GroupConsumer(connection, settleQueue, options, handler, () => load.weigh());
      consumers.add(consumer);
      load.add(consumer);
      const forget = (): void => {
        consumers.delete(consumer);
        load.remove(consumer);
      };
      consumer.closed.then(forget, forget);
      return consumer;
    },
    deliveries: (options) => deliveriesOf(connection, options),
    events: (catalogue) => typedEvents(calls, catalogue),
  };
  return {
    calls,
    circuit,
    load,
    async drain(limitMs) {
      const patience = new AbortController();
      const drained = Promise.all([...consumers].map((consumer) => consumer.stop({ timeoutMs: limitMs }))).then(flush);
      await Promise.race([drained, sleep(connection.clock, limitMs, patience.signal)]);
      patience.abort();
    },
  };
}
