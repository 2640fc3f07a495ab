// Publishing, subscribing and consuming by a catalogue: the compiler knows the data of each topic, and at run time both
// ends check it against the topic's schema.
import {
  type CatalogueTopic,
  type EventCatalogue,
  type EventInput,
  type PublishResult,
  readEventData,
  type SubscriptionEvent,
  SwarmError,
  type SwarmEvent,
  type TypedEvent,
} from '@hypercode/contracts';
import type { BusCalls } from './bus-calls.ts';
import type { ConsumeOptions, Consumer, Delivery } from '../consuming/consumer.ts';
import { surface } from '../transport/emitter.ts';
import type { PublishOptions } from '../publishing/outgoing-event.ts';
import type { ListenOptions, SubscribeOptions, TopicListener } from '../consuming/subscription.ts';

/** Called with an event that came with data that does not fit its topic's schema, or with a topic that has none. */
type OnInvalid<R> = ((event: SwarmEvent, error: SwarmError<'INVALID_INPUT'>) => R) | undefined;

interface Topics<T> {
  /** Topics and patterns of the catalogue. */
  readonly topics: readonly T[];
}

export interface TypedSubscribeOptions<T extends string> extends Omit<SubscribeOptions, 'topics'>, Topics<T> {
  /** The event is skipped then. */
  readonly onInvalid?: OnInvalid<void>;
}

export interface TypedListenOptions extends ListenOptions {
  /** The event is skipped then. */
  readonly onInvalid?: OnInvalid<void>;
}

export interface TypedConsumeOptions<T extends string> extends Omit<ConsumeOptions, 'topics'>, Topics<T> {
  /** Says what becomes of the event. Default: `nack`, so that it ends as a dead letter with the reason. */
  readonly onInvalid?: OnInvalid<'ack' | 'nack' | void>;
}

export type TypedSubscriptionEvent<C extends EventCatalogue, T extends string> =
  | { type: 'event'; position: string; event: TypedEvent<C, T> }
  | Exclude<SubscriptionEvent, { type: 'event' }>;

/** What `SwarmClient` has, for the topics of a catalogue alone. */
export interface TypedEvents<C extends EventCatalogue> {
  /** Rejects with INVALID_INPUT, and sends nothing, when `data` does not fit the topic's schema. */
  publish<const T extends CatalogueTopic<C>>(
    topic: T,
    data: EventInput<C, T>,
    options?: PublishOptions,
  ): Promise<PublishResult>;
  subscribe<const T extends CatalogueTopic<C>>(
    options: TypedSubscribeOptions<T>,
  ): AsyncIterableIterator<TypedSubscriptionEvent<C, T>, undefined, undefined>;
  on<const T extends CatalogueTopic<C>>(
    topics: T | readonly T[],
    handler: (event: TypedEvent<C, T>) => unknown,
    options?: TypedListenOptions,
  ): TopicListener;
  consume<const T extends CatalogueTopic<C>>(
    options: TypedConsumeOptions<T>,
    handler: (event: TypedEvent<C, T>, delivery: Delivery) => unknown,
  ): Consumer;
}

export function typedEvents<C extends EventCatalogue>(bus: BusCalls, catalogue: C): TypedEvents<C> {
  /** The same event with its data read: what the compiler knows as a TypedEvent of its topic. */
  const readEvent = (event: SwarmEvent): unknown => ({
    ...event,
    data: readEventData(catalogue, event.topic, event.data),
  });

  return {
    async publish(topic, data, options) {
      readEventData(catalogue, topic, data);
      return bus.publish(topic, data, options);
    },

    subscribe: <T extends string>({ onInvalid, ...options }: TypedSubscribeOptions<T>) =>
      mapped(bus.subscribe(options), (item): TypedSubscriptionEvent<C, T> | undefined => {
        if (item.type !== 'event') return item;
        try {
          return { ...item, event: readEvent(item.event) as TypedEvent<C, T> };
        } catch (error) {
          tellInvalid(onInvalid, item.event, error);
          return undefined;
        }
      }),

    on(topics, handler, { onInvalid, ...options } = {}) {
      type Event = Parameters<typeof handler>[0];
      const readAndHandle = (event: SwarmEvent): unknown => {
        let readable: Event;
        try {
          readable = readEvent(event) as Event;
        } catch (error) {
          tellInvalid(onInvalid, event, error);
          return undefined;
        }
        return handler(readable);
      };
      return bus.on(topics, readAndHandle, options);
    },

    consume({ onInvalid, ...options }, handler) {
      type Event = Parameters<typeof handler>[0];
      const readAndHandle = (event: SwarmEvent, delivery: Delivery): unknown => {
        let readable: Event;
        try {
          readable = readEvent(event) as Event;
        } catch (error) {
          if (tellInvalid(onInvalid, event, error) === 'ack') return undefined;
          throw error;
        }
        return handler(readable, delivery);
      };
      return bus.consume(options, readAndHandle);
    },
  };
}

function tellInvalid<R>(onInvalid: OnInvalid<R>, event: SwarmEvent, thrown: unknown): R | undefined {
  const error = SwarmError.from(thrown);
  // A schema that throws by itself is a fault of the program, not of the event.
  if (!error.is('INVALID_INPUT')) throw thrown;
  try {
    return onInvalid?.(event, error);
  } catch (own) {
    surface(own);
    return undefined;
  }
}

/** An iterator over what `change` makes of the values of another; undefined leaves a value out. */
function mapped<A, B>(
  values: AsyncIterableIterator<A, undefined, undefined>,
  change: (value: A) => B | undefined,
): AsyncIterableIterator<B, undefined, undefined> {
  const changed = (async function* (): AsyncGenerator<B, undefined, undefined> {
    for await (const value of values) {
      const other = change(value);
      if (other !== undefined) yield other;
    }
  })();
  return {
    next: () => changed.next(),
    return() {
      // Ends the source first: a generator that waits for a value does not return before it has one.
      void values.return?.();
      return changed.return(undefined);
    },
    [Symbol.asyncIterator]() {
      return this;
    },
  };
}
